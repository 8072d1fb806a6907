import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_factors import noise, sampled_factors, with_last_two_turned

from skvae.metrics import dci_score
from skvae.metrics.dci import _concentration, _disentanglement

FACTORS = sampled_factors(900, (3, 4, 8))
PARTS = ["disentanglement", "completeness", "informativeness"]


def details(factors, codes, **options):
    return dci_score(factors, codes, details=True, random_state=0, **options)


def refused(sentence, factors, codes, **options):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        dci_score(factors, codes, **options)


# ------------------------------------------------------------------------------- importances


def leak(size, own):
    other = (1 - own) / (size - 1)
    return np.where(np.eye(size) > 0, own, other)


def turned(size):
    """Two of the factors half in each of two codes."""
    importances = np.eye(size)
    importances[:2, :2] = 0.5
    return importances


@pytest.mark.parametrize(
    ("importances", "disentanglement", "completeness"),
    [
        (np.diag([1.0, 2.0, 3.0]), 1, 1),
        (np.eye(4)[[2, 0, 3, 1]], 1, 1),
        ([[1, 0], [0, 1], [0, 0]], 1, 1),
        (np.repeat(np.eye(3), 2, axis=0) / 2, 1, 1 - np.log(2) / np.log(6)),
        (np.zeros((3, 2)), 0, 0),
        (leak(2, 0.75), 0.188722, 0.188722),
        (leak(5, 0.8), 0.516812, 0.516812),
        (turned(3), (2 * (1 - np.log(2) / np.log(3)) + 1) / 3, None),
        (turned(5), (2 * (1 - np.log(2) / np.log(5)) + 3) / 5, None),
        ([[1, 1, 1]], 0, 1),
    ],
)
def test_closed_forms(importances, disentanglement, completeness):
    importances = np.array(importances, dtype=float)
    per_code, weights = _disentanglement(importances)
    assert weights @ per_code == pytest.approx(disentanglement, abs=1e-6)
    completeness = disentanglement if completeness is None else completeness
    assert _concentration(importances, axis=0).mean() == pytest.approx(completeness, abs=1e-6)


def test_one_code_of_two_factors_has_less_and_counts_by_its_importance():
    per_code, weights = _disentanglement(np.array([[1.0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]))
    np.testing.assert_allclose(per_code, [1 - np.log(2) / np.log(4), 1, 1])
    np.testing.assert_allclose(weights, [0.5, 0.25, 0.25])


# ------------------------------------------------------------------------------- codes


@pytest.mark.parametrize("nominal", [None, [0]])
@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]])
def test_perfect_codes_have_1_of_all_three(order, nominal):
    found = details(FACTORS, FACTORS[:, order] * [1.0, -2.0, 0.1], nominal=nominal)
    assert [found[part] for part in PARTS] == pytest.approx([1, 1, 1], abs=1e-4)
    np.testing.assert_allclose(found.importances, np.eye(3)[order], atol=1e-4)
    np.testing.assert_allclose(found.code_weights, 1 / 3, atol=1e-4)


def test_noise_and_constant_codes_do_not_spoil_perfect_ones():
    codes = np.hstack([FACTORS, noise(900, 3), np.full((900, 1), 7.0)])
    found = details(FACTORS, codes)
    assert [found[part] for part in PARTS] == pytest.approx([1, 1, 1], abs=1e-3)
    np.testing.assert_array_equal(found.importances[6], 0)
    assert (found.per_code[6], found.code_weights[6]) == (0, 0)


def test_codes_held_twice_are_disentangled_and_half_complete():
    found = details(FACTORS, np.hstack([FACTORS, FACTORS]))
    assert found.disentanglement == pytest.approx(1, abs=1e-4)
    assert found.completeness == pytest.approx(1 - np.log(2) / np.log(6), abs=0.03)


def test_two_factors_turned_by_45_degrees():
    factors = sampled_factors(3000, (4, 8, 8))
    found = details(factors, with_last_two_turned(factors, np.pi / 4))
    expected = (2 * (1 - np.log(2) / np.log(3)) + 1) / 3
    assert found.disentanglement == pytest.approx(expected, abs=0.01)
    assert found.completeness == pytest.approx(expected, abs=0.01)
    assert found.informativeness > 0.98


def test_a_dropped_factor_is_not_told():
    found = details(FACTORS, FACTORS[:, 1:])
    np.testing.assert_allclose(found.informativeness_per_factor, [0, 1, 1], atol=1e-4)
    np.testing.assert_allclose(found.completeness_per_factor[1:], 1, atol=1e-4)


def test_noise_tells_nothing():
    found = details(FACTORS, noise(900, 4), nominal=[0])
    assert found.disentanglement < 0.05
    assert found.completeness < 0.05
    assert found.informativeness < 0.03


