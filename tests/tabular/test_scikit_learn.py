"""The encoder as a scikit-learn transformer: its checks, pipelines, searches, frames out."""

import pytest
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from skvae.tabular import TableEncoder

ENCODERS = [TableEncoder(), TableEncoder(missing="keep", numeric="normal-scores")]
FURTHER_CHECKS = [
    estimator_checks.check_get_feature_names_out_error,
    estimator_checks.check_transformer_get_feature_names_out,
    estimator_checks.check_transformer_get_feature_names_out_pandas,
    estimator_checks.check_set_output_transform,
    estimator_checks.check_set_output_transform_pandas,
    estimator_checks.check_global_output_transform_pandas,
    estimator_checks.check_set_output_transform_polars,
    estimator_checks.check_global_set_output_transform_polars,
    estimator_checks.check_dataframe_column_names_consistency,
    estimator_checks.check_param_validation,
]


@parametrize_with_checks(ENCODERS)
def test_scikit_learn_check_passes(estimator, check):
    check(estimator)


# Some of these fit a DataFrame and transform an array on purpose.
@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names:UserWarning")
@pytest.mark.parametrize("check", FURTHER_CHECKS, ids=lambda check: check.__name__)
def test_further_scikit_learn_check_passes(check):
    check("TableEncoder", TableEncoder())
