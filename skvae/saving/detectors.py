"""The outlier detector in a file: its models, which rows they were fitted to, its calibration."""

from importlib import import_module
from numbers import Integral

import numpy as np

from skvae.files.context import Writing
from skvae.files.errors import SavingError, refusal
from skvae.files.values import write_value
from skvae.outlier.calibration import Calibration
from skvae.outlier.columns import ColumnRanges, SeenValues
from skvae.outlier.detector import AutoencoderOutlierDetector
from skvae.outlier.members import Member
from skvae.outlier.seen_rows import SeenRows
from skvae.saving.declarations import Declaration
from skvae.saving.dtypes import no_place_for
from skvae.saving.fields import Array, Field, Flag, Number, Texts, object_array
from skvae.saving.nested_fields import DictOf, Held, ListOf, Maybe, OrNone, TupleOf
from skvae.saving.values import KINDS

__all__ = ["DETECTORS"]

LIBRARIES = ("pandas", "polars")
SCORES = ("likelihood", "reconstruction", "latent")


class FrameType(Field):
    """The class of the frames that the models were fitted to, as the library's name, or None."""

    def write(self, value, file, place):
        library = None if value is None else value.__module__.partition(".")[0]
        if value is not None and (library not in LIBRARIES or value.__name__ != "DataFrame"):
            raise SavingError(
                f"A file keeps detectors of frames of {' and '.join(LIBRARIES)}. Got one of "
                f"{value.__name__} of {library} instead. Fit on one of those."
            )
        return library

    def read(self, node, file, place):
        if node is None:
            return None
        if node not in LIBRARIES:
            raise refusal(place, f"one of {', '.join(LIBRARIES)}", node)
        try:
            return import_module(node).DataFrame
        except ImportError as error:
            raise ImportError(
                f"A detector that was fitted to frames of {node} needs it. Got none that can be "
                f"imported instead. Install it: pip install {node}"
            ) from error


SEEN_VALUES = {
    "values": ListOf(Field(), "n_columns"),
    "categories": DictOf(Texts(set), key=int),
    "constant": Array("int64", "n_constant"),
    "constants": Array("float64", "n_constant"),
}
MEMBER = {
    "transformer": Field(),
    "kind": Field(),
    "seen": OrNone(Held(SeenValues, SEEN_VALUES, its_own=["n_constant"])),
    "step": Number(least=0.0),
    "code_distribution": Maybe(Field()),
}
CALIBRATION = {
    "n_rows": Number(Integral, least=1),
    "out_of_bag": Array("float64", "n_scores"),
    "by_models": ListOf(TupleOf(Array("bool", "n_models"), Array("float64", None))),
}
RANGES = {
    "typical": ListOf(Field(), "n_columns"),
    "low": Array("float64", "n_columns", special="nan or inf"),
    "high": Array("float64", "n_columns", special="nan or inf"),
}
SEEN_ROWS = {"keys": Array("uint64", "n_keys"), "by": Array("bool", "n_keys", "n_models")}
FITTED = {
    "n_features_in_": Number(Integral, least=1),
    "feature_names_in_": Maybe(Texts(object_array, "n_columns")),
    "offset_": Number(),
    "oob_scores_": Array("float64", None, special="nan"),
    "calibration_scores_": Array("float64", "n_scores"),
    "estimators_samples_": ListOf(Array("int64", None)),
    "_anomaly_score_": Field(),
    "_mixed_": Flag(),
    "_frame_type_": Maybe(FrameType()),  # absent for mixed columns
    "_score_scale_": Number(least=0.0),
    "_ranges_": Held(ColumnRanges, RANGES),
    "_seen_rows_": Held(SeenRows, SEEN_ROWS),
    "_calibration_": Held(Calibration, CALIBRATION),
    "_members_": ListOf(Held(Member, MEMBER), "n_models", make=tuple),
}


