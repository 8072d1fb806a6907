import numpy as np
import pytest
from hypothesis import given, settings
from known_factors import noise, relabellings, sampled_factors, with_last_two_turned

from skvae.metrics import beta_vae_score, factor_vae_score
from skvae.metrics.interventions import _differences, _Siblings

BOTH = pytest.mark.parametrize("score", [beta_vae_score, factor_vae_score])
FEW = {"n_train": 1000, "n_test": 1000, "random_state": 0}
FACTORS = sampled_factors(10_000)


@BOTH
@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [3, 1, 4, 0, 2]])
def test_a_perfect_code_has_score_1(score, order):
    details = score(FACTORS, FACTORS[:, order] * [1.0, -2.0, 1e-3, 1.0, 1e3], details=True, **FEW)
    assert details.score == 1
    np.testing.assert_array_equal(details.per_factor, 1)


@BOTH
def test_a_code_held_twice_has_score_1(score):
    assert score(FACTORS, np.hstack([FACTORS, -FACTORS]), **FEW) == 1


def test_the_beta_vae_score_does_not_see_a_dropped_factor():
    assert beta_vae_score(FACTORS, FACTORS[:, 1:], **FEW) == 1


def test_the_factor_vae_score_sees_a_dropped_factor_but_for_codes_of_noise():
    dropped = FACTORS[:, 1:]
    assert factor_vae_score(FACTORS, dropped, **FEW) == pytest.approx(0.8, abs=0.04)
    assert factor_vae_score(FACTORS, np.hstack([dropped, noise(10_000, 6)]), **FEW) > 0.93


@pytest.mark.parametrize(("score", "expected"), [(beta_vae_score, 0.78), (factor_vae_score, 0.81)])
def test_two_factors_turned_by_45_degrees_are_half_confused(score, expected):
    details = score(FACTORS, with_last_two_turned(FACTORS, np.pi / 4), details=True, **FEW)
    assert details.score == pytest.approx(expected, abs=0.05)
    np.testing.assert_array_equal(details.per_factor[:3], 1)
    assert details.per_factor[3:].mean() == pytest.approx(0.5, abs=0.1)


@BOTH
def test_noise_is_guessed(score):
    assert score(FACTORS, noise(10_000, 6), **FEW) == pytest.approx(0.2, abs=0.05)


def test_constant_codes_are_numbers():
    constant = np.full((10_000, 2), 0.1)
    assert beta_vae_score(FACTORS, constant, **FEW) == pytest.approx(0.2, abs=0.04)
    details = factor_vae_score(FACTORS, constant, details=True, **FEW)
    assert details.score == 0
    np.testing.assert_array_equal(details.votes, np.zeros((2, 5)))
    assert factor_vae_score(FACTORS, np.c_[constant, FACTORS], **FEW) == 1


def test_votes_go_to_the_code_that_varies_least_for_its_spread():
    details = factor_vae_score(FACTORS, FACTORS[:, ::-1] * [9.0, 7, 5, 3, 1], details=True, **FEW)
    assert details.votes.sum() == FEW["n_train"]
    assert (details.votes[np.arange(5), [4, 3, 2, 1, 0]] > 0).all()
    assert np.trace(details.votes[:, ::-1]) == FEW["n_train"]


def test_collapsed_codes_have_no_vote_where_stds_tell():
    # A collapsed code's small means follow the first factor, which no other code holds.
    codes = np.c_[FACTORS[:, 1:], 1e-3 * FACTORS[:, :1]]
    stds = np.ones(codes.shape)
    assert factor_vae_score(FACTORS, codes, **FEW) == 1
    details = factor_vae_score(FACTORS, codes, stds=stds, details=True, **FEW)
    assert details.score == pytest.approx(0.8, abs=0.04)
    assert not details.votes[-1].any()
    other = factor_vae_score(FACTORS, codes, flavor="disentanglement_lib", details=True, **FEW)
    assert not other.votes[-1].any()


def test_the_other_flavor_of_the_beta_vae_score_feels_the_unit_of_codes():
    codes = with_last_two_turned(FACTORS, np.pi / 4)
    theirs = {"flavor": "disentanglement_lib", **FEW}
    assert beta_vae_score(FACTORS, codes, **FEW) == beta_vae_score(FACTORS, codes / 64, **FEW)
    assert (
        beta_vae_score(FACTORS, codes / 64, **theirs)
        < beta_vae_score(FACTORS, codes, **theirs) - 0.1
    )


@BOTH
def test_an_int_repeats_the_draws(score):
    codes = with_last_two_turned(FACTORS, np.pi / 4)
    first, same, other = (
        score(FACTORS, codes, n_train=200, n_test=200, random_state=seed) for seed in (0, 0, 1)
    )
    assert first == same != other


