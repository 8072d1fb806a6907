import shutil
import sys

import numpy as np
import pandas as pd
import pytest
from image_files import save
from PIL import Image
from sentences import exactly

from skvae.datasets import load_celeba, load_images

N_FACES = 6
NAMES = [f"{number:06}.jpg" for number in range(1, N_FACES + 1)]
ATTRIBUTES = {
    "5_o_Clock_Shadow": [True, False, False, True, False, True],
    "Bald": [False, False, True, True, False, False],
    "Young": [False, True, True, True, False, True],
}
SPLIT = ["train", "train", "valid", "train", "test", "test"]
GREYS = [30, 60, 90, 120, 150, 180]


@pytest.fixture
def root(tmp_path):
    """Six constant images and both lists in the official layout, irregular spaces included."""
    root = tmp_path / "celeba"
    for name, grey in zip(NAMES, GREYS, strict=True):
        save(root / "img_align_celeba" / name, Image.new("RGB", (178, 218), (grey, 0, 255 - grey)))
    rows = [
        f"{name} " + "".join("  1" if column[row] else " -1" for column in ATTRIBUTES.values())
        for row, name in enumerate(NAMES)
    ]
    header = " ".join(ATTRIBUTES)
    (root / "list_attr_celeba.txt").write_text("\n".join([str(N_FACES), f"{header} ", *rows, ""]))
    codes = [
        f"{name} {['train', 'valid', 'test'].index(split)}\n"
        for name, split in zip(NAMES, SPLIT, strict=True)
    ]
    (root / "list_eval_partition.txt").write_text("".join(codes))
    return root


def assert_rows_correspond(faces, rows):
    names = [NAMES[row] for row in rows]
    expected = pd.DataFrame(ATTRIBUTES, index=NAMES).loc[names]
    pd.testing.assert_frame_equal(faces.attributes, expected, check_index_type=False)
    assert faces.filenames.tolist() == names
    assert faces.split.tolist() == [SPLIT[row] for row in rows]
    np.testing.assert_allclose(faces.data[:, 0], [GREYS[row] for row in rows], atol=2)


