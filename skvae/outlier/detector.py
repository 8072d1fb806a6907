"""Outlier detection: rows that autoencoders, or other transformers, find improbable."""

from collections.abc import Callable
from dataclasses import KW_ONLY
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state

from skvae._typing import MatrixLike, Seed, Transformer
from skvae._warnings import warn
from skvae.base.documentation import DocumentationLinks, block_around
from skvae.base.hyperparameters import (
    AT_MOST_HALF,
    INTEGER,
    NON_NEGATIVE_INTEGER,
    POSITIVE_INTEGER,
    PROPER_FRACTION,
    TRANSFORMER,
    TWO_OR_MORE,
    hyperparameters,
    one_of,
)
from skvae.base.sklearn_bases import BaseEstimator
from skvae.base.states import fitted_as_a_whole
from skvae.outlier.bags import divide, draw_bags
from skvae.outlier.calibration import ROUNDING, Calibration, mean_where, rounding, threshold
from skvae.outlier.columns import ColumnRanges
from skvae.outlier.groups import categories_of
from skvae.outlier.inference import OutlierInferenceMixin
from skvae.outlier.members import default_transformer, fit_members
from skvae.outlier.scores import check_transformer, mean_squares
from skvae.outlier.seen_rows import SeenRows
from skvae.outlier.tables import take

__all__ = ["AutoencoderOutlierDetector"]

MOST_CALIBRATION_ROWS = 10_000  # enough to know a rate of 1 % to a tenth of itself