@BOTH
def test_rows_drawn_at_once_bound_the_memory_and_change_nothing_else(score, monkeypatch):
    codes = with_last_two_turned(FACTORS, np.pi / 4)
    monkeypatch.setattr("skvae.metrics.interventions.ROWS_AT_ONCE", 640)
    assert score(FACTORS, codes, **FEW) == pytest.approx(0.8, abs=0.05)


def test_siblings_are_every_row_of_the_level_alike():
    factors = np.array([[0, 1, 0, 2, 1, 0]]).T
    siblings = _Siblings(type("", (), {"levels": factors}))
    drawn = siblings.draw(0, np.repeat([[0], [1], [3]], 6000, axis=1), np.random.RandomState(0))
    for rows, equal in zip(drawn, ([0, 2, 5], [1, 4], [3]), strict=True):
        counts = np.bincount(rows, minlength=6)
        np.testing.assert_allclose(counts[equal], 6000 / len(equal), rtol=0.06)
        assert counts.sum() == counts[equal].sum()


@settings(max_examples=8, deadline=None)
@given(change=relabellings(4))
def test_order_sign_and_scale_of_the_codes_do_not_matter(change):
    order, scale = change
    factors = sampled_factors(500, (3, 5, 4))
    codes = noise(500, 4) + np.c_[factors, factors.sum(1)]
    changed = codes[:, order] * scale
    few = {"n_train": 200, "n_test": 200, "random_state": 0}
    assert factor_vae_score(factors, changed, **few) == factor_vae_score(factors, codes, **few)
    expected = beta_vae_score(factors, codes, **few)
    assert beta_vae_score(factors, changed, **few) == pytest.approx(expected, abs=0.01)


@BOTH
@pytest.mark.parametrize("option", ["n_train", "n_test", "flavor"])
def test_options_out_of_range_are_refused(score, option):
    with pytest.raises(ValueError, match=f"The '{option}' parameter of {score.__name__} must be"):
        score(FACTORS, FACTORS, **{option: 0 if option != "flavor" else "kim"})


@pytest.mark.parametrize(
    ("score", "option"), [(beta_vae_score, "n_pairs"), (factor_vae_score, "batch_size")]
)
def test_a_group_of_no_rows_is_refused(score, option):
    with pytest.raises(ValueError, match=f"The '{option}' parameter of {score.__name__} must be"):
        score(FACTORS, FACTORS, **{option: 0})


def test_features_are_mean_distances():
    factors = np.indices((2, 2)).reshape(2, -1).T
    siblings = _Siblings(type("", (), {"levels": factors}))
    features, held = _differences(siblings, 3.0 * factors, 400, 1, np.random.RandomState(0))
    np.testing.assert_array_equal(np.unique(features), [0, 3])
    np.testing.assert_array_equal(features[np.arange(400), held], 0)
    features, held = _differences(siblings, 3.0 * factors, 400, 64, np.random.RandomState(0))
    assert features[np.arange(400), 1 - held].mean() == pytest.approx(1.5, abs=0.05)


def test_the_other_flavor_takes_codes_of_a_std_of_a_twentieth():
    codes = (FACTORS - FACTORS.mean(0)) / FACTORS.std(0) * [0.049, 0.051, 1, 1, 1]
    details = factor_vae_score(FACTORS, codes, flavor="disentanglement_lib", details=True, **FEW)
    np.testing.assert_array_equal(details.votes.any(axis=1), [False, True, True, True, True])


def test_votes_are_of_the_codes_as_given_where_some_have_none():
    codes = np.c_[np.ones(10_000), FACTORS[:, :2], np.zeros(10_000), FACTORS[:, 2:]]
    votes = factor_vae_score(FACTORS, codes, details=True, **FEW).votes
    np.testing.assert_array_equal(np.delete(votes, [0, 3], axis=0) > 0, np.eye(5))
    assert not votes[[0, 3]].any()


def test_levels_have_votes_by_their_shares_of_the_rows():
    factors = np.tile(np.indices((2, 50)).reshape(2, -1).T, (4, 1))
    factors = factors[np.argsort(factors[:, 0], kind="stable")]  # the levels in one half each
    codes = noise(len(factors), 2)
    codes[:200, 0] = codes[200:, 1] = 0  # each code is steady at one level of the first factor
    votes = factor_vae_score(factors, codes, details=True, **FEW).votes
    np.testing.assert_allclose(votes[:, 0] / votes[:, 0].sum(), 0.5, atol=0.1)


@BOTH
def test_the_score_is_a_share_of_the_points_of_the_test(score):
    shares = {
        7 * score(FACTORS, noise(10_000, 3), n_train=100, n_test=7, random_state=seed)
        for seed in range(6)
    }
    assert len(shares) > 1
    np.testing.assert_allclose(sorted(shares), np.rint(sorted(shares)), atol=1e-12)
