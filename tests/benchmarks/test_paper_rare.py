from dataclasses import replace

import numpy as np
import pytest
from _paper_factors import Feature, features_of
from _paper_rare import rare_and_common, read_over_betas, shares_reached
from _paper_readings import legibility
from made_up_images import STEP, Judge, grid, images_of


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    return images_of(rng.integers(0, 4, (4_000, 3)), rng.integers(0, 4, (500, 3)))


def test_a_feature_becomes_rare_in_training_alone(images):
    rare, common = rare_and_common(images, features_of(images).values())
    baldness = features_of(images)["baldness"]
    assert baldness.of(rare.factors_train).mean() == pytest.approx(0.03, abs=0.005)
    assert baldness.of(common.factors_train).mean() == pytest.approx(0.25, abs=0.02)
    for other in (rare, common):
        assert len(other.train) == len(images.train)
        np.testing.assert_array_equal(other.train, STEP * other.factors_train)
        assert other.test is images.test
        assert other.factors_test is images.factors_test
    assert (rare.name, common.name) == ("made-up-rare", "made-up-common")


def test_both_have_as_many_different_images(images):
    pixels = np.arange(4_000, dtype=np.int32).view(np.uint8).reshape(4_000, 4)
    numbered = type(images)(**{**vars(images), "train": pixels})
    rare, common = rare_and_common(numbered, features_of(images).values())
    counts = [np.unique(each.train, axis=0, return_counts=True)[1] for each in (rare, common)]
    n_lacking = (images.factors_train[:, 0] > 0).sum()
    assert len(counts[0]) == len(counts[1]) == n_lacking + round(0.03 / 0.97 * n_lacking)
    assert all(np.ptp(count) <= 1 for count in counts)


def test_several_features_are_rare_at_once(images):
    features = [Feature(f"f{place}", place, np.array([2, 3])) for place in range(3)]
    rare, _ = rare_and_common(images, features, share=0.1)
    shares = [feature.of(rare.factors_train).mean() for feature in features]
    np.testing.assert_allclose(shares, 0.1, atol=0.03)


def test_what_is_rarer_already_stays(images):
    rare, common = rare_and_common(images, features_of(images).values(), share=0.5)
    for other in (rare, common):
        np.testing.assert_array_equal(np.sort(other.train, axis=0), np.sort(images.train, axis=0))


def test_rare_and_common_are_compared_beta_by_beta():
    rare, common = (
        [{"legible_features": {"baldness": {"recall": value, "auc": 1}}} for value in values]
        for values in ((0.75, 0.25), (1.0, 0.75))
    )
    assert read_over_betas(rare, common, "recall") == {
        "baldness": {"rare": [0.75, 0.25], "common": [1.0, 0.75], "lost_to_rarity": [0.25, 0.5]}
    }
    assert read_over_betas(rare, common)["baldness"]["lost_to_rarity"] == [0, 0]


def test_a_reader_that_sees_a_feature_everywhere_loses_it():
    class Always(Judge):
        def probabilities(self, pixels):
            return [np.tile([0.9, 0.1, 0, 0], (len(pixels), 1))] * 3

    factors = grid(3)
    baldness = Feature("baldness", 0, np.array([0]))
    seen, always = (
        legibility(judge(3), STEP * factors / 255, factors, [baldness])(None)
        for judge in (Judge, Always)
    )
    of_rare = read_over_betas([always], [seen])["baldness"]
    assert of_rare == {"rare": [0.5], "common": [1.0], "lost_to_rarity": [0.5]}
    assert read_over_betas([always], [seen], "recall")["baldness"]["lost_to_rarity"] == [0]
    assert read_over_betas([always], [seen], "false")["baldness"]["rare"] == [1]


def test_the_shares_reached_and_the_different_images_are_counted(images):
    features = features_of(images).values()
    rare, _ = rare_and_common(images, features)
    reached = shares_reached(rare, features)
    assert reached["distinct"] == len(np.unique(rare.train, axis=0)) <= 64
    assert reached["shares"] == {"baldness": np.mean(rare.factors_train[:, 0] == 0)}
    pixels = np.arange(4_000, dtype=np.int32).view(np.uint8).reshape(4_000, 4)
    numbered = replace(images, train=pixels)
    rare, common = rare_and_common(numbered, features)
    n_lacking = (images.factors_train[:, 0] > 0).sum()
    for other in (rare, common):
        expected = n_lacking + round(0.03 / 0.97 * n_lacking)
        assert shares_reached(other, features)["distinct"] == expected
