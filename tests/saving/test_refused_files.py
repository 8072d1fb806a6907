"""Files that are cut, changed, of another kind or of a newer format are refused."""

import os

import pytest
from named_pipes import has_pipes
from refused_files import assert_refuses

import skvae
from skvae import SavingError

REMEDY = "Take another copy of it, or save the estimator again."


def must_be_whole(got):
    return f"load takes a file that skvae.save wrote, whole. Got {got} instead. {REMEDY}"


def test_a_file_that_is_cut_lengthened_or_changed_is_refused(originals, tmp_path):
    data = (originals / "vae").read_bytes()
    path = tmp_path / "changed"
    for size in (0, 5, 8, 100, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(SavingError, match=r"^load takes a file that skvae\.save wrote, whole"):
            skvae.load(path)
    path.write_bytes(data[:4])
    assert_refuses(path, must_be_whole("one that is cut after 4 bytes, or another kind of file"))
    path.write_bytes(data + b"\0")
    with pytest.raises(SavingError, match="one that safetensors refuses"):
        skvae.load(path)
    flipped = bytearray(data)
    flipped[-3] ^= 1
    path.write_bytes(flipped)
    assert_refuses(path, must_be_whole("one with another checksum than it had when it was written"))


def test_a_header_of_any_length_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "long"
    path.write_bytes((2**63).to_bytes(8, "little") + b"{}")
    assert_refuses(path, must_be_whole("one that is cut after 10 bytes, or another kind of file"))
    with path.open("wb") as file:
        file.write((2**25).to_bytes(8, "little"))
        file.truncate(2**25 + 8)
    assert_refuses(path, must_be_whole("one with a header of 33554432 bytes, of at most 16777216"))


@pytest.mark.parametrize(
    ("header", "got"),
    [
        (b"[" * 100, "one with brackets in brackets 64 deep in its header"),
        (
            b"[" + b"[]," * 9000 + b"1]",
            "one with 18001 values in 27003 bytes of JSON in its header",
        ),
        (b'{"a": NaN}', "one with no JSON in its header (NaN is not of JSON)"),
        (b"9" * 5000, "one with no JSON in its header (99999999... is no integer of 64 bits)"),
        (b'{"a": 1, "a": 2}', "one with no JSON in its header (a name comes twice)"),
        (b'{"__metadata__": {"format": "pt"}}', "one that something else has written"),
        (b"\xff\xff", "one with a header that is no text"),
        (b"{}", "one that something else has written"),
    ],
)
def test_json_that_is_deep_wide_or_none_is_refused(header, got, tmp_path):
    path = tmp_path / "header"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    assert_refuses(path, must_be_whole(got))


def test_a_pickle_is_another_kind_of_file_and_is_not_run(tmp_path):
    path, trace = tmp_path / "pickle", tmp_path / "trace"
    path.write_bytes(f"cos\nsystem\n(S'touch {trace}'\ntR.".encode())
    with pytest.raises(SavingError, match="or another kind of file"):
        skvae.load(path)
    assert not trace.exists()


@has_pipes
def test_a_pipe_a_device_and_a_folder_are_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", tmp_path):
        assert_refuses(
            path,
            f"A path must be that of a file. Got {os.fspath(path)!r}, which is something else, "
            f"instead. Give the path of a file.",
        )


def test_a_file_that_is_missing_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        skvae.load(tmp_path / "none")


def test_a_newer_format_says_what_wrote_it(changed):
    def newer(document, arrays):
        document.update(format=2, versions={"skvae": "9.1"})

    assert_refuses(
        changed("ae", newer),
        f"load of skvae {skvae.__version__} reads files of format 1 at most. Got format 2, written "
        f"by skvae 9.1, instead. Install that version.",
    )
