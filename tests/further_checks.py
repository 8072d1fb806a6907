"""Further checks of scikit-learn for transformers."""

from sklearn.utils import estimator_checks

# Those that scikit-learn runs on its own estimators but not in parametrize_with_checks.
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
