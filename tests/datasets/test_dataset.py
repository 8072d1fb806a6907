"""What makers and readers return: a Bunch that prints as a small table."""

import json
import pickle

import numpy as np
import pytest
from PIL import Image
from sklearn.utils import Bunch

from skvae import datasets
from skvae.datasets.dataset import Dataset


def celeba(folder):
    (folder / "img_align_celeba").mkdir()
    Image.new("RGB", (178, 218)).save(folder / "img_align_celeba" / "000001.png")
    (folder / "list_attr_celeba.txt").write_text("1\nSmiling Young\n000001.png  1 -1\n")
    (folder / "list_eval_partition.txt").write_text("000001.png 2\n")
    return datasets.load_celeba(folder, image_shape=(8, 8, 3))


def dsprites(folder):
    levels = np.array([[0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]])
    images = np.zeros((2, 64, 64), dtype=np.uint8)
    arrays = {"imgs": images, "latents_classes": levels, "latents_values": levels + 1.0}
    np.savez(folder / "dsprites.npz", **arrays)
    return datasets.load_dsprites(folder / "dsprites.npz")


def factor_images(folder):
    names = {"factor_names": ["tilt"], "factor_levels": json.dumps({})}
    X = np.zeros((2, 8, 8), dtype=np.uint8)
    np.savez(folder / "images.npz", X=X, factors=[[0], [1]], **names)
    return datasets.load_factor_images(folder / "images.npz")


def images(folder):
    Image.new("RGB", (8, 8)).save(folder / "one.png")
    return datasets.load_images(folder, (8, 8, 3))


SPRITES = {"size": 16, "n_samples": 300, "as_frame": True, "random_state": 0}
RETURNED = {
    "load_celeba": celeba,
    "load_dsprites": dsprites,
    "load_factor_images": factor_images,
    "load_images": images,
    "make_linear_gaussian": lambda folder: datasets.make_linear_gaussian(300, random_state=0),
    "make_sprites": lambda folder: datasets.make_sprites(n_colors=3, **SPRITES),
    "make_xy_squares": lambda folder: datasets.make_xy_squares(**SPRITES),
}


def test_every_public_function_is_asked():
    assert set(RETURNED) == set(datasets.__all__)


@pytest.mark.parametrize("name", RETURNED)
def test_a_dataset_is_a_bunch_of_a_line_for_each_entry(name, tmp_path):
    data = RETURNED[name](tmp_path)
    assert isinstance(data, Bunch)
    assert all(data[entry] is getattr(data, entry) for entry in data)
    lines = repr(data).splitlines()
    assert str(data) == repr(data)
    assert [line.split()[0] for line in lines] == ["type", *data]
    assert len(lines) <= 20
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("name", RETURNED)
def test_a_pickle_gives_it_back(name, tmp_path):
    data = RETURNED[name](tmp_path)
    again = pickle.loads(pickle.dumps(data))
    assert type(again) is Dataset
    assert repr(again) == repr(data)
    for entry, value in data.items():
        np.testing.assert_array_equal(again[entry], value)


def test_arrays_print_their_shape_and_all_else_its_value():
    data = Dataset(X=np.zeros((3, 4), dtype=np.uint8), names=("a", "b"), kl=0.5, frame=None)
    assert repr(data).splitlines() == [
        "       type   shape   value",
        "X      uint8  (3, 4)",
        "names  tuple          ('a', 'b')",
        "kl     float          0.500",
        "frame  None",
    ]


def test_of_many_or_no_entries_it_prints_no_more_than_fits():
    assert repr(Dataset()).split() == ["type", "shape", "value"]
    many = Dataset(**{f"entry {place}": "text\n" * 99 for place in range(99)})
    assert len(repr(many).splitlines()) <= 20
