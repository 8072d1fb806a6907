"""Subclasses in scikit-learn's style, with a constructor of their own."""

import copy
import pickle

import numpy as np
from small_transformers import copies

from skvae import VAETransformer
from skvae.nn import BetaObjective


class Narrow(VAETransformer):
    """A subclass in scikit-learn's style, with a constructor of its own."""

    def __init__(self, n_components=3, *, random_state=None):
        super().__init__(n_components, random_state=random_state, max_epochs=2)


def test_a_subclass_with_a_narrower_constructor_works(table):
    fitted = Narrow(2, random_state=0).fit(table)
    assert set(fitted.get_params()) == {"n_components", "random_state"}
    copied = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copied.transform(table), fitted.transform(table))


class Weighted(VAETransformer):
    """A subclass in scikit-learn's style, with a parameter of its own that the objective needs."""

    def __init__(self, n_components=10, *, max_epochs=100, warm_start=False, strength=3.0):
        super().__init__(n_components, max_epochs=max_epochs, warm_start=warm_start, random_state=0)
        self.strength = strength

    def _objective(self, n_samples):
        return BetaObjective(self.strength)


def test_a_subclass_whose_objective_has_a_parameter_lives_as_long_as_ours(table, tmp_path):
    fitted = Weighted(2, max_epochs=2, warm_start=True).fit(table)
    fitted.strength = 50.0  # set since: the fitted model is of the one before
    for _, copied in copies(fitted, tmp_path):
        np.testing.assert_array_equal(copied.transform(table), fitted.transform(table))
        assert copied.net_.criterion_.beta == 3.0
        assert copied.strength == 50.0
    other = Weighted(2, max_epochs=1).fit(table)
    other.load_weights(fitted.net_.module_.state_dict(), table)
    np.testing.assert_array_equal(other.transform(table), fitted.transform(table))
    again = copy.deepcopy(fitted).fit(table)
    assert again.n_iter_ == 4
    assert again.net_.criterion_.beta == 50.0
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(again)).fit(table).transform(table),
        again.fit(table).transform(table),
    )


class Blocks(VAETransformer):
    """A subclass with a parameter that can be changed in place."""

    def __init__(self, n_components=2, *, blocks=(8,)):
        super().__init__(n_components, max_epochs=1, random_state=0)
        self.blocks = blocks

    def _network(self, n_features):
        self_with_blocks = copy.copy(self)
        self_with_blocks.hidden_layer_sizes = self.blocks
        return VAETransformer._network(self_with_blocks, n_features)


def test_a_list_that_changes_after_fit_and_what_is_no_parameter_do_not_matter(table):
    blocks = [8, 4]
    fitted = Blocks(blocks=blocks)
    fitted.cache = table.repeat(100, 0)  # neither a parameter nor fitted
    fitted.fit(table)
    del fitted.cache
    blocks.append(3)
    pickled = pickle.dumps(fitted)
    assert len(pickled) < table.nbytes
    np.testing.assert_array_equal(pickle.loads(pickled).transform(table), fitted.transform(table))
