"""Outliers: rows that a transformer cannot reconstruct, or finds improbable."""

from collections.abc import Callable
from dataclasses import KW_ONLY
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.covariance import EmpiricalCovariance
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, resample

from skvae._typing import MatrixLike, Seed, Transformer
from skvae.base.documentation import DocumentationLinks, block_around
from skvae.base.fitted import nothing_if_it_fails
from skvae.base.hyperparameters import (
    AT_MOST_HALF,
    PROPER_FRACTION,
    TRANSFORMER,
    hyperparameters,
    one_of,
)
from skvae.base.sklearn_bases import BaseEstimator
from skvae.outlier.inference import OutlierInferenceMixin
from skvae.outlier.robust_vae import RobustVAE
from skvae.outlier.scores import codes_of, mean_squares

__all__ = ["ReconstructionOutlierDetector"]

FENCE = 3.0  # standard deviations below the median, where the scores are normal
NORMAL_QUARTILE = 0.6745  # of a standard normal variable
TYPICAL_ROWS = 500  # that tell what a column's contribution usually is


@hyperparameters
class ReconstructionOutlierDetector(OutlierInferenceMixin, DocumentationLinks, BaseEstimator):
    r"""Outlier detector by what a transformer cannot reconstruct, or finds improbable.

    With f the transformer's ``transform`` and g its ``inverse_transform``, ``score_samples`` is

    =================  ====================================================================
    "likelihood"       the transformer's own ``score_samples``: of a VAE the evidence lower
                       bound of log p(x) in nats, of a PCA log p(x), of an autoencoder minus its
                       reconstruction error
    "reconstruction"   :math:`-\frac{1}{d} \|x - g(f(x))\|^2`, in squared units of X
    "latent"           :math:`-\sqrt{(f(x) - m)^T S^{-1} (f(x) - m)}`, the Mahalanobis distance
                       of the code, m and S being mean and covariance of the training codes
    =================  ====================================================================

    and a row is an outlier where it is below ``offset_``.

    Parameters
    ----------
    transformer : transformer with ``inverse_transform``, default=None
        Such as a :class:`~skvae.VAETransformer`, ``PCA``, ``KernelPCA`` or a ``Pipeline``; cloned.
        None is a :class:`~skvae.outlier.RobustVAE`, for tables in any units; give one to search
        over its parameters.
    anomaly_score : {"likelihood", "reconstruction", "latent"} or callable, default="likelihood"
        A callable is given the fitted transformer and rows, and returns (n_samples,) finite
        numbers, like ``score_samples`` the higher the more normal a row.
    contamination : float or "auto", default=0.1
        The share of outliers among the rows fitted, in (0, 0.5]: ``offset_`` is that quantile of
        their scores. "auto" asks for none: ``offset_`` is
        :math:`Q_2 - 3 (Q_2 - Q_1) / 0.6745`, from the first quartile and the median of the
        scores, which is three standard deviations below the mean of normal ones, and holds
        while under a quarter of the rows are outliers. Either is lowered by a millionth, so that
        rounding does not part rows that are equal.
    calibration_fraction : float, default=None
        The share of the rows that is held out of the transformer's training, drawn at random, for
        ``p_value`` to compare with.
    random_state : int, RandomState instance or None, default=None
        Seeds the rows held out, and every ``random_state`` of the transformer that is None.

    Attributes
    ----------
    transformer_ : transformer
        Fitted.
    offset_ : float
        ``decision_function`` is ``score_samples`` less this.
    calibration_scores_ : ndarray of shape (n_calibration,)
        Scores of the rows held out, ascending. With ``calibration_fraction`` only.
    code_distribution_ : EmpiricalCovariance
        Mean and covariance of the training codes. With ``anomaly_score="latent"`` only.
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
    Fitted to all rows the transformer learns to reconstruct the outliers among them too, the more
    the longer it trains and the larger it is. Where rows known to be normal are at hand, fit to
    these.

    References
    ----------
    .. [1] J. An and S. Cho (2015), Variational autoencoder based anomaly detection using
       reconstruction probability, SNU Data Mining Center.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> from skvae import ReconstructionOutlierDetector
    >>> rng = np.random.RandomState(0)
    >>> X = rng.standard_normal((200, 2)) @ [[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]
    >>> detector = ReconstructionOutlierDetector(PCA(2), anomaly_score="reconstruction").fit(X)
    >>> detector.predict([[1.0, 1.0, 2.0], [1.0, 1.0, -2.0]])
    array([ 1, -1])
    """

    transformer: Transformer | None = None
    _: KW_ONLY
    anomaly_score: str | Callable[[Any, Any], ArrayLike] = "likelihood"
    contamination: float | str = 0.1
    calibration_fraction: float | None = None
    random_state: Seed = None

    _parameter_constraints = {
        "transformer": [*TRANSFORMER, None],
        "anomaly_score": [*one_of("likelihood", "reconstruction", "latent"), callable],
        "contamination": [*one_of("auto"), *AT_MOST_HALF],
        "calibration_fraction": [*PROPER_FRACTION, None],
        "random_state": ["random_state"],
    }

    def fit(self, X: MatrixLike, y: Any = None) -> Self:
        """Fit the transformer and the threshold.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows, at least two; sparse where the transformer takes such.
        y : ignored
            Present for pipelines and searches.

        Returns
        -------
        self : object
            The fitted detector. A fit that fails leaves none of an earlier one.

        Raises
        ------
        ValueError
            If a parameter is out of its range; if the transformer refuses X; if
            ``calibration_fraction`` leaves it fewer than two rows; if a callable's scores are
            not (n_samples,) finite numbers, or those of the rows fitted are not finite.
        TypeError
            If ``anomaly_score="likelihood"`` and the transformer has no ``score_samples``.
        """
        with nothing_if_it_fails(self):
            self._validate_params()
            self._fit(self._rows(X, reset=True))
        return self

    def _fit(self, X):
        rng = check_random_state(self.random_state)
        split_seed, seed, some_seed = (rng.randint(2**31 - 1) for _ in range(3))
        transformer = _seeded(clone(self._chosen()), np.random.RandomState(seed))
        if self.anomaly_score == "likelihood" and not hasattr(transformer, "score_samples"):
            raise TypeError(
                f"anomaly_score='likelihood' needs a transformer with score_samples. Got "
                f"{type(transformer).__name__} instead. Use anomaly_score='reconstruction'."
            )
        trained_on, held_out = self._split(X, split_seed)
        self.transformer_ = transformer.fit(trained_on)
        if self.anomaly_score == "latent":
            self.code_distribution_ = EmpiricalCovariance().fit(codes_of(transformer, trained_on))
        self._anomaly_score_ = self.anomaly_score
        scores = self._finite_scores(trained_on)
        if held_out is not None:
            self.calibration_scores_ = np.sort(self._finite_scores(held_out))
            scores = np.append(scores, self.calibration_scores_)
        n_some = min(TYPICAL_ROWS, X.shape[0])
        some = resample(X, replace=False, n_samples=n_some, random_state=some_seed)
        # Errors round off as the squares do that they come from, however small they are.
        sizes = mean_squares(some) if self.anomaly_score == "reconstruction" else np.abs(scores)
        self._score_scale_ = np.median(sizes)
        threshold = _threshold(scores, self.contamination)
        self.offset_ = threshold - self._rounding(threshold)
        terms = self._contributions(some)
        if terms is not None:
            self._typical_contributions_ = np.median(terms.contributions, axis=0)

    def _finite_scores(self, X):
        """Return the scores of rows that are fitted, or say that there are none."""
        cause = None
        try:
            scores = self._scores(X)
        except np.linalg.LinAlgError as error:  # PCA without a dimension for the noise
            scores, cause = np.full(X.shape[0], np.nan), error
        if not np.isfinite(scores).all():
            raise ValueError(
                f"The scores of the rows fitted must be finite. Got "
                f"{np.sum(~np.isfinite(scores))} of {len(scores)} that are not, from "
                f"{type(self.transformer_).__name__}. Use fewer components, or "
                f"anomaly_score='reconstruction'."
            ) from cause
        return scores

    def _chosen(self):
        """Return the transformer that ``fit`` clones."""
        return RobustVAE() if self.transformer is None else self.transformer

    def _sk_visual_block_(self):
        shown = self.transformer_ if hasattr(self, "transformer_") else self._chosen()
        return block_around("transformer", shown)

    def _split(self, X, seed):
        """Return the rows to train on, and those held out or None."""
        if self.calibration_fraction is None:
            return X, None
        n_samples = X.shape[0]
        n_held_out = max(1, round(self.calibration_fraction * n_samples))
        if n_samples - n_held_out < 2:
            raise ValueError(
                f"Calibration needs at least two rows to train on and one to hold out. Got "
                f"n_samples={n_samples} with calibration_fraction={self.calibration_fraction} "
                f"instead. Give more rows, or hold out fewer."
            )
        return train_test_split(X, test_size=n_held_out, random_state=seed)


def _seeded(transformer, rng):
    """Give every ``random_state`` of a transformer that is None a seed."""
    unset = [
        name
        for name, value in sorted(transformer.get_params().items())
        if name.rpartition("__")[2] == "random_state" and value is None
    ]
    return transformer.set_params(**{name: rng.randint(2**31 - 1) for name in unset})


def _threshold(scores, contamination):
    """Return the quantile of the scores, or for "auto" the fence below them."""
    if contamination != "auto":
        return float(np.percentile(scores, 100.0 * contamination))
    quartile, median = np.percentile(scores, [25, 50])
    return float(median - FENCE * (median - quartile) / NORMAL_QUARTILE)