@hyperparameters
class AutoencoderOutlierDetector(OutlierInferenceMixin, DocumentationLinks, BaseEstimator):
    r"""Detect outliers by several autoencoders, or other transformers, fitted to parts of the rows.

    Let f be the ``transform`` and g the ``inverse_transform`` of a transformer. The score of one
    model is one of

    =================  ====================================================================
    "likelihood"       the transformer's own ``score_samples``: for a VAE the evidence lower bound
                       of log p(x) in nats, for a PCA log p(x), for an autoencoder minus its
                       reconstruction error
    "reconstruction"   :math:`-\frac{1}{d} \|x - g(f(x))\|^2`, in squared units of X
    "latent"           :math:`-\sqrt{(f(x) - m)^T S^{-1} (f(x) - m)}`, minus the Mahalanobis
                       distance of the code; m and S are the mean and covariance of training codes
    =================  ====================================================================

    ``score_samples`` is the mean over the models. For a training row it is the mean over the models
    that were not fitted to this row. A row is an outlier if its score is below ``offset_``.
    Threshold and p-values therefore come from scores of rows that are new to the models, as future
    rows are.

    Parameters
    ----------
    transformer : transformer, default=None
        For example a :class:`~skvae.VAETransformer`, ``PCA``, ``FactorAnalysis`` or a ``Pipeline``,
        which may start with a ``ColumnTransformer``. It is cloned. A transformer in a
        ``FrozenEstimator`` is already fitted, and all rows are new to it. None means a
        ``StandardScaler``, a function that reduces extreme values, and a VAE, which suit tables in
        any units. Pass a transformer to search over its parameters.
    n_estimators : int, default=3
        Number of models, at least three; with ``calibration_fraction`` at least one. Time grows in
        proportion. More models make the threshold more exact if there are few rows.
    max_samples : int, default=2048
        Maximum number of rows for one model. Each model uses at most half of the rows, except a
        single model. Of every three models, at least one leaves out a given row.
    n_refits : int, default=1
        How many times each model is fitted again without its least normal rows. These are the rows
        whose score is five standard deviations below the median; both are estimated robustly, so
        that outliers do not affect them. Use 0 if the training rows are known to be normal.
    anomaly_score : {"likelihood", "reconstruction", "latent"} or callable, default="likelihood"
        A callable gets a fitted transformer and rows, and returns finite numbers of shape
        (n_samples,). As in ``score_samples``, a higher number means a more normal row.
    contamination : float or "auto", default=0.1
        The share of outliers among the training rows, in (0, 0.5]. The same share of new rows from
        the same distribution is flagged. With m scores, ``offset_`` is at place
        ``contamination * (m + 1)`` of the sorted scores. "auto" needs no share: ``offset_`` is
        :math:`Q_2 - 3 (Q_2 - Q_1) / 0.6745`, where Q_1 and Q_2 are the first quartile and the
        median of the scores. For normally distributed scores this is three standard deviations
        below the mean. It is reliable as long as fewer than a quarter of the rows are outliers.
        Both thresholds are lowered by a millionth, so that rounding does not separate equal rows.
    calibration_fraction : float, default=None
        The share of rows, drawn at random, that no model is fitted to. If given, the threshold and
        the p-values come from these rows only. This is split conformal prediction, and exact.
    n_jobs : int, default=None
        Number of parallel processes that fit models, as in joblib.
    random_state : int, RandomState instance or None, default=None
        Controls which rows each model gets, and seeds every ``random_state`` of the transformer
        that is None.

    Attributes
    ----------
    estimators_ : list of transformers
        The fitted models.
    estimators_samples_ : list of ndarray of int
        The rows given to each model. Empty if the transformer was already fitted.
    offset_ : float
        The threshold: ``decision_function`` is ``score_samples`` minus this.
    oob_scores_ : ndarray of shape (n_samples,)
        Scores of the training rows by the models that were not fitted to them. NaN for rows that
        are not used for threshold and p-values: if there are more than 10,000 rows, those outside a
        random 10,000; with ``calibration_fraction``, those that models were fitted to.
    calibration_scores_ : ndarray of shape (m,)
        The values of ``oob_scores_`` that are not NaN, in increasing order.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of str
        Names of the columns, if X has names.

    See Also
    --------
    VAETransformer : A model with scores and no threshold.
    sklearn.ensemble.IsolationForest : A detector by random splits.

    Notes
    -----
    Suppose that a column was constant in a model's training rows and has another value now, or that
    a category is new. The model cannot judge such a value. It is replaced by the value that the
    model knows, and the model's score is lowered by the difference between its most and its least
    normal training row. This does not depend on the unit of the column. A number more than a
    million ranges beyond the ends of its column is replaced by the value at that distance.

    References
    ----------
    .. [1] J. An and S. Cho (2015), Variational autoencoder based anomaly detection using
       reconstruction probability, SNU Data Mining Center.
    .. [2] B. Kim, C. Xu and R. Barber (2020), Predictive inference is free with the
       jackknife+-after-bootstrap, NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> from skvae import AutoencoderOutlierDetector
    >>> rng = np.random.RandomState(0)
    >>> X = rng.standard_normal((200, 2)) @ [[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]
    >>> detector = AutoencoderOutlierDetector(
    ...     PCA(2), anomaly_score="reconstruction", random_state=0
    ... ).fit(X)
    >>> detector.predict([[1.0, 1.0, 2.0], [1.0, 1.0, -2.0]])
    array([ 1, -1])
    """

    transformer: Transformer | None = None
    _: KW_ONLY
    n_estimators: int = 3
    max_samples: int = 2048
    n_refits: int = 1
    anomaly_score: str | Callable[[Any, Any], ArrayLike] = "likelihood"
    contamination: float | str = 0.1
    calibration_fraction: float | None = None
    n_jobs: int | None = None
    random_state: Seed = None

    _parameter_constraints = {
        "transformer": [*TRANSFORMER, None],
        "n_estimators": POSITIVE_INTEGER,
        "max_samples": TWO_OR_MORE,
        "n_refits": NON_NEGATIVE_INTEGER,
        "anomaly_score": [*one_of("likelihood", "reconstruction", "latent"), callable],
        "contamination": [*one_of("auto"), *AT_MOST_HALF],
        "calibration_fraction": [*PROPER_FRACTION, None],
        "n_jobs": [*INTEGER, None],
        "random_state": ["random_state"],
    }

    def fit(self, X: MatrixLike, y: Any = None) -> Self:
        """Fit the models and the threshold.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows, at least three. They may be sparse, contain NaN or be a DataFrame with
            mixed columns, if the transformer accepts this.
        y : ignored
            Present for pipelines and searches.

        Returns
        -------
        self : object
            The fitted detector. If the fit fails, the attributes of an earlier fit are gone too.

        Raises
        ------
        ValueError
            If a parameter is out of its range; if the transformer rejects X; if ``n_estimators``
            is below three without ``calibration_fraction``; if ``calibration_fraction`` leaves
            fewer than three rows to train on; if the scores of a callable are not finite numbers of
            shape (n_samples,); if the scores of the training rows are not finite.
        TypeError
            If the transformer lacks the method that ``anomaly_score`` needs.

        Warns
        -----
        UserWarning
            If ``contamination`` is below 1 / (m + 1), which is too small to be measured with m
            scores. Each kind of warning that the models give is shown once.
        """
        with fitted_as_a_whole(self) as fresh:
            fresh._validate_params()
            fresh._fit(fresh._rows(X, reset=True))
        return self

    def _fit(self, X):
        rng = check_random_state(self.random_state)
        transformer = self._chosen(X.shape[0], issparse(X))
        check_transformer(transformer, self.anomaly_score)
        self._ranges_ = ColumnRanges(X)
        X = self._ranges_.within(X)
        if isinstance(transformer, FrozenEstimator):  # all rows are new to it
            fitted, held_out = np.arange(0), np.arange(X.shape[0])
        else:
            sizes = (X.shape[0], self.n_estimators, self.calibration_fraction)
            fitted, held_out = divide(*sizes, rng)
        self._fit_members(X, fitted, transformer, rng)
        self._ranges_.take_levels(X, categories_of(self.estimators_[0]))
        calibration = fitted if held_out is None else held_out
        if held_out is None and len(calibration) > MOST_CALIBRATION_ROWS:
            calibration = np.sort(rng.choice(calibration, MOST_CALIBRATION_ROWS, replace=False))
        self._calibrate(X, calibration)

    def _fit_members(self, X, rows, transformer, rng):
        """Fit the models, and record which rows each one was fitted to."""
        self._anomaly_score_ = self.anomaly_score
        bags = draw_bags(len(rows), self.n_estimators, self.max_samples, rng) if len(rows) else []
        self.estimators_samples_ = bags = [rows[bag] for bag in bags]
        self._members_ = fit_members(
            transformer, self.anomaly_score, self.n_refits, X, bags, self.n_jobs, rng
        )
        self.estimators_ = [member.transformer for member in self._members_]
        self._seen_rows_ = SeenRows(X, bags)

    def _calibrate(self, X, rows):
        """Set the threshold and the calibration scores, from rows left out by some models."""
        X, n_samples = take(X, rows), X.shape[0]
        unseen = self._seen_rows_.unseen(X)
        scores = self._finite_scores(X, unseen)
        # A squared error is the difference of larger numbers. Its rounding error is relative to
        # their squares, however small the error itself is.
        own = mean_where(scores, unseen)
        has_units = self.anomaly_score == "reconstruction" and not self._mixed_
        sizes = ROUNDING * mean_squares(X) if has_units else np.abs(own)
        self._score_scale_ = np.median(sizes)
        self._calibration_ = Calibration(scores, unseen)
        self.calibration_scores_ = np.sort(own)
        self.oob_scores_ = np.full(n_samples, np.nan)
        self.oob_scores_[rows] = own
        level = threshold(own, self.contamination)
        self.offset_ = level - float(rounding(level, self._score_scale_))
        if self.contamination != "auto" and self.contamination * (len(own) + 1) < 1:
            warn(
                f"A contamination below 1 / (m + 1) cannot be measured with m={len(own)} scores of "
                f"rows that the models were not fitted to. Got {self.contamination}, and the "
                f"threshold is the smallest of these scores instead: a new normal row is below "
                f"it with probability {1 / (len(own) + 1):.2g}. Give more rows, or raise "
                f"contamination."
            )

    def _finite_scores(self, X, unseen):
        """Return the models' scores of the calibration rows, or raise if some are not finite."""
        cause = None
        try:
            scores = self._member_scores(X, unseen)
        except np.linalg.LinAlgError as error:  # PCA with no dimension left for the noise
            scores, cause = np.full(unseen.shape, np.nan), error
        finite = (np.isfinite(scores) | ~unseen).all(axis=1)
        if not finite.all():
            raise ValueError(
                f"The scores of the rows fitted must be finite. Got {np.sum(~finite)} of "
                f"{len(finite)} that are not, from {type(self.estimators_[0]).__name__}. Use fewer "
                f"components, or anomaly_score='reconstruction'."
            ) from cause
        return scores

    def _chosen(self, n_samples=1, sparse=False):
        """Return the transformer that ``fit`` clones for that many rows."""
        if self.transformer is not None:
            return self.transformer
        if self.calibration_fraction is not None:
            n_samples *= 1 - self.calibration_fraction
        share = 1.0 if self.n_estimators == 1 else 0.5
        return default_transformer(min(share * n_samples, self.max_samples), sparse)

    def _sk_visual_block_(self):
        shown = self.estimators_[0] if hasattr(self, "estimators_") else self._chosen()
        return block_around("transformer", shown)
