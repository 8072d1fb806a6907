import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from _paper_data import Images, floats
from _paper_judge import Blur, Judge, fetch_judge, groups_of, most_probable
from made_up_images import SIDE, pictures, quarters


@pytest.fixture(scope="module")
def images():
    return quarters()


@pytest.fixture(scope="module")
def judge(images):
    return Judge.trained(images, n_epochs=6)


def test_a_quantity_has_five_groups_of_equal_numbers():
    factor = np.repeat(np.arange(20), 7)
    groups = groups_of(tuple(range(20)), factor)
    np.testing.assert_array_equal(groups, np.repeat(np.arange(5), 4))
    skewed = np.repeat(np.arange(9), [92, 1, 1, 1, 1, 1, 1, 1, 1])
    groups = groups_of(tuple(range(9)), skewed)
    assert np.all(np.diff(groups) >= 0)
    assert groups[0] < groups[1]


@pytest.mark.parametrize("levels", [tuple("abcdefghijkl"), tuple(range(8))])
def test_names_and_few_numbers_are_read_as_they_are(levels):
    factor = np.arange(len(levels))
    np.testing.assert_array_equal(groups_of(levels, factor), factor)


def test_the_judge_reads_planted_factors_off_images_that_it_has_not_seen(judge, images):
    groups, probabilities = most_probable(judge.probabilities(floats(images.test)))
    np.testing.assert_array_equal(groups[:, 0], images.factors_test[:, 0])
    assert judge.accuracy["hair"] == 1
    truth = judge.grouped(images.factors_test)
    np.testing.assert_array_equal(truth[:, 1], images.factors_test[:, 1] // 2)
    assert judge.accuracy["grey"] == np.mean(groups[:, 1] == truth[:, 1])
    assert probabilities.min() >= 0.2  # of the most probable of at most five


def test_some_images_keep_their_first_principal_components_alone():
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 256, (300, 64), dtype=np.uint8)
    blur, pixels = Blur(rows), floats(rows)
    after = blur(pixels.copy(), rng)
    changed = np.any(after != pixels, axis=1)
    assert 60 < changed.sum() < 120  # 0.3 of 300, within four standard errors
    codes, before = (blur.pca.transform(part[changed]) for part in (after, pixels))
    kept = np.abs(codes) > 1e-4
    np.testing.assert_allclose(codes[kept], before[kept], atol=1e-4)
    n_kept = kept.shape[1] - np.argmax(kept[:, ::-1], axis=1)
    lost = np.arange(kept.shape[1]) >= n_kept[:, None]
    assert np.all(kept | lost | (np.abs(before) < 1e-3))
    assert n_kept.min() <= 5
    assert n_kept.max() == 64
    assert blur(pixels[:0], rng).shape == (0, 64)


def test_what_is_read_of_an_image_does_not_depend_on_others(judge, images):
    pixels = floats(images.test)
    alone = judge.features(pixels[:1])
    assert alone.shape == (1, 128)
    np.testing.assert_allclose(judge.features(pixels)[:1], alone, rtol=1e-4, atol=1e-5)
    for part in judge.probabilities(pixels):
        np.testing.assert_allclose(part.sum(1), 1, rtol=1e-6)


def test_a_judge_is_trained_once_and_kept(images, tmp_path, monkeypatch):
    trained = Judge.trained
    monkeypatch.setattr(Judge, "trained", lambda images: trained(images, n_epochs=1))
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    judge = fetch_judge(images, tmp_path)
    assert torch.equal(torch.random.get_rng_state(), before)
    again = trained(images, n_epochs=1)
    monkeypatch.setattr(Judge, "trained", None)
    kept = fetch_judge(images, tmp_path)
    pixels = floats(images.test)
    for other in (again, kept):
        np.testing.assert_array_equal(other.features(pixels), judge.features(pixels))
    assert kept.accuracy == judge.accuracy
    assert len(list(tmp_path.iterdir())) == 1


def test_other_factors_of_the_same_images_have_another_judge(images, tmp_path, monkeypatch):
    monkeypatch.setattr(Judge, "trained", lambda images: images.factors_train)
    others = [
        replace(images, factors_train=images.factors_train[::-1]),
        replace(images, factors_test=images.factors_test[::-1]),
        replace(images, factor_levels=(("none", "bun", "bob", "fro"), images.factor_levels[1])),
        replace(images, factor_names=("hair", "tone")),
    ]
    for number, other in enumerate((images, *others), start=1):
        np.testing.assert_array_equal(fetch_judge(other, tmp_path), other.factors_train)
        assert len(list(tmp_path.iterdir())) == number


def test_a_judge_that_is_not_whole_is_not_there(images, tmp_path, monkeypatch):
    names = []

    def dump(judge, path):
        names.append(path.name)
        raise KeyboardInterrupt

    monkeypatch.setattr(Judge, "trained", lambda images: None)
    monkeypatch.setattr("joblib.dump", dump)
    with pytest.raises(KeyboardInterrupt):
        fetch_judge(images, tmp_path)
    assert f".{os.getpid()}." in names[0]  # another process writes another file
    assert list(tmp_path.iterdir()) == []


def test_images_without_factors_have_no_judge(tmp_path):
    X, _ = pictures(20, 0)
    assert fetch_judge(Images("plain", (SIDE, SIDE, 1), X, X, []), tmp_path) is None
    assert list(tmp_path.iterdir()) == []
