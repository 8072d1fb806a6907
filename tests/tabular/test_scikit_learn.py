"""The encoder as a scikit-learn transformer: its checks, pipelines, searches, frames out."""

import pytest
from further_checks import FURTHER_CHECKS
from sklearn.utils.estimator_checks import parametrize_with_checks

from skvae.tabular import TableEncoder

ENCODERS = [TableEncoder(), TableEncoder(missing="keep", numeric="normal-scores")]


@parametrize_with_checks(ENCODERS)
def test_scikit_learn_check_passes(estimator, check):
    check(estimator)


# Some of these fit a DataFrame and transform an array on purpose.
@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names:UserWarning")
@pytest.mark.parametrize("check", FURTHER_CHECKS, ids=lambda check: check.__name__)
def test_further_scikit_learn_check_passes(check):
    check("TableEncoder", TableEncoder())
