"""Outliers: rows that autoencoders, or other transformers, find improbable."""

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
from skvae.outlier.bags import draw_bags
from skvae.outlier.calibration import ROUNDING, Calibration, mean_where, rounding, threshold
from skvae.outlier.columns import ColumnRanges
from skvae.outlier.groups import categories_of
from skvae.outlier.inference import OutlierInferenceMixin
from skvae.outlier.members import LEAST_ROWS, default_transformer, fit_members
from skvae.outlier.scores import mean_squares
from skvae.outlier.seen_rows import SeenRows
from skvae.outlier.tables import take

__all__ = ["AutoencoderOutlierDetector"]

LEAST_ESTIMATORS = 3  # of which one has not seen a row, whichever it is
MOST_CALIBRATION_ROWS = 10_000  # a rate of 1 % is then known to a tenth of itself


@hyperparameters
class AutoencoderOutlierDetector(OutlierInferenceMixin, DocumentationLinks, BaseEstimator):
    r"""Outlier detector by autoencoders, or any transformer, each fitted to a part of the rows.

    With f a transformer's ``transform`` and g its ``inverse_transform``, a model's score is

    =================  ====================================================================
    "likelihood"       the transformer's own ``score_samples``: of a VAE the evidence lower
                       bound of log p(x) in nats, of a PCA log p(x), of an autoencoder minus its
                       reconstruction error
    "reconstruction"   :math:`-\frac{1}{d} \|x - g(f(x))\|^2`, in squared units of X
    "latent"           :math:`-\sqrt{(f(x) - m)^T S^{-1} (f(x) - m)}`, the Mahalanobis distance
                       of the code, m and S being mean and covariance of the training codes
    =================  ====================================================================

    ``score_samples`` is the mean over the models, for a row that was fitted over those that have
    not seen it, and a row is an outlier where it is below ``offset_``. So the threshold and the
    p-values are of scores that rows get which are new.

    Parameters
    ----------
    transformer : transformer, default=None
        Such as a :class:`~skvae.VAETransformer`, ``PCA``, ``FactorAnalysis`` or a ``Pipeline``,
        which may begin with a ``ColumnTransformer``; cloned. One in a ``FrozenEstimator`` is fitted
        already, and all rows are new to it. None is a ``StandardScaler``, a function that draws in
        values far off, and a VAE, for tables in any units; give one to search over its parameters.
    n_estimators : int, default=3
        Number of models, at least three, or with ``calibration_fraction`` at least one. More
        cost as much more, and make thresholds more exact where rows are few.
    max_samples : int, default=2048
        Rows that a model is fitted to, at most; and never more than half of them, but for a single
        model. A row is left out by one of each three models at least.
    n_refits : int, default=1
        How many times a model is fitted again without those of its rows that it finds the least
        normal: five standard deviations below the median of their scores, both estimated so that
        outliers do not matter. 0 for rows that are known to be normal.
    anomaly_score : {"likelihood", "reconstruction", "latent"} or callable, default="likelihood"
        A callable is given a fitted transformer and rows, and returns (n_samples,) finite
        numbers, like ``score_samples`` the higher the more normal a row.
    contamination : float or "auto", default=0.1
        The share of outliers among the rows fitted, in (0, 0.5], and of new rows like them that
        are to be flagged: with m scores ``offset_`` is at place
        ``contamination * (m + 1)`` from below. "auto" asks for none: ``offset_`` is
        :math:`Q_2 - 3 (Q_2 - Q_1) / 0.6745`, from the first quartile and the median of the
        scores, which is three standard deviations below the mean of normal ones, and holds
        while under a quarter of the rows are outliers. Either is lowered by a millionth, so that
        rounding does not part rows that are equal.
    calibration_fraction : float, default=None
        The share of the rows, drawn at random, that no model is fitted to. Threshold and p-values
        are then of these alone: split conformal, and exact.
    n_jobs : int, default=None
        Number of processes that fit models, as joblib understands it.
    random_state : int, RandomState instance or None, default=None
        Seeds the rows of each model, and every ``random_state`` of the transformer that is None.

    Attributes
    ----------
    estimators_ : list of transformers
        Fitted.
    estimators_samples_ : list of ndarray of int
        The rows that each was given. Empty where the transformer was fitted already.
    offset_ : float
        ``decision_function`` is ``score_samples`` less this.
    oob_scores_ : ndarray of shape (n_samples,)
        Scores of the rows fitted by the models that have not seen them. NaN of rows that
        threshold and p-values are not from: those beyond 10,000 drawn at random, or with
        ``calibration_fraction`` those that models were fitted to.
    calibration_scores_ : ndarray of shape (m,)
        Those that are not NaN, ascending.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of str
        Names of the columns, where X has them.

    See Also
    --------
    VAETransformer : Scores without a threshold.
    sklearn.ensemble.IsolationForest : A detector by random splits.

    Notes
    -----
    A value other than the only one that a column had, or a category that is new, is one that a
    model has not seen: it counts as the one that it knows, and lowers the model's score by
    the step from its most to its least normal row, whatever the column's unit. A number
    farther than a million ranges of its column beyond the ends counts as that far.

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
            Training rows, at least three; sparse, with NaN, or a frame of mixed columns where the
            transformer takes such.
        y : ignored
            Present for pipelines and searches.

        Returns
        -------
        self : object
            The fitted detector. A fit that fails leaves none of an earlier one.

        Raises
        ------
        ValueError
            If a parameter is out of its range; if the transformer refuses X; if ``n_estimators``
            is below three without ``calibration_fraction``; if that leaves fewer than three rows;
            if a callable's scores are not (n_samples,) finite numbers, or those of the
            rows fitted are not finite.
        TypeError
            If the transformer lacks the method that ``anomaly_score`` needs.

        Warns
        -----
        UserWarning
            If ``contamination`` is below 1 / (m + 1), which m scores cannot tell. Of what the
            models warn of, each kind of warning comes once.
        """
        with fitted_as_a_whole(self) as fresh:
            fresh._validate_params()
            fresh._fit(fresh._rows(X, reset=True))
        return self

    def _fit(self, X):
        rng = check_random_state(self.random_state)
        transformer = self._chosen(X.shape[0], issparse(X))
        self._check_transformer(transformer)
        self._ranges_ = ColumnRanges(X)
        X = self._ranges_.within(X)
        fitted, held_out = self._divide(X.shape[0], transformer, rng)
        self._fit_members(X, fitted, transformer, rng)
        self._ranges_.take_levels(X, categories_of(self.estimators_[0]))
        calibration = fitted if held_out is None else held_out
        if held_out is None and len(calibration) > MOST_CALIBRATION_ROWS:
            calibration = np.sort(rng.choice(calibration, MOST_CALIBRATION_ROWS, replace=False))
        self._calibrate(X, calibration)

    def _fit_members(self, X, rows, transformer, rng):
        """Fit the models, and remember which rows each has seen."""
        self._anomaly_score_ = self.anomaly_score
        bags = draw_bags(len(rows), self.n_estimators, self.max_samples, rng) if len(rows) else []
        self.estimators_samples_ = bags = [rows[bag] for bag in bags]
        self._members_ = fit_members(
            transformer, self.anomaly_score, self.n_refits, X, bags, self.n_jobs, rng
        )
        self.estimators_ = [member.transformer for member in self._members_]
        self._seen_rows_ = SeenRows(X, bags)

    def _calibrate(self, X, rows):
        """Set the threshold, and what p-values compare with, by rows of which some have no part."""
        X, n_samples = take(X, rows), X.shape[0]
        unseen = self._seen_rows_.unseen(X)
        scores = self._finite_scores(X, unseen)
        # However small an error is, it rounds off as the numbers do that it is between: relative to
        # these, and so its square relative to theirs, by the square of what rounds off a score.
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
                f"A contamination below 1 / (m + 1) cannot be told by m={len(own)} scores of rows "
                f"that the models have not seen. Got {self.contamination}, and the threshold is "
                f"the least of them instead, which a new normal row undercuts with a "
                f"probability of {1 / (len(own) + 1):.2g}. Give more rows, or raise contamination."
            )

    def _finite_scores(self, X, unseen):
        """Return the models' scores of rows to calibrate by, or say that there are none."""
        cause = None
        try:
            scores = self._member_scores(X, unseen)
        except np.linalg.LinAlgError as error:  # PCA without a dimension for the noise
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

    def _check_transformer(self, transformer):
        """Refuse a transformer that cannot give the score."""
        for kind, method, other in (
            ("likelihood", "score_samples", "reconstruction"),
            ("reconstruction", "inverse_transform", "latent"),
        ):
            if self.anomaly_score == kind and not hasattr(transformer, method):
                raise TypeError(
                    f"anomaly_score={kind!r} needs a transformer with {method}. Got "
                    f"{type(transformer).__name__} instead. Use anomaly_score={other!r}."
                )

    def _divide(self, n_samples, transformer, rng):
        """Return the rows to fit models to, and those held out or None."""
        rows = np.arange(n_samples)
        if isinstance(transformer, FrozenEstimator):
            return rows[:0], rows
        if self.calibration_fraction is None:
            if self.n_estimators < LEAST_ESTIMATORS:
                raise ValueError(
                    f"Every row needs a model that has not seen it: n_estimators must be at least "
                    f"{LEAST_ESTIMATORS} without calibration_fraction. Got {self.n_estimators} "
                    f"instead. Set calibration_fraction, such as to 0.2, or use more models."
                )
            return rows, None
        rows = rng.permutation(rows)
        n_held_out = max(1, round(self.calibration_fraction * n_samples))
        least = LEAST_ROWS if self.n_estimators == 1 else LEAST_ROWS + 1
        if n_samples - n_held_out < least:
            raise ValueError(
                f"Calibration needs at least {least} rows to train on and one to hold out. Got "
                f"n_samples={n_samples} with calibration_fraction={self.calibration_fraction} "
                f"instead. Give more rows, or hold out fewer."
            )
        return np.sort(rows[n_held_out:]), np.sort(rows[:n_held_out])
