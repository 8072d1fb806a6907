"""Where scikit-learn has no callbacks, a fit is the same."""

import importlib
import sys

import numpy as np
from sklearn.model_selection import GridSearchCV

from skvae import VAETransformer


def make(Estimator):
    return Estimator(2, hidden_layer_sizes=(8,), max_epochs=4, random_state=0)


def test_a_release_without_them_is_no_worse(table, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "skvae"]:
        monkeypatch.delitem(sys.modules, name)
    with monkeypatch.context() as absent:
        absent.setitem(sys.modules, "sklearn.callback", None)
        bare = importlib.import_module("skvae").VAETransformer
    try:
        assert bare is not VAETransformer
        assert not hasattr(bare, "set_callbacks")
        fitted, usual = make(bare).fit(table), make(VAETransformer).fit(table)
        np.testing.assert_array_equal(fitted.reconstruct(table), usual.reconstruct(table))
        assert fitted.history_.keys() == usual.history_.keys()
        for name, values in usual.history_.items():
            np.testing.assert_array_equal(fitted.history_[name], values, name)
        search = GridSearchCV(make(bare), {"lr": [1e-3, 1e-2]}, cv=2).fit(table)
        assert search.best_estimator_.partial_fit(table).n_iter_ == 5
    finally:  # before monkeypatch puts back those that it removed
        for name in [name for name in sys.modules if name.partition(".")[0] == "skvae"]:
            del sys.modules[name]
