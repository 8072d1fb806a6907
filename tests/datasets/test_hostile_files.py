"""Files that were made to do harm, or that are merely odd, end in a sentence, and soon."""

import os
import re
import socket
import stat
import subprocess
import sys
import threading
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from image_files import pixels, save, sentence
from PIL import Image

from skvae.datasets import dsprites, load_celeba, load_dsprites, load_images
from skvae.datasets.rows import stacked

KINDS = "JPEG, PNG, WebP, BMP or TIFF images"
LOST = "missing, corrupt, of another kind or smaller than the crop"
has_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")


@pytest.fixture
def folder(tmp_path):
    save(tmp_path / "images" / "good.png", pixels(8, 8, 3))
    return tmp_path / "images"


def only_the_good(folder, *names):
    text = (
        f"load_images needs files that are {KINDS}. Got {len(names)} of {len(names) + 1} that are "
        f"{LOST} instead: {', '.join(names)}. They have no row; mend or remove them."
    )
    with pytest.warns(UserWarning, match=sentence(text)):
        assert load_images(folder, (8, 8, 3)).filenames.tolist() == ["good.png"]


# ------------------------------------------------------------------ images


@has_pipes
def test_pipes_sockets_and_devices_are_no_images_and_nobody_waits_for_them(folder):
    os.mkfifo(folder / "pipe.png")
    server = socket.socket(socket.AF_UNIX)
    before = os.getcwd()
    os.chdir(folder)  # the path of a socket is short
    try:
        server.bind("socket.png")
    finally:
        os.chdir(before)
    (folder / "zero.png").symlink_to("/dev/zero")
    (folder / "nothing.png").symlink_to(folder / "missing")
    with server:
        only_the_good(folder, "nothing.png", "pipe.png", "socket.png", "zero.png")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_small_file_of_too_many_pixels_is_not_unpacked(folder):
    Image.new("1", (10_000, 10_000)).save(folder / "big.png")
    assert (folder / "big.png").stat().st_size < 20_000
    only_the_good(folder, "big.png")


@pytest.mark.parametrize("suffix", ["webp", "bmp", "tif", "tiff", "BMP"])
@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 3), (6, 5, 4)])
def test_further_formats_give_their_pixels_bit_by_bit(tmp_path, suffix, shape):
    image = pixels(*shape)
    if shape[-1] == 4:
        image[..., 3] = 255  # BMP may drop an alpha
    options = {"lossless": True, "exact": True} if suffix == "webp" else {}
    save(tmp_path / f"image.{suffix}", image, **options)
    read = load_images(tmp_path, (*shape, 1)[:3], on_error="raise").data
    np.testing.assert_array_equal(read, image.reshape(1, -1))


def test_the_high_byte_is_kept_of_a_tiff_of_16_bits(tmp_path):
    deep = np.random.RandomState(0).randint(0, 2**16, (6, 5)).astype(np.uint16)
    save(tmp_path / "deep.tif", deep)
    read = load_images(tmp_path, (6, 5, 1), on_error="raise").data
    np.testing.assert_array_equal(read, (deep >> 8).reshape(1, -1))


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_a_tiff_of_32_bits_has_no_black_and_white(folder, dtype):
    save(folder / "deep.tif", np.full((8, 8), 0.5).astype(dtype))
    only_the_good(folder, "deep.tif")


def test_of_several_images_in_a_file_the_first_is_taken(tmp_path):
    first, second = Image.fromarray(pixels(6, 5, 3)), Image.new("RGB", (5, 6))
    first.save(tmp_path / "two.tif", save_all=True, append_images=[second])
    read = load_images(tmp_path, (6, 5, 3), on_error="raise").data
    np.testing.assert_array_equal(read, pixels(6, 5, 3).reshape(1, -1))


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "tif"])
def test_damaged_images_are_read_or_named(tmp_path, suffix):
    save(tmp_path / "good.png", pixels(16, 16, 3))
    save(tmp_path / f"x.{suffix}", pixels(16, 16, 3))
    whole = (tmp_path / f"x.{suffix}").read_bytes()
    rng = np.random.RandomState(0)
    for _ in range(40):
        broken = bytearray(whole[: rng.randint(1, len(whole) + 1)])
        for _ in range(rng.randint(4)):
            broken[rng.randint(len(broken))] = rng.randint(256)
        (tmp_path / f"x.{suffix}").write_bytes(broken)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            data = load_images(tmp_path, (8, 8, 3)).data
        named = [f"instead: x.{suffix}. They" in str(warning.message) for warning in caught]
        assert len(data) == 2 or any(named)


# ------------------------------------------------------------------ memory maps


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


# ------------------------------------------------------------------ CelebA


