"""What a killed writer leaves beside a file is removed by the next one; what is written stays."""

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from skvae.files import parts
from skvae.files.disk import read_whole, replaced, write_whole

fcntl = pytest.importorskip("fcntl", reason="needs locks of POSIX")

ABANDONED = "file.0123456789abcdef.part"
# Of the module alone: importing the package takes seconds.
KILLED = """
import os, runpy, signal, sys
with runpy.run_path(sys.argv[1])["new_part"](sys.argv[2]) as part:
    os.write(part.descriptor, b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_writer_has_left_is_removed_by_the_next(tmp_path):
    path = tmp_path / "file"
    ended = subprocess.run([sys.executable, "-c", KILLED, parts.__file__, str(path)])
    assert ended.returncode == -signal.SIGKILL
    (left,) = os.listdir(tmp_path)
    assert left.startswith("file.")
    assert left.endswith(".part")
    write_whole(path, b"new")
    assert os.listdir(tmp_path) == ["file"]


def test_what_another_writes_stays(tmp_path):
    path = tmp_path / "file"
    with replaced(path) as file:
        file.write(b"first")
        write_whole(path, b"second")
        assert len(os.listdir(tmp_path)) == 2
        assert read_whole(path) == b"second"
    assert os.listdir(tmp_path) == ["file"]
    assert read_whole(path) == b"first"


def test_many_writers_at_a_time_leave_whole_files_and_nothing_else(tmp_path):
    path, failed = tmp_path / "file", []

    def write():
        try:
            for _ in range(50):
                write_whole(path, b"x" * 1000)
        except OSError as error:
            failed.append(error)

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not failed
    assert os.listdir(tmp_path) == ["file"]


def test_other_files_stay(tmp_path):
    others = [
        "file.part",
        "file.0123456789abcde.part",
        "file.0123456789abcdeg.part",
        "file.0123456789abcdef.part.txt",
        "file2.0123456789abcdef.part",
        "myfile.0123456789abcdef.part",
    ]
    for name in (*others, ABANDONED):
        Path(tmp_path, name).write_bytes(b"notes")
    write_whole(tmp_path / "file", b"new")
    assert sorted(os.listdir(tmp_path)) == sorted([*others, "file"])


def test_on_a_disk_without_locks_files_are_written_and_nothing_is_removed(tmp_path, monkeypatch):
    def none(*args):
        raise OSError(errno.ENOLCK, "No locks available")

    Path(tmp_path, ABANDONED).write_bytes(b"half")
    monkeypatch.setattr(fcntl, "flock", none)
    write_whole(tmp_path / "file", b"new")
    assert sorted(os.listdir(tmp_path)) == ["file", ABANDONED]


@pytest.mark.parametrize("meanwhile", ["held", "removed"])
def test_a_part_that_is_taken_before_it_is_held_is_begun_again(meanwhile, tmp_path, monkeypatch):
    lock, taken = fcntl.flock, []

    def late(descriptor, flags):
        if not taken:
            taken.extend(os.listdir(tmp_path))
            if meanwhile == "held":
                raise BlockingIOError
            os.unlink(tmp_path / taken[0])
        lock(descriptor, flags)

    monkeypatch.setattr(fcntl, "flock", late)
    write_whole(tmp_path / "file", b"new")
    assert len(taken) == 1
    assert os.listdir(tmp_path) == ["file"]


def test_without_such_locks_files_are_written_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "fcntl", None)  # as on Windows
    for data in (b"old", b"new"):
        write_whole(tmp_path / "file", data)
        assert read_whole(tmp_path / "file") == data
    assert os.listdir(tmp_path) == ["file"]