def test_dead_codes_have_0_of_all_three():
    found = details(FACTORS, np.ones((900, 2)), nominal=[0])
    assert [found[part] for part in PARTS] == [0, 0, 0]
    np.testing.assert_array_equal(found.importances, 0)


def test_one_code_is_complete():
    found = details(FACTORS, FACTORS[:, [2]])
    np.testing.assert_array_equal(found.completeness_per_factor, 1)


def test_the_balanced_accuracy_of_a_nominal_factor_is_0_by_chance_and_blind_to_shares():
    rng = np.random.default_rng(0)
    rare = (rng.random(900) < 0.1).astype(int)
    codes = np.c_[FACTORS[:, 0], noise(900, 1)]
    found = details(np.c_[FACTORS[:, 0], rare], codes, nominal=[0, 1])
    assert found.informativeness_per_factor[0] == 1
    assert found.informativeness_per_factor[1] < 0.2
    flavored = details(np.c_[FACTORS[:, 0], rare], codes, flavor="disentanglement_lib")
    assert flavored.informativeness_per_factor[1] == pytest.approx(1 - rare.mean(), abs=0.05)


def test_the_other_flavor_weighs_completeness_by_the_factors_importance():
    factors = FACTORS[:300, :2]
    found = details(factors, np.ones((300, 2)), flavor="disentanglement_lib")
    assert found.completeness == 0
    perfect = details(factors, factors, flavor="disentanglement_lib")
    assert [perfect[part] for part in PARTS] == pytest.approx([1, 1, 1], abs=1e-4)


def test_the_score_is_the_part_asked_for():
    codes = FACTORS[:300] + 0.5 * noise(300, 3)
    found = details(FACTORS[:300], codes)
    scores = [dci_score(FACTORS[:300], codes, part=part, random_state=0) for part in PARTS]
    assert scores == [found[part] for part in PARTS]
    assert len(set(scores)) == 3
    assert all(isinstance(score, float) for score in scores)
    assert found.score == found.disentanglement
    assert details(FACTORS[:300], codes, part="completeness").score == scores[1]


def test_an_int_reproduces_the_score():
    codes = FACTORS[:300] + noise(300, 3)
    state = np.random.get_state()[1].copy()
    first, again, other = (
        dci_score(FACTORS[:300], codes, nominal=[1], random_state=seed) for seed in (0, 0, 1)
    )
    assert first == again != other
    np.testing.assert_array_equal(np.random.get_state()[1], state)


@settings(max_examples=8, deadline=None)
@given(exponents=st.lists(st.integers(-60, 60), min_size=3, max_size=3))
def test_scale_does_not_matter(exponents):
    codes = FACTORS[:120] + 0.5 * noise(120, 3)
    scaled = dci_score(FACTORS[:120], codes * 2.0 ** np.array(exponents), random_state=0)
    assert scaled == dci_score(FACTORS[:120], codes, random_state=0)


def test_an_offset_and_the_units_of_factors_do_not_matter():
    codes = FACTORS[:300] + 0.25 * noise(300, 3)
    expected = dci_score(FACTORS[:300], codes, random_state=0)
    moved = dci_score(FACTORS[:300] * 2.0**-40, codes + 2.0**30, random_state=0)
    assert moved == pytest.approx(expected, abs=0.01)


# ------------------------------------------------------------------------------- errors


def test_a_nominal_level_of_one_row_is_refused():
    factors = FACTORS[:90].copy()
    factors[0, 1] = 9
    refused(
        "dci_score needs at least two rows of each level of a factor that it classifies. Got a "
        "level with one row in column 1 instead. Give more rows.",
        factors,
        factors,
        nominal=[1],
    )
    assert dci_score(factors, factors, random_state=0) > 0.9


def test_too_few_rows_are_refused():
    refused(
        "dci_score needs at least 6 rows, a third of which is held out. Got 5 instead. Give more "
        "rows.",
        [[0, 1], [1, 0], [2, 2], [3, 4], [4, 3]],
        np.eye(5),
    )
    six = np.array([[0, 1], [1, 0], [2, 2], [3, 4], [4, 3], [5, 5]])
    assert 0 <= dci_score(six, six, random_state=0) <= 1


def test_one_factor_alone_is_refused():
    refused(
        "dci_score needs at least 2 factors, to tell one from another. Got 1 instead. Give more "
        "columns.",
        FACTORS[:, :1],
        FACTORS,
    )


@pytest.mark.parametrize("options", [{"part": "modularity"}, {"flavor": "qedr"}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match=f"The '{next(iter(options))}' parameter of dci_score"):
        dci_score(FACTORS, FACTORS, **options)
