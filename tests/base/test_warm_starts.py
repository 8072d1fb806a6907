"""A warm start goes on where the fit before it ended, or leaves all as it was."""

import pickle

import numpy as np
import pytest
import torch
from sentences import exactly
from skorch.callbacks import Freezer
from small_transformers import every_estimator, small

from skvae import VAETransformer


@every_estimator
def test_warm_starts_add_up_to_one_long_fit(Estimator, table):
    # The learned variance of two fits is that of one from the third epoch on: it is set
    # exactly between them, and the running one kept.
    long = small(Estimator, max_epochs=4, batch_size=100).fit(table)
    short = small(Estimator, max_epochs=2, batch_size=100, warm_start=True)
    short.fit(table).fit(table)
    assert short.n_iter_ == 4
    for name in long.history_:
        np.testing.assert_allclose(short.history_[name], long.history_[name], rtol=1e-6)
    np.testing.assert_allclose(short.transform(table), long.transform(table), rtol=1e-6)


def test_a_warm_start_that_fails_leaves_the_state_before_it(table):
    fitted = small(VAETransformer, warm_start=True).fit(table)
    expected = fitted.transform(table)
    for X, error in ((np.full((4, 6), np.nan), "NaN"), (table[:, :3], "features")):
        with pytest.raises(ValueError, match=error):
            fitted.fit(X)
    with pytest.raises(ValueError, match="finite"):
        fitted.set_params(lr=1e20).fit(table)
    np.testing.assert_array_equal(fitted.transform(table), expected)
    assert fitted.n_iter_ == 2


def test_a_warm_start_cannot_change_the_network(table):
    fitted = small(VAETransformer, warm_start=True).fit(table).set_params(n_components=3)
    sentence = (
        "Further training needs n_components=2, with which the network was built. Got 3 instead. "
        "Set it back, or call fit with warm_start=False."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        fitted.fit(table)
    assert fitted.transform(table).shape == (400, 2)


def test_a_pickled_warm_start_goes_on_as_if_never_pickled(table):
    fitted = small(VAETransformer, warm_start=True).fit(table)
    copied = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(
        fitted.fit(table).transform(table), copied.fit(table).transform(table)
    )


def test_a_warm_start_with_early_stopping_keeps_its_validation_rows_and_its_best(table):
    settings = {"early_stopping": True, "warm_start": True, "max_epochs": 3}
    fitted = small(VAETransformer, **settings).fit(table)
    seed, score = fitted._split_seed_, fitted.score(table)
    fitted.set_params(lr=3.0).fit(table)  # far too large: every epoch is worse than the start
    assert fitted._split_seed_ == seed
    assert fitted.score(table) > score - 1


def test_a_warm_start_with_another_optimizer_starts_without_state(table):
    for before, after in (("adam", "sgd"), ("sgd", "adam"), ("adam", torch.optim.Adagrad)):
        fitted = small(VAETransformer, warm_start=True, optimizer=before).fit(table)
        assert fitted.set_params(optimizer=after).fit(table).n_iter_ == 4


def test_what_a_callback_froze_is_free_in_the_next_fit(table):
    fitted = small(VAETransformer, warm_start=True, callbacks=[Freezer("encoder.*")]).fit(table)
    frozen = fitted.net_.module_.encoder.layers[0].weight.detach().clone()
    fitted.set_params(callbacks=None).fit(table)
    assert not torch.equal(fitted.net_.module_.encoder.layers[0].weight, frozen)