def _attributes(detector):
    """Return the attributes of a detector, without the models, which its members hold too."""
    if hasattr(detector, "_ranges_"):
        _check_usual_values(detector)
    return {name: value for name, value in vars(detector).items() if name != "estimators_"}


def _check_usual_values(detector):
    """Refuse a detector of a column whose usual value has no place in a file."""
    names = getattr(detector, "feature_names_in_", range(detector.n_features_in_))
    seen = [member.seen.values for member in detector._members_ if member.seen is not None]
    for values in (detector._ranges_.typical, *seen):
        for name, value in zip(names, values, strict=True):
            try:
                write_value(value, Writing(KINDS), "")
            except SavingError as error:
                raise no_place_for(f"column {name!r} with {value!r}") from error


def _restore(detector, state, file, place):
    """Set the fitted attributes of a detector, or raise an error if they do not match."""
    file.agree(state["n_features_in_"], "n_columns", place)
    file.agree(state["_calibration_"].n_rows, "n_scores", place)
    of_frames = state.get("_frame_type_") is not None
    if state["_mixed_"] == ("_frame_type_" in state) or of_frames > ("feature_names_in_" in state):
        raise refusal(place, "names and a kind of frames where it was fitted to such", "others")
    _check_rows(state, place)
    for number, member in enumerate(state["_members_"]):
        _check_member(member, state, f"{place}._members_[{number}]")
    estimators = [member.transformer for member in state["_members_"]]
    vars(detector).update(state, estimators_=estimators)


def _check_rows(state, place):
    """Raise for row numbers that are too large, unsorted keys or scores, scores of no model."""
    n_rows = len(state["oob_scores_"])
    bags, calibration = state["estimators_samples_"], state["_calibration_"]
    if len(bags) not in (0, len(state["_members_"])):
        raise refusal(f"{place}.estimators_samples_", "rows of each model", f"{len(bags)} of them")
    if any(((bag < 0) | (bag >= n_rows)).any() for bag in bags):
        raise refusal(f"{place}.estimators_samples_", f"rows below {n_rows}", "others")
    if not (np.diff(state["_seen_rows_"].keys.astype(object)) > 0).all():
        raise refusal(f"{place}._seen_rows_.keys", "keys in order", "others")
    scores = [calibration.out_of_bag, state["calibration_scores_"]]
    scores += [of_models for _, of_models in calibration.by_models]
    if not all((np.diff(one) >= 0).all() for one in scores):
        raise refusal(f"{place}._calibration_", "scores in order", "others")
    if not all(models.any() and len(one) for models, one in calibration.by_models):
        raise refusal(f"{place}._calibration_.by_models", "scores of one model at least", "none")


def _check_member(member, state, place):
    """Raise for a model of other columns, or one without what its score needs."""
    n_columns = state["n_features_in_"]
    if not hasattr(member.transformer, "transform"):
        raise refusal(f"{place}.transformer", "a transformer", type(member.transformer).__name__)
    if getattr(member.transformer, "n_features_in_", n_columns) != n_columns:
        got = f"one of {member.transformer.n_features_in_}"
        raise refusal(f"{place}.transformer", f"a model of {n_columns} columns", got)
    kind = member.kind
    if kind != state["_anomaly_score_"] or not (kind in SCORES or callable(kind)):
        raise refusal(f"{place}.kind", f"one of {', '.join(SCORES)}, as elsewhere", kind)
    if (kind == "latent") != hasattr(member, "code_distribution"):
        raise refusal(place, "a distribution of codes where the score is latent", "another thing")
    if member.seen is not None:
        places = [*member.seen.constant.tolist(), *member.seen.categories]
        if not all(0 <= one < n_columns for one in places):
            raise refusal(f"{place}.seen", f"columns below {n_columns}", "others")


DETECTORS = {
    "skvae.AutoencoderOutlierDetector": Declaration(
        AutoencoderOutlierDetector, FITTED, attributes=_attributes, restore=_restore
    )
}
