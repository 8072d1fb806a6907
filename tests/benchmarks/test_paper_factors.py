import numpy as np
import pytest
from _paper_errors import N_GROUPS
from _paper_factors import Feature, features_of, figure_rows, name_dimensions
from _paper_readings import chance, interventions, legibility
from made_up_images import N_LEVELS, STEP, Decoder, Judge, grid, images_of, names
from sklearn.metrics import roc_auc_score

FACTORS = grid(4)
BALDNESS = Feature("baldness", 0, np.array([0]))
# One code a factor, in another order and with other signs and scales.
ALONE = np.array([[0, 0, -2.0, 0], [1, 0, 0, 0], [0, 0, 0, 0.5], [0, -1, 0, 0]])
# Sum and difference of hair and skin; the others keep a code each.
ROTATED = np.array([[1.0, 1, 0, 0], [1, -1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])


def moved(mixing, features=()):
    decoder = Decoder(mixing)
    codes = decoder.transform(FACTORS)
    naming = name_dimensions(codes, FACTORS, names(4), features)
    return naming, interventions(decoder, Judge(4), codes, codes, naming, features)(None)


def test_one_code_a_factor_changes_it_alone():
    naming, of_name = moved(ALONE)
    assert naming.gap == pytest.approx(1)
    assert naming.n_found == 4
    for name, dimension in zip(names(4), (1, 3, 0, 2), strict=True):
        assert naming.of_factor(name) == {
            "dimension": dimension,
            "information": pytest.approx(np.log(N_LEVELS)),
            "gap": pytest.approx(1),
        }
        assert naming.of_dimension(dimension) == name
        assert of_name[name] == {
            "dimension": dimension,
            "moved": 1,
            "changed": 1,
            "alone": 1,
            "others": 0,
        }


def test_rotated_codes_change_two_factors_and_have_no_gap():
    naming, of_name = moved(ROTATED)
    np.testing.assert_allclose(naming.gaps, [0, 0, 1, 1], atol=1e-12)
    assert naming.gap == pytest.approx(0.5)
    assert naming.n_found == 2
    for name in ("hair", "skin"):
        assert of_name[name]["changed"] == 1
        assert of_name[name]["alone"] == 0
        assert of_name[name]["others"] == 1
    for name in ("tilt", "mouth"):
        assert of_name[name]["alone"] == 1


def test_a_feature_and_its_factor_are_not_others_to_each_other():
    naming, of_name = moved(ALONE, [BALDNESS])
    assert naming.names == (*names(4), "baldness")
    assert naming.gap == pytest.approx(1)  # of factors alone
    assert naming.of_factor("baldness")["dimension"] == naming.of_factor("hair")["dimension"] == 1
    assert naming.of_dimension(1) == "hair"
    assert of_name["hair"]["alone"] == 1
    assert of_name["baldness"] == of_name["hair"]
    _, of_name = moved(ROTATED, [BALDNESS])
    assert of_name["baldness"]["alone"] == 0
    assert of_name["baldness"]["others"] == 1


def test_a_code_that_the_decoder_does_not_hear_changes_nothing():
    decoder = Decoder(ALONE)
    codes = decoder.transform(FACTORS)
    decoder.mixing = np.zeros((4, 4))  # and its pseudo-inverse: every image is black
    naming = name_dimensions(codes, FACTORS, names(4))
    of_name = interventions(decoder, Judge(4), codes, codes, naming)(None)
    assert {
        tuple(row[key] for key in ("moved", "changed", "alone", "others"))
        for row in of_name.values()
    } == {(0,) * 4}


def test_a_change_counts_only_where_the_judge_is_sure():
    class Unsure(Judge):
        def probabilities(self, pixels):
            return [0.3 * part + 0.175 for part in super().probabilities(pixels)]

    decoder = Decoder(ALONE)
    codes = decoder.transform(FACTORS)
    naming = name_dimensions(codes, FACTORS, names(4))
    of_name = interventions(decoder, Unsure(4), codes, codes, naming)(None)
    assert {row["changed"] for row in of_name.values()} == {0}


def test_a_planted_dimension_is_named_after_its_factor():
    rng = np.random.default_rng(0)
    factors = rng.integers(0, N_LEVELS, (2_000, 4))
    codes = rng.standard_normal((2_000, 6))
    codes[:, 4] = factors[:, 2] + 0.3 * rng.standard_normal(2_000)
    codes[:, 5] = 1.5  # says nothing
    naming = name_dimensions(codes, factors, names(4))
    assert naming.of_factor("tilt")["dimension"] == 4
    assert naming.of_dimension(4) == "tilt"
    assert naming.of_dimension(5) is None
    assert naming.n_found == 1


def test_rows_of_a_figure_are_those_wanted_and_a_factor_comes_after_its_feature():
    codes = Decoder(ALONE).transform(FACTORS)
    naming = name_dimensions(codes, FACTORS, names(4), [BALDNESS])
    assert figure_rows(naming, 9) == ["baldness", "skin", "tilt", "mouth", "hair"]
    assert figure_rows(naming, 3, wanted=("nothing", "mouth")) == ["mouth", "skin", "tilt"]
    naming = name_dimensions(codes, FACTORS, names(4))
    assert figure_rows(naming, 2) == ["hair", "skin"]


def test_the_judge_reads_all_of_real_images_and_nothing_of_equal_ones():
    pixels = STEP * FACTORS / 255
    read = legibility(Judge(4), pixels, FACTORS, [BALDNESS])(None)
    bald, others = N_LEVELS**3, 3 * N_LEVELS**3
    expected = {"auc": 1, "chance": chance(bald, others), "recall": 1, "false": 0}
    assert read == {
        "legible": dict.fromkeys(names(4), 1),
        "legible_features": {"baldness": expected},
    }
    read = legibility(Judge(4), np.full_like(pixels, STEP / 255), FACTORS, [BALDNESS])(None)
    assert read == {
        "legible": dict.fromkeys(names(4), 0.25),
        "legible_features": {"baldness": expected | {"auc": 0.5, "recall": 0}},
    }


def test_readings_without_a_group_are_those_of_the_other_images():
    rng = np.random.default_rng(0)
    factors, shown = rng.integers(0, N_LEVELS, (2, 105, 4))
    others = np.arange(105) % N_GROUPS != 3
    of_all = legibility(Judge(4), STEP * shown / 255, factors, [BALDNESS])
    of_others = legibility(Judge(4), STEP * shown[others] / 255, factors[others], [BALDNESS])
    assert of_all(3) == of_others(None) != of_all(None)
    decoder = Decoder(ROTATED)
    codes = decoder.transform(factors)
    naming = name_dimensions(codes, factors, names(4))
    spread = np.ones((9, 4))  # nothing changes where a code is 1 already
    of_all, of_others = (
        interventions(decoder, Judge(4), codes[rows], spread, naming)
        for rows in (np.arange(105), others)
    )
    assert of_all(3) == of_others(None) != of_all(None)


@pytest.mark.long
def test_a_share_of_readings_by_chance_is_below_chance():
    rng = np.random.default_rng(0)
    has = np.arange(400) < 40
    areas = [roc_auc_score(has, rng.random(400)) for _ in range(2_000)]
    # 0.975, within four standard errors of a share of 2,000.
    assert np.mean(np.array(areas) <= chance(40, 360)) == pytest.approx(0.975, abs=0.014)


def test_one_image_far_out_does_not_change_the_gap():
    rng = np.random.default_rng(0)
    factors = rng.integers(0, N_LEVELS, (2_000, 4))
    codes = factors + 0.3 * rng.standard_normal((2_000, 4))
    expected = name_dimensions(codes, factors, names(4)).gap
    codes[7] = 1e6
    assert expected > 0.5
    assert name_dimensions(codes, factors, names(4)).gap == pytest.approx(expected, abs=0.002)


def test_features_are_those_that_images_have_and_that_vary():
    images = images_of(FACTORS, FACTORS)
    features = features_of(images)
    assert list(features) == ["baldness"]
    np.testing.assert_array_equal(features["baldness"].of(FACTORS), FACTORS[:, 0] == 0)
    assert features_of(images_of(FACTORS, FACTORS[FACTORS[:, 0] > 0])) == {}


def test_features_of_two_levels_may_be_the_lack_of_what_is_named():
    images = images_of(FACTORS[:, :2] % 2, FACTORS[:, :2] % 2)
    images = type(images)(
        **{
            **vars(images),
            "factor_names": ("No_Beard", "Eyeglasses"),
            "factor_levels": (("no", "yes"), ("no", "yes")),
        }
    )
    features = features_of(images)
    assert list(features) == ["any glasses", "any beard"]
    np.testing.assert_array_equal(
        features["any beard"].of(images.factors_test), images.factors_test[:, 0] == 0
    )
    np.testing.assert_array_equal(
        features["any glasses"].of(images.factors_test), images.factors_test[:, 1] == 1
    )
