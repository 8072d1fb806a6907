"""TableTransformer in a file: the Pipeline of its encoder and its autoencoder."""

from numbers import Integral

from sklearn.pipeline import Pipeline

from skvae.base.variational import BaseVAETransformer
from skvae.files.errors import refusal
from skvae.saving.declarations import Declaration
from skvae.saving.fields import Field, Maybe, Number, Texts, object_array
from skvae.tabular.encoder import TableEncoder
from skvae.tabular.transformer import TableTransformer

__all__ = ["TABLE_MODELS"]

FITTED = {
    "n_features_in_": Number(Integral, least=1),
    "feature_names_in_": Maybe(Texts(object_array, "n_columns")),
    "pipeline_": Field(),
}


def _restore(table, state, file, place):
    """Set the fitted attributes of a transformer, or raise an error if they do not match."""
    pipeline, where = state["pipeline_"], f"{place}.pipeline_"
    file.agree(state["n_features_in_"], "n_columns", place)
    steps = dict(pipeline.steps) if isinstance(pipeline, Pipeline) else {}
    encoder, estimator = steps.get("encoder"), steps.get("estimator")
    if (
        list(steps) != ["encoder", "estimator"]
        or not isinstance(encoder, TableEncoder)
        or not isinstance(estimator, BaseVAETransformer)
        or not (hasattr(encoder, "_columns_") and hasattr(estimator, "net_"))
    ):
        raise refusal(where, "a fitted encoder and a fitted variational autoencoder", pipeline)
    if encoder.n_features_in_ != state["n_features_in_"]:
        got = f"one of {encoder.n_features_in_}"
        raise refusal(where, f"an encoder of {state['n_features_in_']} columns", got)
    if estimator.n_features_in_ != encoder._n_features_out:
        got = f"one of {estimator.n_features_in_}"
        raise refusal(where, f"an estimator of {encoder._n_features_out} codes", got)
    vars(table).update(state)


TABLE_MODELS = {
    "skvae.tabular.TableTransformer": Declaration(TableTransformer, FITTED, restore=_restore)
}
