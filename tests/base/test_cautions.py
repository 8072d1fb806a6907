import re
import warnings

import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

from skvae import AutoencoderTransformer, BetaTCVAETransformer, BetaVAETransformer, VAETransformer

ESTIMATORS = [AutoencoderTransformer, VAETransformer, BetaVAETransformer, BetaTCVAETransformer]
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
