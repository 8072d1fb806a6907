import re
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from skvae import AutoencoderTransformer, BetaTCVAETransformer, BetaVAETransformer, VAETransformer

ESTIMATORS = [AutoencoderTransformer, VAETransformer, BetaVAETransformer, BetaTCVAETransformer]
VARIATIONAL = ESTIMATORS[1:]
HIDDEN = "Every column should be reconstructed better than by its mean. "


@pytest.fixture(scope="module")
def cancer():
    return load_breast_cancer(as_frame=True).data


@pytest.mark.filterwarnings("ignore:The divergence must be below")  # of a raw table
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_columns_that_others_hide_are_named(Estimator, cancer):
    with pytest.warns(UserWarning, match=f"^{re.escape(HIDDEN)}") as record:
        fitted = Estimator(2, max_epochs=20, random_state=0).fit(cancer)
    (message,) = [str(w.message) for w in record if str(w.message).startswith(HIDDEN)]
    error = fitted.reconstruction_error(cancer, per_feature=True).mean(0)
    hidden = cancer.columns[error > 1.5 * cancer.var(ddof=0)]
    assert len(hidden) > 10
    remedy = (
        "Scale X."
        if Estimator is AutoencoderTransformer
        else ("Scale X, or use noise_variance='per-feature'.")
    )
    assert message == (
        f"{HIDDEN}Got {len(hidden)} of 30 columns that are not instead, {hidden[0]!r}, "
        f"{hidden[1]!r}, {hidden[2]!r} first: columns of larger variance hide them. {remedy}"
    )


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_nothing_is_said_of_scaled_columns(Estimator, cancer):
    X = pd.DataFrame(StandardScaler().fit_transform(cancer), columns=cancer.columns)
    for max_epochs in (1, 20):
        Estimator(2, max_epochs=max_epochs, random_state=0).fit(X)


def test_nothing_is_said_of_a_chunk_nor_of_variances_per_feature(cancer):
    VAETransformer(2, random_state=0).partial_fit(cancer)
    VAETransformer(2, noise_variance="per-feature", max_epochs=5, random_state=0).fit(cancer)


def test_a_column_that_holds_the_variance_is_told_once(table):
    X = table * [1, 1000, 1, 1, 1, 1]
    for Estimator, expected in ((AutoencoderTransformer, "Every"), (VAETransformer, "Column 1")):
        with warnings.catch_warnings(record=True) as record:
            warnings.simplefilter("always")
            Estimator(2, max_epochs=5, random_state=0).fit(X)
        (warning,) = record
        assert str(warning.message).startswith(expected)


def test_pixels_that_hardly_any_image_uses_are_no_hidden_columns(digits):
    error = (
        AutoencoderTransformer(10, max_epochs=20, random_state=0)
        .fit(digits)
        .reconstruction_error(digits, per_feature=True)
    )
    assert (error.mean(0) > 1.5 * digits.var(0))[digits.var(0) > 0].any()


def test_a_model_that_has_learned_nothing_hides_nothing(table):
    X = table * [1, 1, 1, 1, 0.01, 0.01]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        AutoencoderTransformer(2, max_epochs=1, lr=1e-30, random_state=0).fit(X)


def test_a_warning_made_an_error_leaves_nothing_fitted(cancer):
    autoencoder = AutoencoderTransformer(2, max_epochs=5, random_state=0)
    with pytest.raises(UserWarning, match=f"^{re.escape(HIDDEN)}"):  # as the tests' filter makes it
        autoencoder.fit(cancer)
    assert [name for name in vars(autoencoder) if name.endswith("_")] == []


def ran_away(estimator, X):
    """Fit, and return the ratio that the only warning tells."""
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        estimator.fit(X)
    (warning,) = record
    assert warning.category is ConvergenceWarning
    told = re.fullmatch(
        "The model must reconstruct the rows better than the means of the columns do. Got a "
        r"squared error of (\S+) times the variance instead: training ran away. Use a smaller lr, "
        "or scale X.",
        str(warning.message),
    )
    return float(told[1])


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_fit_that_ran_away_is_told_once(Estimator, table):
    estimator = Estimator(2, lr=1.0, max_epochs=5, random_state=0)
    told = ran_away(estimator, table)
    error = estimator.reconstruction_error(table, per_feature=True).sum()
    assert told == pytest.approx(error / (len(table) * table.var(0).sum()), rel=0.01)
    assert told > 3


