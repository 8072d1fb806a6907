import json

import _paper_files
import numpy as np
import pytest
from _paper_data import check, load
from image_files import save
from sentences import exactly

FACTORS = ("glasses", "skin", "x")
LEVELS = {"glasses": ["none", "none", "round", "shades"], "skin": ["dark", "light"]}


def written(folder, **arrays):
    np.savez(folder / "faces.npz", **arrays)
    return f"npz:{folder / 'faces.npz'}"


@pytest.fixture
def factors():
    rng = np.random.default_rng(0)
    return np.stack([rng.integers(0, n, 100) for n in (4, 2, 9)], axis=1) - [0, 0, 4]


@pytest.fixture
def X(factors):
    """Images that show their factors."""
    return np.repeat(factors + 10, 64, axis=1).reshape(100, 3, 8, 8).astype(np.uint8)


def faces(folder, X, factors, names=FACTORS, **more):
    return written(folder, X=X.transpose(0, 2, 3, 1), factors=factors, factor_names=names, **more)


def test_factors_are_those_that_the_pictures_have(tmp_path, X, factors):
    source = faces(tmp_path, X, factors, factor_levels=json.dumps(LEVELS))
    images = load(source, tmp_path, None, None)
    assert images.image_shape == (8, 8, 3)
    assert images.factor_names == FACTORS
    assert images.factor_levels == (
        ("none", "round", "shades"),
        ("dark", "light"),
        (*range(-4, 5),),
    )
    for rows, known in ((images.train, images.factors_train), (images.test, images.factors_test)):
        glasses, skin, x = rows.reshape(-1, 64, 3)[:, 0].T.astype(int) - 10
        np.testing.assert_array_equal(known[:, 0], np.array([0, 0, 1, 2])[glasses])
        np.testing.assert_array_equal(known[:, 1], skin)
        np.testing.assert_array_equal(known[:, 2] - 4, x)


def test_levels_that_have_names_are_attributes_and_no_steps_of_quantities(tmp_path, X, factors):
    source = faces(tmp_path, X, factors, factor_levels=json.dumps(LEVELS))
    images = load(source, tmp_path, None, None)
    labels = ["glasses=none", "glasses=round", "glasses=shades", "skin=light"]
    assert images.attribute_names == labels
    for attributes, known in (
        (images.attributes_train, images.factors_train),
        (images.attributes_test, images.factors_test),
    ):
        expected = [*(known[:, 0] == number for number in range(3)), known[:, 1] == 1]
        np.testing.assert_array_equal(attributes, np.stack(expected, axis=1))


def test_without_names_of_levels_every_value_is_an_attribute(tmp_path, X, factors):
    images = load(faces(tmp_path, X, factors), tmp_path, None, None)
    labels = [*(f"glasses={n}" for n in range(4)), "skin=1", *(f"x={n}" for n in range(-4, 5))]
    rare = {name for name in labels if name not in images.attribute_names}
    assert images.attribute_names == [name for name in labels if name not in rare]
    values = images.train.reshape(-1, 64, 3)[:, 0, 2].astype(int) - 10
    column = images.attribute_names.index("x=4")
    np.testing.assert_array_equal(images.attributes_train[:, column], values == 4)
    counts = {f"x={n}": (values == n).sum() for n in range(-4, 5)}
    assert rare == {name for name, count in counts.items() if count < 5}


def test_a_class_is_an_attribute_and_no_factor(tmp_path, X):
    images = load(written(tmp_path, X=X[:, 0], y=X[:, 1, 0, 0]), tmp_path, None, None)
    assert images.image_shape == (8, 8, 1)
    assert images.attribute_names == ["y0=11"]
    assert images.factors_train is None
    assert images.factor_names == ()


def test_images_alone_have_neither(tmp_path, X):
    images = load(written(tmp_path, X=X[:, 0]), tmp_path, 50, 10)
    assert (len(images.train), len(images.test)) == (50, 10)
    assert images.attribute_names == []
    assert images.attributes_train is images.factors_train is None


def test_a_factor_without_two_levels_is_left_out(tmp_path, X, factors):
    images = load(faces(tmp_path, X, factors * [1, 0, 1]), tmp_path, None, None)
    assert images.factor_names == ("glasses", "x")
    assert images.factors_train.shape == (80, 2)


def test_an_attribute_of_celeba_is_a_factor_of_two_levels(tmp_path):
    rng = np.random.default_rng(0)
    attributes, split = rng.random((60, 2)) < 0.5, np.repeat(["train", "test"], [40, 20])
    np.save(tmp_path / "celeba.npy", rng.integers(0, 256, (60, 64 * 64 * 3), dtype=np.uint8))
    names = np.array(["Bald", "Eyeglasses"])
    np.savez(tmp_path / "celeba.npz", attributes=attributes, split=split, names=names)
    images = load("celeba:faces", tmp_path, None, None)  # read before, hence from the cache
    assert images.factor_names == tuple(images.attribute_names) == ("Bald", "Eyeglasses")
    assert images.factor_levels == (("no", "yes"), ("no", "yes"))
    np.testing.assert_array_equal(images.factors_train, attributes[:40])
    np.testing.assert_array_equal(images.factors_test, attributes[40:])