def write_mirror(root, names, *, images="img_align_celeba/img_align_celeba"):
    for grey, name in enumerate(["000001.jpg", "000002.jpg"]):
        save(root / images / name, Image.new("RGB", (178, 218), (50 * grey, 0, 0)))
    attributes = pd.DataFrame({"image_id": names, "Bald": [1, -1], "Young": [-1, 1]})
    attributes.to_csv(root / "list_attr_celeba.csv", index=False)
    partition = pd.DataFrame({"image_id": names, "partition": [0, 2]})
    partition.to_csv(root / "list_eval_partition.csv", index=False)
    return root


@pytest.mark.parametrize(
    "images", ["img_align_celeba/img_align_celeba", "img_align_celeba", "Img/img_align_celeba"]
)
def test_the_layout_of_the_mirrors_is_read(tmp_path, images):
    names = ["000001.jpg", "000002.jpg"]
    faces = load_celeba(write_mirror(tmp_path, names, images=images), image_shape=(8, 8, 3))
    assert faces.filenames.tolist() == names
    assert faces.split.tolist() == ["train", "test"]
    pd.testing.assert_frame_equal(
        faces.attributes,
        pd.DataFrame({"Bald": [True, False], "Young": [False, True]}, index=names),
        check_index_type=False,
    )
    np.testing.assert_allclose(faces.data[:, 0], [0, 50], atol=2)


@pytest.mark.parametrize(
    "name", ["../000001.jpg", "/etc/passwd.jpg", "a/000001.jpg", "..\\000001.jpg", "..", 7]
)
def test_a_list_names_files_of_the_folder_alone(tmp_path, name):
    save(tmp_path / "000001.jpg", Image.new("RGB", (178, 218)))
    root = write_mirror(tmp_path / "celeba", [name, "000002.jpg"])
    text = (
        f"load_celeba needs list_attr_celeba.csv to name files of the folder of images. Got "
        f"{str(name)!r} instead. Get the file again."
    )
    with pytest.raises(ValueError, match="load_celeba needs") as caught:
        load_celeba(root, image_shape=(8, 8, 3))
    assert name == 7 or str(caught.value) == text


def test_a_csv_of_another_kind_is_refused(tmp_path):
    root = write_mirror(tmp_path, ["000001.jpg", "000002.jpg"])
    (root / "list_eval_partition.csv").write_text("image_id,partition\n000001.jpg,9\n")
    text = (
        "load_celeba needs list_eval_partition.csv to hold a line of names, and rows of a file "
        "and 0, 1 or 2. Got something else instead. Get the file again."
    )
    with pytest.raises(ValueError, match=sentence(text)):
        load_celeba(root)
    (root / "list_attr_celeba.csv").write_bytes(b"\xff\xfe,\0\n")
    with pytest.raises(ValueError, match=r"^load_celeba needs list_attr_celeba.csv to hold a line"):
        load_celeba(root)


@has_pipes
def test_a_list_that_is_a_pipe_is_none(tmp_path):
    root = write_mirror(tmp_path, ["000001.jpg", "000002.jpg"])
    (root / "list_attr_celeba.csv").unlink()
    os.mkfifo(root / "list_attr_celeba.txt")
    with pytest.raises(FileNotFoundError, match=r"^load_celeba needs list_attr_celeba.txt in"):
        load_celeba(root)


def test_a_list_too_long_to_be_one_is_not_read(tmp_path):
    root = write_mirror(tmp_path, ["000001.jpg", "000002.jpg"])
    with open(root / "list_attr_celeba.csv", "r+b") as file:
        file.truncate(2**28 + 1)  # of holes, which take up no disk
    with pytest.raises(ValueError, match=r"^load_celeba needs list_attr_celeba.csv to hold"):
        load_celeba(root)


def test_a_face_under_the_size_of_the_crop_is_left_out(tmp_path):
    root = write_mirror(tmp_path, ["000001.jpg", "000002.jpg"], images="img_align_celeba")
    save(root / "img_align_celeba" / "000001.jpg", Image.new("RGB", (20, 20)))
    with pytest.warns(UserWarning, match=r"smaller than the crop instead: 000001\.jpg\."):
        faces = load_celeba(root, image_shape=(8, 8, 3))
    assert faces.filenames.tolist() == ["000002.jpg"]


# ------------------------------------------------------------------ archives


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
    with pytest.raises(ValueError, match=sentence(DAMAGED)):
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
    with pytest.raises(ValueError, match=sentence(text)):
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
    with pytest.raises(ValueError, match=sentence(DAMAGED)):
        load_dsprites(path)


def test_an_array_of_more_bytes_than_are_allowed_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(dsprites, "MOST_BYTES", 100)
    text = (
        "load_dsprites needs arrays of at most 100 bytes. Got latents_classes of 224 instead. Give "
        "the official .npz file of dSprites."
    )
    with pytest.raises(ValueError, match=sentence(text)):
        load_dsprites(write_archive(tmp_path / "x.npz"))


@has_pipes
def test_an_archive_that_is_a_pipe_is_none(tmp_path):
    os.mkfifo(tmp_path / "x.npz")
    with pytest.raises(FileNotFoundError, match=r"^load_dsprites needs the file of the images"):
        load_dsprites(tmp_path / "x.npz")
