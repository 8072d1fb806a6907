import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import VAETransformer
from skvae._warnings import warn


def test_a_warning_names_the_callers_line():
    with pytest.warns(ConvergenceWarning, match="^careful$") as caught:
        warn("careful", ConvergenceWarning)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_a_fits_warning_names_the_line_that_called_it(method, table):
    pipe = make_pipeline(StandardScaler(), VAETransformer(2, kl_warmup_epochs=9, max_epochs=1))
    with pytest.warns(UserWarning, match="schedule") as caught:
        getattr(pipe, method)(table)
    assert caught[0].filename == __file__


def test_a_warning_under_a_search_names_the_line_that_searches(table):
    with pytest.warns(UserWarning, match="schedule") as caught:
        cross_val_score(VAETransformer(2, kl_warmup_epochs=9, max_epochs=1), table, cv=2)
    assert {warning.filename for warning in caught} == {__file__}


def test_a_collapse_is_told_only_if_rows_from_everywhere_are_alike():
    X = np.random.RandomState(0).standard_normal((3000, 4))
    X[:1500] *= 1e-4  # the first rows have one code
    VAETransformer(2, noise_variance=0.1, max_epochs=20, random_state=0).fit(X)


def test_a_collapse_is_told_with_its_remedies():
    X = np.random.RandomState(0).standard_normal((200, 4))
    sentence = (
        "The codes must vary over the rows. Got a variance of at most .* in all 2 dimensions "
        "instead: the posterior collapsed to the prior. Use a smaller noise_variance, "
        "kl_warmup_epochs or free_bits."
    )
    collapsing = VAETransformer(2, noise_variance=100.0, lr=1e-2, random_state=0)
    with pytest.warns(ConvergenceWarning, match=f"^{sentence}$"):
        collapsing.fit(X)
    assert (collapsing.transform(X).var(0) < 0.01).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        collapsing.set_params(noise_variance=0.1).fit(X)
        collapsing.set_params(noise_variance=100.0).fit(np.ones((200, 4)))  # nothing to tell
