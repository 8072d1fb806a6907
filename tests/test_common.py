"""scikit-learn's own checks, on every transformer, none excepted."""

import pytest
from further_checks import FURTHER_CHECKS
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from skvae import (
    AutoencoderTransformer,
    BetaTCVAETransformer,
    BetaVAETransformer,
    VAEImputer,
    VAETransformer,
)

TRANSFORMERS = [
    estimator(2, hidden_layer_sizes=(8,), max_epochs=2, random_state=0)
    for estimator in (
        AutoencoderTransformer,
        VAETransformer,
        BetaVAETransformer,
        BetaTCVAETransformer,
    )
] + [
    VAETransformer(2, max_epochs=2, noise_variance="per-feature", random_state=0),
    BetaTCVAETransformer(2, hidden_layer_sizes=(), max_epochs=2, tc_sampling="mss", random_state=0),
    AutoencoderTransformer(2, max_epochs=2, early_stopping=True, random_state=0),
    VAETransformer(2, max_epochs=2, missing="mask", random_state=0),
    VAEImputer(VAETransformer(2, max_epochs=2, missing="mask", random_state=0)),
    VAEImputer(
        VAETransformer(2, max_epochs=2, missing="mask", random_state=0),
        add_indicator=True,
        keep_empty_features=True,
    ),
]


@parametrize_with_checks(TRANSFORMERS)
def test_scikit_learn_check_passes(estimator, check):
    check(estimator)


# Some of these fit a DataFrame and transform an array on purpose.
@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names:UserWarning")
@pytest.mark.parametrize("estimator", TRANSFORMERS[:4], ids=lambda e: type(e).__name__)
@pytest.mark.parametrize(
    "check",
    [*FURTHER_CHECKS, estimator_checks.check_inplace_ensure_writeable],
    ids=lambda check: check.__name__,
)
def test_further_scikit_learn_check_passes(estimator, check):
    check(type(estimator).__name__, estimator)


@pytest.mark.parametrize("estimator", TRANSFORMERS[:4], ids=lambda e: type(e).__name__)
def test_no_tag_avoids_a_check(estimator):
    tags = estimator.__sklearn_tags__()
    assert not tags.non_deterministic
    assert not tags.no_validation
    assert not tags._skip_test
    assert tags.transformer_tags.preserves_dtype == ["float64", "float32"]
