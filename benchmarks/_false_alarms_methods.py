"""The detectors that false_alarms.py compares. They have default settings except contamination."""

from functools import partial

import numpy as np
from _common import timed
from _pyod import make_pyod
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import AutoencoderOutlierDetector

__all__ = ["LEVELS", "METHODS", "MOST_SEEDS", "PYOD", "P_VALUE"]

LEVELS = (0.01, 0.05, 0.1)
P_VALUE = ", p-value"
CALIBRATION_FRACTION = 0.3


def detector_shares(name, parameters, seed, train, test):
    """Return the shares that ``predict`` and ``p_value`` of one of our detectors flag.

    The detector is fitted again for each level, since only the public parameter ``contamination``
    moves the threshold. The seed is the same, and so are the models.
    """
    detector = AutoencoderOutlierDetector(random_state=seed, **parameters)
    shares, seconds = {}, []
    for level in LEVELS:
        detector.set_params(contamination=level)
        seconds.append(timed(detector.fit, train)[0])
        shares[level] = _share(detector.predict(test) == -1)
    p = detector.p_value(test)
    common = {
        "n_calibration": len(detector.calibration_scores_),
        "seconds": float(np.mean(seconds)),
    }
    return [
        {"method": name, "shares": shares, **common},
        {"method": name + P_VALUE, "shares": {c: _share(p <= c) for c in LEVELS}, **common},
    ]


def sklearn_shares(name, make, seed, train, test):
    """Return the shares that a detector of scikit-learn flags."""
    shares, seconds = {}, []
    for level in LEVELS:
        detector = make(level, seed)
        seconds.append(timed(detector.fit, train)[0])
        shares[level] = _share(detector.predict(test) == -1)
    return [_row(name, shares, len(train), float(np.mean(seconds)))]


def make_forest(level, seed):
    return IsolationForest(contamination=level, random_state=seed)


def make_factor(level, seed):
    """Return the local outlier factor of scikit-learn. Its distances need columns of one scale."""
    return make_pipeline(StandardScaler(), LocalOutlierFactor(novelty=True, contamination=level))


def pyod_shares(name, seed, train, test):
    """Return the shares that a detector of PyOD flags. PyOD is an optional dependency.

    The detector is fitted once. Its contamination only sets ``threshold_``, a quantile of
    ``decision_scores_``. So here ``threshold_`` is set for each level.
    """
    detector = make_pyod(name, seed, contamination=LEVELS[0])
    seconds = timed(detector.fit, train)[0]
    shares = {}
    for level in LEVELS:
        detector.threshold_ = np.percentile(detector.decision_scores_, 100 * (1 - level))
        shares[level] = _share(detector.predict(test) == 1)
    return [_row(name, shares, len(train), seconds)]


def _row(method, shares, n_calibration, seconds):
    return {
        "method": method,
        "shares": shares,
        "n_calibration": n_calibration,
        "seconds": seconds,
    }


def _share(flagged):
    return float(np.mean(flagged))


DETECTORS = {
    "detector": {},
    "split conformal": {"n_estimators": 1, "calibration_fraction": CALIBRATION_FRACTION},
}
FOREIGN = {"IsolationForest": make_forest, "LocalOutlierFactor": make_factor}
PYOD = ("PyOD VAE", "PyOD AutoEncoder", "PyOD ECOD")
METHODS = {
    **{name: partial(detector_shares, name, given) for name, given in DETECTORS.items()},
    **{name: partial(sklearn_shares, name, make) for name, make in FOREIGN.items()},
    **{name: partial(pyod_shares, name) for name in PYOD},
}
MOST_SEEDS = {"PyOD VAE": 1}  # it is the slowest
