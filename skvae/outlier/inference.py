"""What a fitted outlier detector answers, of rows that are valid."""

from typing import Any

import numpy as np
from sklearn.covariance import EmpiricalCovariance
from sklearn.utils import Bunch, get_tags
from sklearn.utils.validation import check_is_fitted

from skvae._typing import MatrixLike
from skvae.base.hyperparameters import check_integer
from skvae.base.sklearn_bases import OutlierMixin
from skvae.base.validation import FittedColumns, generated_feature_names, valid_rows
from skvae.outlier.scores import (
    contributions,
    distance_scores,
    likelihood_scores,
    reconstruction_scores,
)

__all__ = ["OutlierInferenceMixin"]

ROUNDING = 1e-6  # relative


class OutlierInferenceMixin(OutlierMixin, FittedColumns):
    """The methods of a fitted detector. They change none of its attributes."""

    transformer_: Any
    offset_: float
    calibration_scores_: np.ndarray
    code_distribution_: EmpiricalCovariance
    _anomaly_score_: Any
    _score_scale_: float
    _typical_contributions_: np.ndarray

    def __sklearn_is_fitted__(self):
        return hasattr(self, "offset_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        transformer = getattr(self, "transformer_", self.transformer)
        if transformer is None or hasattr(transformer, "__sklearn_tags__"):
            tags.input_tags.sparse = transformer is None or get_tags(transformer).input_tags.sparse
        return tags

    def _rows(self, X, *, reset=False):
        accept_sparse = get_tags(self).input_tags.sparse
        return valid_rows(self, X, accept_sparse=accept_sparse, reset=reset)

    def _scores(self, X):
        """Return how normal rows are that are valid."""
        kind, transformer = self._anomaly_score_, self.transformer_
        if kind == "reconstruction":
            scores = reconstruction_scores(transformer, X)
        elif kind == "latent":
            scores = distance_scores(transformer, X, self.code_distribution_)
        elif kind == "likelihood":
            scores = likelihood_scores(transformer, X)
        else:
            return self._scores_of_callable(X)
        return np.where(np.isnan(scores), -np.inf, scores)  # rows too far off to compute with

    def _scores_of_callable(self, X):
        scores = np.asarray(self._anomaly_score_(self.transformer_, X), dtype=np.float64)
        if scores.shape != (X.shape[0],) or not np.isfinite(scores).all():
            bad = "inf or nan" if scores.shape == (X.shape[0],) else f"shape {scores.shape}"
            raise ValueError(
                f"anomaly_score must return finite numbers of shape {(X.shape[0],)}, one for "
                f"each row. Got {bad} instead. Return them, higher for more normal rows."
            )
        return scores

    def _rounding(self, scores):
        """Return by how much rounding may move scores: the rows scored beside decide on it."""
        size = np.abs(scores) + self._score_scale_
        return np.where(np.isfinite(size), ROUNDING * size, 0.0)

    def _contributions(self, X):
        """Return what the columns contribute to the scores, or None if that is not told."""
        if self._anomaly_score_ in ("reconstruction", "likelihood"):
            return contributions(self.transformer_, X, self._anomaly_score_)
        return None

    def score_samples(self, X: MatrixLike) -> np.ndarray:
        """Return how normal each row is, by ``anomaly_score``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows like those fitted.

        Returns
        -------
        ndarray of shape (n_samples,), float64
            Higher is more normal.
        """
        return self._scores(self._rows(X))

    def decision_function(self, X: MatrixLike) -> np.ndarray:
        """Return ``score_samples(X) - offset_``: negative for outliers.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows like those fitted.

        Returns
        -------
        ndarray of shape (n_samples,), float64
            Higher is more normal.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: MatrixLike) -> np.ndarray:
        """Tell outliers from inliers.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows like those fitted.

        Returns
        -------
        ndarray of shape (n_samples,), int
            -1 for outliers, 1 for inliers.
        """
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def p_value(self, X: MatrixLike) -> np.ndarray:
        r"""Return the conformal p-value of each row's score.

        With s the score of the row and :math:`s_1, \ldots, s_m` those of the rows held out,

        .. math:: p = \frac{1 + \#\{i : s_i \le s\}}{m + 1}

        A row exchangeable with those held out has :math:`P(p \le \alpha) \le \alpha` for every
        :math:`\alpha`, whatever the transformer, over draws of both the row and those held
        out; with equality, but for ties, where :math:`\alpha (m + 1)` is an integer. The least
        value is 1 / (m + 1). Outliers among the rows held out make it larger, never too small.
        Scores count as equal that differ by a millionth, as those of equal rows may.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows like those fitted.

        Returns
        -------
        ndarray of shape (n_samples,), float64
            In (0, 1]; small for outliers. Those of several rows share the rows held out, and
            are not independent.

        Raises
        ------
        ValueError
            If the detector was fitted without ``calibration_fraction``.

        References
        ----------
        .. [1] S. Bates, E. Candes, L. Lei, Y. Romano and M. Sesia (2023), Testing for outliers
           with conformal p-values, Annals of Statistics 51.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.decomposition import PCA
        >>> from skvae import ReconstructionOutlierDetector
        >>> X = np.random.RandomState(0).standard_normal((200, 3))
        >>> detector = ReconstructionOutlierDetector(
        ...     PCA(1), calibration_fraction=0.495, random_state=0
        ... ).fit(X)
        >>> detector.p_value([[9.0, 9.0, 9.0]])
        array([0.01])
        """
        check_is_fitted(self)
        if not hasattr(self, "calibration_scores_"):
            raise ValueError(
                "p_value needs rows held out of the training. Got a detector fitted with "
                "calibration_fraction=None instead. Set it, such as to 0.2, and fit again."
            )
        scores = self.score_samples(X)
        scores += self._rounding(scores)
        below = np.searchsorted(self.calibration_scores_, scores, side="right")
        return (1 + below) / (1 + len(self.calibration_scores_))

    def explain(self, X: MatrixLike, n_features: int | None = None) -> Bunch:
        r"""Return what every column contributes to the score of each row.

        .. math:: \text{score}(x) = \sum_j c_j(x) - KL(q(z|x) \,\|\, p(z))

        with :math:`c_j = -(x_j - g(f(x))_j)^2 / d` for "reconstruction"; for the "likelihood" of
        a VAE :math:`c_j = E_{q(z|x)}[\log p(x_j|z)]`; of a PCA with precision :math:`\Lambda`
        :math:`-\frac{1}{2} (x_j - \mu_j) [\Lambda (x - \mu)]_j` and an equal share of the
        constant. But for a VAE's likelihood the divergence is 0.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows like those fitted.
        n_features : int, default=None
            Return only those columns of each row that are the furthest below what is typical
            of them, the first the furthest.

        Returns
        -------
        Bunch
            With d columns, or k where ``n_features=k``:

            - "contributions": (n_samples, d) or (n_samples, k), float64
            - "feature_names": (d,), or (n_samples, k) of each row's own; ``x0``, ``x1``, ...
              where the columns have no names
            - "typical": (d,) or (n_samples, k), the median contribution in the rows fitted: a
              noisy column always contributes less
            - "kl": (n_samples,), in nats
            - "rest": (n_samples,), what the columns left out contribute

            ``contributions.sum(axis=1) + rest - kl`` is ``score_samples(X)``. The likelihood's
            columns are those that a Pipeline's last step is given.

        Raises
        ------
        ValueError
            If the score is none of columns: "latent", a callable, or the likelihood of
            a transformer other than those above.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.decomposition import PCA
        >>> from skvae import ReconstructionOutlierDetector
        >>> rng = np.random.RandomState(0)
        >>> X = rng.standard_normal((200, 2)) @ [[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]
        >>> detector = ReconstructionOutlierDetector(PCA(2), anomaly_score="reconstruction")
        >>> explained = detector.fit(X).explain([[1.0, 1.0, -4.0]])
        >>> explained.contributions.round(6)
        array([[-1.333333, -1.333333, -1.333333]])
        """
        X = self._rows(X)
        terms = self._contributions(X) if hasattr(self, "_typical_contributions_") else None
        if terms is None:
            raise ValueError(
                f"explain needs a score that is a sum over columns: 'reconstruction', or the "
                f"'likelihood' of a VAE, an autoencoder or a PCA. Got "
                f"anomaly_score={self._anomaly_score_!r} of {type(self.transformer_).__name__} "
                f"instead. Use anomaly_score='reconstruction'."
            )
        values, typical = terms.contributions, self._typical_contributions_
        names = terms.feature_names
        if names is None:
            names = getattr(self, "feature_names_in_", generated_feature_names(len(typical)))
        rest = np.zeros(len(values))
        if n_features is not None:
            check_integer("n_features", n_features, "explain")
            columns = np.argsort(values - typical, axis=1, kind="stable")
            chosen, left_out = columns[:, :n_features], columns[:, n_features:]
            rest = np.take_along_axis(values, left_out, axis=1).sum(axis=1)
            values = np.take_along_axis(values, chosen, axis=1)
            names, typical = names[chosen], typical[chosen]
        return Bunch(
            contributions=values, feature_names=names, typical=typical, kl=terms.kl, rest=rest
        )
