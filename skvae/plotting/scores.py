"""Anomaly scores of rows, and how much the features of one row contribute."""

import numpy as np

from skvae.base.hyperparameters import check_integer
from skvae.base.pipelines import last_step, split_last
from skvae.base.validation import names_of_features
from skvae.plotting.models import image_shape_of, last_that_can

__all__ = ["ERROR", "SQUARED", "anomaly_scores"]

ERROR = "reconstruction error"
DETECTOR = "anomaly score"
SQUARED = "squared units of X"
UNITS = {
    "likelihood": "nats",
    "reconstruction": SQUARED,
    "latent": "standard deviations",
}


def anomaly_scores(estimator, X, row, display):
    """Return the anomaly scores that a display draws, as a dict of its parameters.

    Parameters
    ----------
    estimator : detector with ``explain``, estimator with ``reconstruction_error``, or Pipeline
        The fitted model.
    X : array-like of shape (n_samples, n_features)
        Rows of the same kind as the training data.
    row : int or None
        The row whose contributions are wanted.
    display : str
        The name of the display, for error messages.

    Returns
    -------
    dict
        "errors", "threshold", "contributions", "feature_names", "image_shape", "score_name" and
        "unit".
        For a detector, errors are minus ``score_samples``, the threshold is minus ``offset_``, and
        the contribution of a feature is how much it lowers the score.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> from skvae import AutoencoderOutlierDetector
    >>> from skvae.plotting.scores import anomaly_scores
    >>> X = np.random.RandomState(0).standard_normal((50, 3))
    >>> detector = AutoencoderOutlierDetector(PCA(1)).fit(X)
    >>> scores = anomaly_scores(detector, X, 0, "Display")
    >>> scores["score_name"], scores["unit"]
    ('anomaly score', 'nats')
    """
    last, X = last_step(estimator, X)
    if row is not None:
        check_integer("row", row, f"{display}.from_estimator", least=0)
        if row >= np.shape(X)[0]:
            raise ValueError(
                f"row must be a row of X, which has {np.shape(X)[0]}. Got {row} instead. Count "
                f"from 0."
            )
    if hasattr(last, "explain"):
        return _of_detector(last, X, row)
    last = last_that_can(estimator, "reconstruction_error", display)
    errors = last.reconstruction_error
    return {
        "errors": errors(X),
        "threshold": None,
        "contributions": None if row is None else errors(X[row : row + 1], per_feature=True)[0],
        "feature_names": _names(estimator, last),
        "image_shape": image_shape_of(last),
        "score_name": ERROR,
        "unit": SQUARED,
    }


def _of_detector(detector, X, row):
    contributions, names = None, None
    if row is not None:
        names = names_of_features(detector)
        explained = detector.explain(X[row : row + 1])
        lowers = dict(zip(explained["column"], explained["contribution"], strict=True))
        names = names if len(lowers) == len(names) else np.array([*lowers])  # blocks have one line
        contributions = np.array([-lowers[name] for name in names])
    return {
        "errors": -detector.score_samples(X),
        "threshold": -detector.offset_,
        "contributions": contributions,
        "feature_names": names,
        "image_shape": image_shape_of(detector.estimators_[0]),
        "score_name": DETECTOR,
        "unit": _unit(detector),
    }


def _unit(detector):
    """Return the unit of a detector's score."""
    kind = detector._anomaly_score_
    if kind == "likelihood":
        last = split_last(detector.estimators_[0])[1]
        is_error = hasattr(last, "reconstruction_error") and not hasattr(last, "elbo_terms")
        kind = "reconstruction" if is_error else kind
    return UNITS[kind] if isinstance(kind, str) else "units of its own"


def _names(estimator, last):
    """Return the names of the columns of the last step's input, or None."""
    before = split_last(estimator)[0]
    names = getattr(last, "feature_names_in_", None)
    if names is None and before and hasattr(before[-1], "get_feature_names_out"):
        names = before[-1].get_feature_names_out()
    return names
