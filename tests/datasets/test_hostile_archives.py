"""Archives of dSprites that were made to do harm, or that are packed in another way."""

import os
import re
import zipfile

import numpy as np
import pytest
from named_pipes import has_pipes
from sentences import exactly

from skvae.datasets import dsprites, load_dsprites


def write_archive(path, *, compression=zipfile.ZIP_DEFLATED, **changes):
    arrays = {
        "imgs": np.ones((2, 4, 4), dtype=np.uint8),
        "latents_classes": np.array([[0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]]),
        "latents_values": np.zeros((2, 6)),
        **changes,
    }
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, array)
    return path


def changed(path, at, value, *, signature):
    """Change a field of every header of a zip archive."""
    data = bytearray(path.read_bytes())
    for match in re.finditer(re.escape(signature), bytes(data)):
        place = match.start() + at
        data[place : place + len(value)] = value
    path.write_bytes(data)


DAMAGED = (
    "load_dsprites needs the official .npz file of dSprites. Got x.npz instead, which is damaged "
    "or of another kind. Get it again."
)


def test_other_ways_to_pack_an_archive_are_read(tmp_path):
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        path = write_archive(tmp_path / "x.npz", compression=compression)
        np.testing.assert_array_equal(load_dsprites(path).data, np.ones((2, 16)))


@pytest.mark.parametrize(("field", "value"), [(0, b"\1\0"), (2, b"\x63\0"), (2, b"\x0e\0")])
def test_an_encrypted_archive_or_one_packed_in_another_way_is_refused(tmp_path, field, value):
    path = write_archive(tmp_path / "x.npz")
    changed(path, 6 + field, value, signature=b"PK\3\4")
    changed(path, 8 + field, value, signature=b"PK\1\2")
    with pytest.raises(ValueError, match=exactly(DAMAGED)):
        load_dsprites(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"latents_classes": np.array([[0, 0, 0, 0, 0, 0], [0, -1, 0, 0, 0, 0]])},
        {"latents_classes": np.array([[0, 0, 0, 0, 0, 0], [0, 2**40, 0, 0, 0, 0]])},
        {"latents_values": np.full((2, 6), np.nan)},
        {"latents_values": np.full((2, 6), np.inf)},
    ],
    ids=["negative", "too many", "nan", "inf"],
)
def test_impossible_factors_are_refused_and_nothing_is_written(tmp_path, changes):
    path = write_archive(tmp_path / "x.npz", **changes)
    text = (
        "load_dsprites needs latents_classes from 0 to 2147483647 and latents_values that are "
        "finite. Got others instead. Give the official .npz file of dSprites."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_dsprites(path, memmap=tmp_path / "rows.npy")
    assert list(tmp_path.iterdir()) == [path]


def test_classes_that_are_nan_or_text_are_refused(tmp_path):
    for changes in (
        {"latents_classes": np.full((2, 6), np.nan)},
        {"latents_values": np.full((2, 6), "a")},
    ):
        with pytest.raises(ValueError, match=r"^load_dsprites needs imgs of shape"):
            load_dsprites(write_archive(tmp_path / "x.npz", **changes))


def test_an_array_that_is_larger_than_its_file_takes_no_memory(tmp_path):
    path = write_archive(tmp_path / "x.npz")
    with zipfile.ZipFile(path, "w") as archive:
        for name, dtype, shape in [
            ("imgs", "|u1", (2**40, 64, 64)),
            ("latents_classes", "<i8", (2**40, 6)),
            ("latents_values", "<f8", (2**40, 6)),
        ]:
            with archive.open(f"{name}.npy", "w") as file:
                header = {"descr": dtype, "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
    with pytest.raises(ValueError, match=exactly(DAMAGED)):
        load_dsprites(path)


def test_an_array_of_more_bytes_than_are_allowed_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(dsprites, "MOST_BYTES", 100)
    text = (
        "load_dsprites needs arrays of at most 100 bytes. Got latents_classes of 224 instead. Give "
        "the official .npz file of dSprites."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_dsprites(write_archive(tmp_path / "x.npz"))


@has_pipes
def test_an_archive_that_is_a_pipe_is_none(tmp_path):
    os.mkfifo(tmp_path / "x.npz")
    with pytest.raises(FileNotFoundError, match=r"^load_dsprites needs the file of the images"):
        load_dsprites(tmp_path / "x.npz")