def test_faces_of_celeba_are_read_once_and_kept_whole(tmp_path, monkeypatch):
    root = tmp_path / "celeba"
    names = [f"{number:06}.jpg" for number in range(1, 5)]
    for number, name in enumerate(names):
        save(root / "img_align_celeba" / name, np.full((218, 178, 3), 50 * number, np.uint8))
    table = "".join(f"{name} {2 * (row % 2) - 1} 1\n" for row, name in enumerate(names))
    (root / "list_attr_celeba.txt").write_text(f"4\nBald Young\n{table}")
    parts = "".join(f"{name} {number}\n" for name, number in zip(names, (0, 0, 0, 2), strict=True))
    (root / "list_eval_partition.txt").write_text(parts)
    cache = tmp_path / "cache"
    cache.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", lambda *arguments, **content: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            load(f"celeba:{root}", cache, None, None)
    images = load(f"celeba:{root}", cache, None, None)
    assert images.train[:, 0].tolist() == [0, 50, 100]
    assert images.test[:, 0].tolist() == [150]
    monkeypatch.setattr(_paper_files, "load_celeba", None)
    again = load(f"celeba:{root}", cache, None, None)
    np.testing.assert_array_equal(again.train, images.train)
    assert {"celeba.npy", "celeba.npz"} == {
        path.name for path in cache.iterdir() if path.suffix != ".part"
    }


@pytest.mark.parametrize(("n_images", "n_test"), [(100, 20), (10_000, 2_000), (12_000, 2_000)])
def test_a_fifth_is_held_out_but_not_over_two_thousand(tmp_path, n_images, n_test):
    number = np.arange(n_images, dtype=np.int32).view(np.uint8).reshape(n_images, 1, 4)
    images = load(written(tmp_path, X=number), tmp_path, None, None)
    assert len(images.test) == n_test
    rows = np.concatenate([images.train, images.test])
    assert len(np.unique(rows, axis=0)) == n_images


def test_a_file_that_does_not_fit_is_said(tmp_path, X, factors):
    text = (
        "--data npz: load_factor_images needs X of shape (n, height, width) or (n, height, width, "
        "channels) and uint8, and factors of shape (n, n_factors), integers. Got X (50, 3, 8, 8) "
        "of uint8 and factors (100, 3) of int64 instead. Write them so."
    )
    with pytest.raises(SystemExit, match=exactly(text)):
        load(written(tmp_path, X=X[:50], factors=factors), tmp_path, None, None)
    for shape in ((3, 2), (0, 8, 8)):
        text = (
            "--data npz: needs X of uint8, (n, height, width) or (n, height, width, channels). Got "
            f"float64, {shape} instead. Convert X."
        )
        with pytest.raises(SystemExit, match=exactly(text)):
            load(written(tmp_path, X=np.zeros(shape)), tmp_path, None, None)


@pytest.mark.parametrize(
    ("y", "got"),
    [
        (np.zeros(99, int), "int64, (99,)"),
        (np.zeros(100), "float64, (100,)"),
        (np.int64(3), "int64, ()"),
        (np.zeros((100, 2, 2), bool), "bool, (100, 2, 2)"),
        (np.zeros((100, 0), int), "int64, (100, 0)"),
        (np.array([b"cat"] * 100), "|S3, (100,)"),
    ],
)
def test_labels_that_do_not_fit_are_said(tmp_path, X, y, got):
    text = (
        "--data npz: needs y of labels, integers or text, (100,) or (100, n_labels), one for each "
        f"image of X. Got {got} instead. Convert y, or leave it out."
    )
    with pytest.raises(SystemExit, match=exactly(text)):
        load(written(tmp_path, X=X[:, 0], y=y), tmp_path, None, None)


def test_labels_may_be_text_and_several(tmp_path, X):
    names = np.array(["cat", "dog"])[X[:, 1, 0, 0] - 10]
    images = load(written(tmp_path, X=X[:, 0], y=names), tmp_path, None, None)
    assert images.attribute_names == ["y0=dog"]
    both = np.stack([names, names[::-1]], axis=1)
    images = load(written(tmp_path, X=X[:, 0], y=both), tmp_path, None, None)
    assert images.attribute_names == ["y0=dog", "y1=dog"]


