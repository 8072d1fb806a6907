"""Curves on rows held out: validation rows, splits, and the scorers that see them."""

import numpy as np
import pandas as pd
import pytest
from curves import BETAS, NUMBERS, assert_equal, assert_measures
from scipy.sparse import csr_array
from sklearn.model_selection import KFold, StratifiedKFold

from skvae.model_selection import beta_curve


def test_it_measures_on_validation_rows(vae, table):
    train, test = table[:300], table[300:]
    curve = beta_curve(vae, train, betas=BETAS, X_val=test, return_estimators=True)
    for place, fitted in enumerate(curve.estimators):
        assert fitted.n_samples_seen_ == 300
        assert_measures(curve, place, fitted, test)


@pytest.mark.parametrize("warm_start", [True, False])
def test_every_split_is_a_curve_on_its_test_rows(warm_start, vae, table):
    cv = KFold(3, shuffle=True, random_state=0)
    settings = {"betas": BETAS, "warm_start": warm_start}
    curve = beta_curve(vae, table, cv=cv, return_estimators=True, **settings)
    assert curve.kl_per_dimension.shape == (3, 3, 3)
    assert curve.estimators.shape == curve.elbo.shape == (3, 3)
    for split, (train, test) in enumerate(cv.split(table)):
        of_split = beta_curve(vae, table[train], X_val=table[test], **settings)
        for name in NUMBERS:
            expected = getattr(of_split, name)
            np.testing.assert_array_equal(getattr(curve, name)[:, split], expected, err_msg=name)


@pytest.mark.parametrize("convert", [csr_array, pd.DataFrame, np.ndarray.tolist])
def test_splits_of_any_container_are_the_same(convert, vae, table):
    expected = beta_curve(vae, table, betas=BETAS, cv=2)
    assert_equal(beta_curve(vae, convert(table), betas=BETAS, cv=2), expected)


def test_labels_reach_the_splits_and_the_scorers(vae, table):
    y = np.repeat([0, 1], 200)

    def ones(estimator, X, y):
        return y.mean()

    curve = beta_curve(vae, table, y, betas=[1.0], cv=StratifiedKFold(2), scoring=ones)
    np.testing.assert_array_equal(curve.scores["score"], [[0.5, 0.5]])


def test_scoring_takes_what_cross_validate_takes(vae, table):
    def error(estimator, X):
        return -estimator.reconstruction_error(X).mean()

    curve = beta_curve(vae, table, betas=BETAS, scoring=error, return_estimators=True)
    expected = [error(fitted, table) for fitted in curve.estimators]
    assert list(curve.scores) == ["score"]
    np.testing.assert_array_equal(curve.scores["score"], expected)

    def elbo(estimator, X, y=None):
        return estimator.score(X)

    for scoring in (
        {"kl": error, "elbo": elbo},
        lambda e, X: {"kl": error(e, X), "elbo": e.score(X)},
    ):
        curve = beta_curve(vae, table, betas=BETAS, scoring=scoring, cv=2)
        assert list(curve.scores) == ["kl", "elbo"]  # no matter that measures have these names
        np.testing.assert_array_equal(curve.scores["elbo"], curve.elbo)
    assert beta_curve(vae, table, betas=[1.0]).scores == {}


def test_it_turns_into_a_frame_with_a_row_for_each_value_and_split(vae, table):
    curve = beta_curve(vae.set_params(max_epochs=1), table, betas=BETAS, cv=2)
    frame = curve.to_frame()
    assert frame["split"].tolist() == [0, 1] * 3
    for place, beta in enumerate(BETAS):
        for split in range(2):
            (row,) = frame[(frame["beta"] == beta) & (frame["split"] == split)].to_dict("records")
            assert row["elbo"] == curve.elbo[place, split]
            assert row["kl_z2"] == curve.kl_per_dimension[place, split, 2]
