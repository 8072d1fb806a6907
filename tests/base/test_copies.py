"""Pickles, deep copies and files of joblib answer as what they were made of."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from small_transformers import ESTIMATORS, Doubler, copies, every_estimator, small

from skvae import VAETransformer


@pytest.mark.parametrize(
    "estimator",
    [
        *(small(Estimator) for Estimator in ESTIMATORS),
        small(VAETransformer, noise_variance="per-feature"),
        small(VAETransformer, likelihood="bernoulli"),
        small(VAETransformer, encoder=Doubler, decoder=Doubler),
    ],
    ids=lambda e: type(e).__name__,
)
def test_copies_give_the_same_results(estimator, table, tmp_path):
    X = (table - table.min()) / np.ptp(table)
    fitted = clone(estimator).fit(X)
    fitted.set_params(n_components=5, hidden_layer_sizes=(3, 3))  # not those it was fitted with
    for _, copied in copies(fitted, tmp_path):
        for data in (X, X.astype(np.float32)):
            np.testing.assert_array_equal(copied.transform(data), fitted.transform(data))
            np.testing.assert_array_equal(copied.score_samples(data), fitted.score_samples(data))
        np.testing.assert_array_equal(
            copied.sample(3, random_state=0), fitted.sample(3, random_state=0)
        )
        np.testing.assert_array_equal(copied.net_.predict(X), fitted.net_.predict(X))
        assert copied.net_.history[-1, "train_loss"] == fitted.net_.history[-1, "train_loss"]
        assert copied.get_params() == fitted.get_params()
    assert not hasattr(clone(fitted), "net_")


@pytest.mark.filterwarnings("ignore:The divergence must be below")  # after an epoch
@every_estimator
def test_a_pickle_holds_little_more_than_the_weights(Estimator, digits):
    fitted = Estimator(max_epochs=3, random_state=np.random.RandomState(0)).fit(digits)
    n_weights = sum(weights.numel() for weights in fitted.net_.module_.parameters())
    assert len(pickle.dumps(fitted)) <= 1.3 * 4 * n_weights


def test_a_pickle_of_another_version_warns(table):
    fitted = small(VAETransformer).fit(table)
    state = fitted.__getstate__()
    state["_skvae_version"] = "0.0.1"
    with pytest.warns(UserWarning, match=r"^VAETransformer was pickled by skvae 0\.0\.1 and is "):
        VAETransformer.__new__(VAETransformer).__setstate__(state)