def test_a_file_that_is_not_there_is_said(tmp_path):
    for path in (tmp_path / "faces.npz", tmp_path):
        text = (
            f"--data npz: needs a file of images. Got {str(path)!r} instead, which is none. Give "
            "the path of a .npz file."
        )
        with pytest.raises(SystemExit, match=exactly(text)):
            load(f"npz:{path}", tmp_path, None, None)
    text = (
        f"--data celeba: load_celeba needs list_attr_celeba.txt in the root or in its folder Anno. "
        f"Got the root {str(tmp_path)!r} without it instead. Get it from "
        "mmlab.ie.cuhk.edu.hk/projects/CelebA.html, or give another root."
    )
    with pytest.raises(SystemExit, match=exactly(text)):
        load(f"celeba:{tmp_path}", tmp_path, None, None)


@pytest.mark.parametrize(
    ("keys", "got"), [((), "nothing"), (("images", "labels"), "images, labels")]
)
def test_a_file_without_images_is_said(tmp_path, X, keys, got):
    text = (
        f"--data npz: needs a file with X, uint8 images. Got faces.npz with {got} instead. Write "
        "it by numpy.savez_compressed(path, X=images)."
    )
    with pytest.raises(SystemExit, match=exactly(text)):
        load(written(tmp_path, **dict.fromkeys(keys, X)), tmp_path, None, None)


@pytest.mark.parametrize("kind", ["text", "npy", "half", "bit", "objects"])
def test_a_damaged_file_is_said(tmp_path, X, kind):
    source, path = written(tmp_path, X=X[:, 0]), tmp_path / "faces.npz"
    content = path.read_bytes()
    if kind == "text":
        path.write_text("X")
    elif kind == "npy":
        with path.open("wb") as file:
            np.save(file, X)
    elif kind == "half":
        path.write_bytes(content[: len(content) // 2])
    elif kind == "bit":
        half = len(content) // 2
        path.write_bytes(content[:half] + bytes([content[half] ^ 1]) + content[half + 1 :])
    else:
        written(tmp_path, X=X[:, 0], y=np.array([None] * 100))
    text = (
        "--data npz: needs a .npz file of arrays. Got faces.npz instead, which is damaged, "
        "encrypted or of another kind, or has arrays of objects. Write it by "
        "numpy.savez_compressed."
    )
    with pytest.raises(SystemExit, match=exactly(text)):
        load(source, tmp_path, None, None)


def noise(n_images, *shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n_images, *shape)).astype(np.uint8)


@pytest.mark.parametrize(("height", "width"), [(7, 8), (8, 7), (1, 1), (257, 8)])
def test_images_that_the_networks_do_not_take_are_said(tmp_path, height, width):
    images = load(written(tmp_path, X=noise(20, height, width)), tmp_path, None, None)
    text = (
        "--data: needs images with a height and a width from 8 to 256, which the networks take. "
        f"Got {height} x {width} instead. Resize them."
    )
    with pytest.raises(SystemExit, match=exactly(text)):
        check(images)


def test_images_that_the_figures_do_not_show_are_said(tmp_path):
    images = load(written(tmp_path, X=noise(200, 8, 8, 2)), tmp_path, None, None)
    text = (
        "--data: needs images of 1, 3 or 4 channels, which the figures show. Got 2 instead. Give "
        "others."
    )
    with pytest.raises(SystemExit, match=exactly(text)):
        check(images)
    for n_channels in (1, 3, 4):
        X = noise(200, 8, 8, n_channels)
        check(load(written(tmp_path, X=X), tmp_path, None, None))


@pytest.mark.parametrize(
    ("n_images", "n_train", "n_test", "got"),
    [(1, None, None, "1 and 0"), (159, None, None, "127 and 32"), (200, None, 10, "160 and 10")],
)
def test_too_few_images_are_said(tmp_path, n_images, n_train, n_test, got):
    images = load(written(tmp_path, X=noise(n_images, 8, 8)), tmp_path, n_train, n_test)
    text = (
        "--data: needs at least 128 images to train on, a batch, and 11 held out. Got "
        f"{got} instead. Give more images."
    )
    with pytest.raises(SystemExit, match=exactly(text)):
        check(images)


def test_images_that_show_nothing_are_said(tmp_path):
    text = (
        "--data: needs images that are not all alike, and not each of one colour. Got such images "
        "instead. Give others."
    )
    alike = np.repeat(noise(1, 8, 8, 3), 200, axis=0)
    even = np.broadcast_to(noise(200, 1, 1, 3), (200, 8, 8, 3))
    for X in (alike, even, np.zeros((200, 8, 8), np.uint8)):
        images = load(written(tmp_path, X=X), tmp_path, None, None)
        with pytest.raises(SystemExit, match=exactly(text)):
            check(images)
    check(load(written(tmp_path, X=noise(160, 8, 8)), tmp_path, None, None))