def rewrite(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


# ------------------------------------------------------------------ what is read


def test_every_face_comes_with_its_attributes_and_its_split(root):
    faces = load_celeba(root)
    assert faces.image_shape == (64, 64, 3)
    assert faces.data.shape == (N_FACES, 64 * 64 * 3)
    assert faces.data.dtype == np.uint8
    assert_rows_correspond(faces, range(N_FACES))


@pytest.mark.parametrize(
    ("split", "rows"), [("train", [0, 1, 3]), ("valid", [2]), ("test", [4, 5])]
)
def test_a_split_is_its_rows_of_everything(root, split, rows):
    assert_rows_correspond(load_celeba(root, split=split, image_shape=(8, 8, 3)), rows)


def test_the_folders_of_the_source_are_found(root):
    expected = load_celeba(root, image_shape=(8, 8, 3))
    for parent, name in [
        ("Img", "img_align_celeba"),
        ("Anno", "list_attr_celeba.txt"),
        ("Eval", "list_eval_partition.txt"),
    ]:
        (root / parent).mkdir()
        shutil.move(root / name, root / parent / name)
    faces = load_celeba(root, image_shape=(8, 8, 3))
    np.testing.assert_array_equal(faces.data, expected.data)
    assert_rows_correspond(faces, range(N_FACES))


@pytest.mark.parametrize(
    ("crop", "box"),
    [
        ("paper", (30, 50, 148, 168)),
        ("aligned", (0, 20, 178, 198)),
        ((10, 20, 30, 40), (10, 20, 40, 60)),
        (None, (0, 0, 178, 218)),
    ],
)
def test_crops_are_these_boxes_of_left_upper_right_and_lower_edge(root, tmp_path, crop, box):
    noise = np.random.RandomState(0).randint(0, 256, (218, 178, 3), dtype=np.uint8)
    save(root / "img_align_celeba" / NAMES[2], noise)
    with Image.open(root / "img_align_celeba" / NAMES[2]) as image:
        save(tmp_path / "cropped" / "face.png", image.crop(box))
    expected = load_images(tmp_path / "cropped", (16, 16, 3)).data
    face = load_celeba(root, split="valid", crop=crop, image_shape=(16, 16, 3)).data
    np.testing.assert_array_equal(face, expected)


# ------------------------------------------------------------------ corrupt, missing, unlisted


@pytest.mark.parametrize("in_file", [False, True])
def test_rows_correspond_where_files_are_corrupt_or_missing(root, tmp_path, in_file):
    (root / "img_align_celeba" / NAMES[0]).write_bytes(b"no image")
    (root / "img_align_celeba" / NAMES[4]).unlink()
    text = (
        "load_celeba needs files that are JPEG, PNG, WebP, BMP or TIFF images. "
        "Got 2 of 6 that are "
        "missing, corrupt, of another kind or smaller than the crop instead: 000001.jpg, "
        "000005.jpg. They have no row; mend or remove them."
    )
    memmap = tmp_path / "faces.npy" if in_file else None
    with pytest.warns(UserWarning, match=exactly(text)):
        faces = load_celeba(root, image_shape=(8, 8, 3), memmap=memmap)
    assert isinstance(faces.data, np.memmap) == in_file
    assert_rows_correspond(faces, [1, 2, 3, 5])


def test_a_missing_file_is_raised_when_asked(root):
    (root / "img_align_celeba" / NAMES[4]).unlink()
    text = (
        "load_celeba needs files that are JPEG, PNG, WebP, BMP or TIFF images. "
        "Got 000005.jpg instead, which is "
        "missing, corrupt or of another kind. Mend or remove it, or set on_error='warn'."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_celeba(root, on_error="raise")
    assert_rows_correspond(load_celeba(root, split="train", on_error="raise"), [0, 1, 3])


def test_a_file_that_is_not_listed_is_named(root):
    save(root / "img_align_celeba" / "me.jpg", Image.new("RGB", (178, 218)))
    text = (
        "load_celeba needs every image to be in the list of attributes. Got 1 that are not "
        "instead, "
        "the first of them me.jpg. Remove them, or get the lists again."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_celeba(root)


@pytest.mark.parametrize(
    ("name", "parent"),
    [
        ("img_align_celeba", "Img"),
        ("list_attr_celeba.txt", "Anno"),
        ("list_eval_partition.txt", "Eval"),
    ],
)
def test_what_the_root_lacks_is_named(root, name, parent):
    (root / name).rename(root / "elsewhere")
    text = (
        f"load_celeba needs {name} in the root or in its folder {parent}. Got the root "
        f"{str(root)!r} without it instead. Get it from "
        "mmlab.ie.cuhk.edu.hk/projects/CelebA.html, or give another root."
    )
    with pytest.raises(FileNotFoundError, match=exactly(text)):
        load_celeba(root)


# ------------------------------------------------------------------ lists of another kind


@pytest.mark.parametrize(
    ("old", "new"),
    [("6\n", "\n"), (" -1", " 0"), (" -1", " no"), ("000002.jpg", ""), ("000002.jpg", "a b c d")],
)
def test_an_attribute_list_of_another_kind_is_refused(root, old, new):
    rewrite(root / "list_attr_celeba.txt", old, new)
    text = (
        "load_celeba needs list_attr_celeba.txt to hold a count, a line of names, and rows of a "
        "file and of -1 or 1. Got something else instead. Get the file again."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_celeba(root)


@pytest.mark.parametrize(
    ("old", "new"), [(" 2", " 3"), (" 2", ""), (" 2", " 2 2"), (" 2", " test")]
)
def test_a_partition_of_another_kind_is_refused(root, old, new):
    rewrite(root / "list_eval_partition.txt", old, new)
    text = (
        "load_celeba needs list_eval_partition.txt to hold rows of a file and 0, 1 or 2. Got "
        "something else instead. Get the file again."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_celeba(root)


def test_a_list_that_breaks_off_is_refused(root):
    path = root / "list_attr_celeba.txt"
    path.write_text("\n".join(path.read_text().splitlines()[:-2]))
    text = (
        "load_celeba needs list_attr_celeba.txt to have as many rows as its first line says, 6. "
        "Got 4 instead. Get the file again."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_celeba(root)


def test_lists_of_different_files_are_refused(root):
    rewrite(root / "list_eval_partition.txt", "000002.jpg 0\n", "")
    text = (
        "load_celeba needs list_attr_celeba.txt and list_eval_partition.txt to list the same files "
        "in the same order. Got 6 and 5 files that differ instead. Get both again."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_celeba(root)


# ------------------------------------------------------------------ arguments


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        (
            {"split": "val"},
            "load_celeba needs a split of 'train', 'valid', 'test' or None. Got 'val' instead. "
            "Choose one of them.",
        ),
        (
            {"crop": "tight"},
            "load_celeba needs a crop of 'paper', 'aligned', (left, top, width, height) or None. "
            "Got 'tight' instead. Choose one of them.",
        ),
        (
            {"crop": (100, 0, 100, 100), "on_error": "raise"},
            "load_celeba needs images of at least 200 x 100 pixels (width x height) for "
            "crop=(100, 0, 100, 100). Got 000001.jpg of 178 x 218 instead. Set a smaller crop, or "
            "remove the file.",
        ),
        (
            {"image_shape": (64, 64)},
            "load_celeba needs an image_shape of (height, width, channels) with 1, 3 or 4 "
            "channels. Got (64, 64) instead. Give three such integers, as in (64, 64, 3).",
        ),
    ],
)
def test_arguments_out_of_range_are_refused(root, parameters, text):
    with pytest.raises(ValueError, match=exactly(text)):
        load_celeba(root, **parameters)


def test_a_split_without_files_is_refused(root):
    rewrite(root / "list_eval_partition.txt", " 1", " 0")
    text = (
        "load_celeba needs files in the split asked for. Got a list_eval_partition without any "
        "of 'valid' instead. Choose another, or get the lists again."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_celeba(root, split="valid")


@pytest.mark.parametrize(
    ("package", "text"),
    [
        (
            "PIL",
            "Reading images needs Pillow. Got none that can be imported instead. Install it: "
            "pip install skvae[images]",
        ),
        (
            "pandas",
            "load_celeba needs pandas for the attributes. Got none that can be imported instead. "
            "Install it: pip install skvae[images]",
        ),
    ],
)
def test_without_pillow_or_pandas_a_sentence_names_the_extra(root, monkeypatch, package, text):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=exactly(text)):
        load_celeba(root)
