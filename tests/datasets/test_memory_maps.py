"""Rows that are written to a memory map: whole, whoever writes beside."""

import re
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from skvae.datasets.rows import stacked


def test_a_name_that_is_guessed_is_not_written_through(tmp_path):
    (tmp_path / "elsewhere").write_text("precious")
    (tmp_path / "rows.npy.part").symlink_to(tmp_path / "elsewhere")
    stacked([b"ab"], 1, 2, tmp_path / "rows.npy")
    assert (tmp_path / "elsewhere").read_text() == "precious"
    names = []

    def rows():
        for _ in range(2):
            names.append({path.name for path in tmp_path.iterdir()})
            yield b"cd"

    stacked(rows(), 2, 2, tmp_path / "rows.npy")
    stacked(rows(), 2, 2, tmp_path / "rows.npy")
    first, second = (names[place] - {"elsewhere", "rows.npy", "rows.npy.part"} for place in (0, 2))
    pattern = r"rows\.npy\.[0-9a-f]{16}\.part"
    assert all(re.fullmatch(pattern, name) for name in first | second)
    assert len(first) == len(second) == 1
    assert first != second


def test_a_memory_map_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "other").write_text("")
    stacked([b"ab"], 1, 2, tmp_path / "rows.npy")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("other", "rows.npy")}
    assert len(modes) == 1


def test_threads_that_write_one_name_each_get_a_whole_file(tmp_path):
    barrier = threading.Barrier(2)

    def write(value):
        def rows():
            for row in range(500):
                if row in (1, 250):
                    barrier.wait(60)
                yield bytes([value]) * 64

        return np.array(stacked(rows(), 500, 64, tmp_path / "rows.npy"))

    with ThreadPoolExecutor(2) as pool:
        for data in pool.map(write, [1, 2]):
            assert data.shape == (500, 64)
            assert len(np.unique(data)) == 1
            assert data[0, 0] in (1, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.npy"]


PROCESS = """
import sys
from skvae.datasets.rows import stacked
value, path = int(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for _ in range(20):
    data = stacked((bytes([value]) * 64 for _ in range(2000)), 2000, 64, path)
    assert data.shape == (2000, 64) and data.min() == data.max() > 0, "no whole file"
"""


@pytest.mark.long
def test_processes_that_write_one_name_each_get_a_whole_file(tmp_path):
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [
        subprocess.Popen([sys.executable, "-c", PROCESS, value, tmp_path / "rows.npy"], **options)
        for value in "12"
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