def test_columns_of_several_units_ran_away_if_the_median_did(table):
    X = table * [1, 1, 1, 1, 1, 1e6]
    X[::7, 0] = np.nan
    for options in ({"noise_variance": "per-feature"}, {}):
        estimator = VAETransformer(
            2, missing="mask", lr=0.3, max_epochs=5, random_state=0, **options
        )
        if not options:  # columns of other kinds have no part in it
            X = np.c_[table[:, :3], np.arange(400) % 3]
            kinds = [("gaussian", [0, 1, 2]), ("categorical", [3])]
            estimator.set_params(missing=None, likelihood=kinds)
        told = ran_away(estimator, X)
        errors = np.nanmean(estimator.reconstruction_error(X, per_feature=True), 0)
        numbers = slice(None) if options else slice(3)
        ratios = (errors / np.nanvar(X, 0))[numbers]
        assert told == pytest.approx(np.median(ratios), rel=0.01)


def test_modules_that_start_anywhere_are_not_told_to_have_run_away(table):
    class Far(torch.nn.Linear):
        def reset_parameters(self):
            torch.nn.init.constant_(self.weight, 100.0)
            torch.nn.init.zeros_(self.bias)

    estimator = AutoencoderTransformer(2, decoder=Far, max_epochs=1, random_state=0)
    estimator.fit(table)  # a warning would be an error
    assert estimator.reconstruction_error(table).mean() > 3 * table.var(0).mean()


@pytest.mark.filterwarnings("ignore:The model must reconstruct")  # no time to come back
@pytest.mark.parametrize("Estimator", VARIATIONAL)
def test_the_first_steps_do_not_run_away(Estimator, digits):
    """A row with a posterior wider than the prior has a divergence that grows exponentially."""
    fitted = Estimator(5, lr=0.1, max_epochs=1, random_state=0).fit(digits)
    assert fitted.history_["train_loss"][0] < 1_000  # over 10,000 if the width has no bound


@pytest.mark.parametrize("Estimator", VARIATIONAL)
def test_a_posterior_is_at_most_e_times_as_wide_as_the_prior(Estimator, table):
    fitted = Estimator(2, max_epochs=1, random_state=0).fit(table)
    _, std = fitted.posterior(1e6 * table)
    assert std.max() == pytest.approx(np.e, rel=1e-6)  # and not 22026
    assert np.isfinite(fitted.score_samples(1e6 * table)).all()


@pytest.mark.parametrize("dtype", [">f8", ">i4", np.longdouble])
def test_numbers_that_torch_cannot_read_are_examined(dtype, table):
    AutoencoderTransformer(2, max_epochs=1, random_state=0).fit(np.rint(9 * table).astype(dtype))


def test_a_constant_column_does_not_count(table):
    X = table.copy()
    X[:, :4] = 0.1  # in float64, the mean of 400 of them is not exactly 0.1
    assert X.var(0)[0] > 0
    for options in ({}, {"missing": "mask"}):
        VAETransformer(2, max_epochs=2, random_state=0, **options).fit(X)  # a warning: an error


def test_a_warm_start_on_other_rows_has_not_run_away(table):
    estimator = AutoencoderTransformer(2, max_epochs=1, warm_start=True, random_state=0)
    estimator.fit(table).fit(table + 10 * table.std(0))
    error = estimator.reconstruction_error(table + 10 * table.std(0)).mean()
    assert error > 3 * table.var(0).mean()


@pytest.mark.filterwarnings("ignore:The codes must vary")
def test_kinds_of_rows_that_take_turns_have_not_run_away():
    """A collapsed model predicts the means of all rows, and not those of every second row."""
    X = np.random.RandomState(0).standard_normal((2000, 4))
    X[::2] += 10
    VAETransformer(2, noise_variance=1e6, max_epochs=1, random_state=0).fit(X)


@pytest.mark.parametrize("noise_variance", ["learned", "per-feature"])
def test_a_few_rows_far_away_do_not_make_a_fit_run_away(noise_variance):
    """Not all rows are examined, and perhaps none of those that hold the variance are."""
    X = np.random.RandomState(0).standard_normal((5000, 4))
    X[6:9] = 1e6  # every fifth row is examined
    options = {"noise_variance": noise_variance, "max_epochs": 1, "random_state": 0}
    vae = VAETransformer(2, **options).fit(X)
    errors = vae.reconstruction_error(X)
    assert np.median(errors) > 3  # the variance of nearly all rows is 1
    assert errors.mean() < X.var(0).mean()
