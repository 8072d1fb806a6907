"""Lists of CelebA that were made to do harm, or that are of another layout."""

import os

import numpy as np
import pandas as pd
import pytest
from image_files import save
from named_pipes import has_pipes
from PIL import Image
from sentences import exactly

from skvae.datasets import load_celeba


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
    with pytest.raises(ValueError, match=exactly(text)):
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
