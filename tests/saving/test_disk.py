"""A file is written whole, or the old one stays."""

import errno
import os
import re
import stat
import threading

import pytest

import skvae
from skvae import SavingError, VAETransformer
from skvae.files import disk
from skvae.files.disk import read_whole, write_whole

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")


def full(*args):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("failing", ["fsync", "replace", "open"])
def test_a_disk_that_fails_leaves_the_old_file_and_nothing_else(failing, monkeypatch, tmp_path):
    path = tmp_path / "file"
    write_whole(path, b"old")
    monkeypatch.setattr(disk.os, failing, full)
    with pytest.raises(OSError, match="No space left"):
        skvae.save(VAETransformer(2), path)
    monkeypatch.undo()
    assert read_whole(path) == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_an_interrupt_leaves_the_old_file_and_nothing_else(monkeypatch, tmp_path):
    path = tmp_path / "file"
    write_whole(path, b"old")

    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(disk.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, b"new")
    assert read_whole(path) == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_folder_that_is_missing_is_named(tmp_path):
    folder = str(tmp_path.resolve() / "nowhere")
    text = (
        f"A file needs a folder that exists. Got {folder!r} instead, which is none. Make it first."
    )
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(text)}$"):
        write_whole(os.path.join(folder, "file"), b"new")


@POSIX
def test_permissions_are_those_of_the_old_file_or_the_umasks(tmp_path):
    path, plain = tmp_path / "file", tmp_path / "plain"
    write_whole(path, b"new")
    plain.write_bytes(b"new")
    assert path.stat().st_mode == plain.stat().st_mode
    path.chmod(0o640)
    write_whole(path, b"newer")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@POSIX
def test_a_link_stays_one_and_what_it_leads_to_is_replaced(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_whole(tmp_path / "file", b"old")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert read_whole(tmp_path / "file") == b"new"


@POSIX
@pytest.mark.parametrize("kind", [str, os.fsencode, "long", "wide"])
def test_every_path_of_the_system_is_one_to_write_to(kind, tmp_path):
    name = {"long": "n" * 255, "wide": "\N{SEAL}" * 63}.get(kind, "file")
    path = str(tmp_path / name)
    path = kind(path) if callable(kind) else path
    for data in (b"old", b"new"):
        write_whole(path, data)
        assert read_whole(path) == data
    assert os.listdir(tmp_path) == [name]


def test_what_is_no_file_is_not_replaced(tmp_path):
    with pytest.raises(SavingError, match=r"^A path must be that of a file\. Got '.*', which is"):
        skvae.save(VAETransformer(2), tmp_path)


def test_a_reader_never_sees_a_part_and_writers_do_not_mix(tmp_path):
    path, size, seen = tmp_path / "file", 10**6, set()
    write_whole(path, b"0" * size)

    def write(letter):
        for _ in range(5):
            write_whole(path, letter * size)

    writers = [threading.Thread(target=write, args=(letter,)) for letter in (b"1", b"2")]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        data = read_whole(path)
        seen.add((len(data), len(set(data))))
    assert seen == {(size, 1)}
    assert os.listdir(tmp_path) == ["file"]
