"""The methods of a fitted outlier detector."""

from typing import Any

import numpy as np
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skvae._frames import out_of_arrow
from skvae._typing import MatrixLike
from skvae.base.hyperparameters import check_integer
from skvae.base.sklearn_bases import OutlierMixin
from skvae.base.states import of_one_state
from skvae.base.validation import FittedColumns, names_of_features
from skvae.outlier.calibration import Calibration, mean_where, p_values
from skvae.outlier.explanations import Explanation, contributions, explanation
from skvae.outlier.groups import categories_of, groups_of, ignored_holes
from skvae.outlier.seen_rows import SeenRows
from skvae.outlier.tables import is_mixed, take, valid_frame, valid_rows

__all__ = ["OutlierInferenceMixin"]


class OutlierInferenceMixin(OutlierMixin, FittedColumns):
    """The methods of a fitted detector. They do not change its attributes."""

    estimators_: list[Any]
    estimators_samples_: list[np.ndarray]
    offset_: float
    oob_scores_: np.ndarray
    calibration_scores_: np.ndarray
    _anomaly_score_: Any
    _calibration_: Calibration
    _frame_type_: Any
    _members_: tuple
    _mixed_: bool
    _ranges_: Any
    _score_scale_: float
    _seen_rows_: SeenRows

    def __sklearn_is_fitted__(self):
        return hasattr(self, "offset_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        transformer = self.transformer
        if transformer is None or hasattr(transformer, "__sklearn_tags__"):
            tags.input_tags.sparse = transformer is None or get_tags(transformer).input_tags.sparse
        if hasattr(transformer, "__sklearn_tags__"):
            tags.input_tags.allow_nan = get_tags(transformer).input_tags.allow_nan
        return tags

    def _rows(self, X, *, reset=False):
        """Return X, validated, as the kind of table that the models were fitted to."""
        X = out_of_arrow(X)
        if reset:
            self._mixed_ = is_mixed(X)
            if self._mixed_ and self.transformer is None:
                raise ValueError(
                    "The default transformer of a detector needs rows of numbers. Got a table with "
                    "other columns instead. Pass a transformer that accepts them, such as a "
                    "TableTransformer."
                )
        else:
            check_is_fitted(self)
        if self._mixed_:
            if not hasattr(X, "columns"):
                raise ValueError(
                    f"X must be a DataFrame with the columns that were fitted, which are not all "
                    f"numbers. Got {type(X).__name__} instead. Pass a DataFrame."
                )
            return valid_frame(self, X, reset=reset)
        rows = valid_rows(self, X, reset=reset)
        if reset:
            self._frame_type_ = type(rows) if hasattr(rows, "columns") else None
        elif self._frame_type_ is not None and isinstance(rows, np.ndarray):
            return self._frame_type_(dict(zip(self.feature_names_in_, rows.T, strict=True)))
        return rows

    def _member_scores(self, X, unseen):
        """Return each model's scores of the rows it was not fitted to, and 0 for other rows."""
        scores = np.zeros(unseen.shape)
        for member, column, rows in zip(self._members_, scores.T, unseen.T, strict=True):
            if rows.all():
                column[:] = member.score(X)
            elif rows.any():
                column[rows] = member.score(take(X, np.flatnonzero(rows)))
        return scores

    def _scores(self, X):
        """Return how normal the rows are; they must be validated."""
        X = self._ranges_.within(X)
        unseen = self._seen_rows_.unseen(X)
        return mean_where(self._member_scores(X, unseen), unseen)

    @of_one_state
    def score_samples(self, X: MatrixLike) -> np.ndarray:
        """Return how normal each row is: the mean of the models' scores, by ``anomaly_score``.

        A training row, or a row equal to one, is scored by the models that were not fitted to it.
        If all models were, it is scored by all.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows of the same kind as the training data.

        Returns
        -------
        ndarray of shape (n_samples,), float64
            Higher is more normal.
        """
        return self._scores(self._rows(X))

    @of_one_state
    def decision_function(self, X: MatrixLike) -> np.ndarray:
        """Return ``score_samples(X) - offset_``: negative for outliers.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows of the same kind as the training data.

        Returns
        -------
        ndarray of shape (n_samples,), float64
            Higher is more normal.
        """
        return self.score_samples(X) - self.offset_

    @of_one_state
    def predict(self, X: MatrixLike) -> np.ndarray:
        """Label each row as an outlier or an inlier.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows of the same kind as the training data.

        Returns
        -------
        ndarray of shape (n_samples,), int
            -1 for outliers, 1 for inliers.
        """
        return np.where(self.decision_function(X) >= 0, 1, -1)

    @of_one_state
    def p_value(self, X: MatrixLike) -> np.ndarray:
        r"""Return the conformal p-value of each row: how often a normal row scores as low or lower.

        .. math:: p(x) = \frac{1 + \#\{i : s_i^{-x} \le s_x^{-i}\}}{m + 1}

        Here i runs over the m rows with ``oob_scores_``. Rows x and i are compared by the mean over
        the models that were not fitted to i. A training row is compared by its own out-of-bag
        score. If x is exchangeable with the training rows, the following holds.

        - Out of bag, :math:`P(p \le \alpha) \le 2 \alpha` is proved for every level
          :math:`\alpha` and every transformer, if no two rows are equal [1]_. In
          ``benchmarks/false_alarms.py`` the measured rate is :math:`\alpha` or less. Nothing is
          proved for rows with so many copies that all models have seen one. Their p-values are too
          large.
        - With ``calibration_fraction`` all models are compared, and
          :math:`P(p \le \alpha) \le \alpha` is proved, over random draws of both the new row and
          the held-out rows. Without ties, equality holds if :math:`\alpha (m + 1)` is an integer
          [2]_.

        The smallest possible value is 1 / (m + 1). Outliers among the training rows make p-values
        larger, never too small. Scores that differ by at most a millionth count as equal, because
        rounding can cause such differences between equal rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows of the same kind as the training data.

        Returns
        -------
        ndarray of shape (n_samples,), float64
            In (0, 1]; small for outliers. The p-values of several rows are compared with the same
            calibration rows, so they are not independent.

        References
        ----------
        .. [1] B. Kim, C. Xu and R. Barber (2020), Predictive inference is free with the
           jackknife+-after-bootstrap, NeurIPS.
        .. [2] S. Bates, E. Candes, L. Lei, Y. Romano and M. Sesia (2023), Testing for outliers
           with conformal p-values, Annals of Statistics 51.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.decomposition import PCA
        >>> from skvae import AutoencoderOutlierDetector
        >>> X = np.random.RandomState(0).standard_normal((99, 3))
        >>> detector = AutoencoderOutlierDetector(PCA(1), random_state=0).fit(X)
        >>> detector.p_value([[9.0, 9.0, 9.0]])
        array([0.01])
        """
        X = self._ranges_.within(self._rows(X))
        unseen = self._seen_rows_.unseen(X)
        scores = self._member_scores(X, unseen)
        return p_values(scores, unseen, self._calibration_, self._score_scale_)

    @of_one_state
    def explain(self, X: MatrixLike, n_features: int | None = None) -> Explanation:
        r"""Return which columns make each row less normal, and by how much.

        Put the columns in some order, and replace the values of a row x by the typical values t,
        one column after another. Each replacement changes the score. The contribution of a column
        is its mean change over ten random orders and their reverses. Together,

        .. math:: \sum_j c_j(x) = s(x) - s(t)

        which is the score of the row minus the score of the typical values. The contributions are
        Shapley values. They are exact if the score is quadratic, as the log-density of a PCA is,
        and approximate otherwise [1]_.

        The columns of a one-hot block change together and have one line, if the transformer's
        ``likelihood`` declares the block. Missing values stay missing and contribute 0, if the
        transformer ignores them (``missing="mask"``).

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows of the same kind as the training data. Each row needs about twenty scores for each
            column of X.
        n_features : int, default=None
            Number of columns to list for each row. None lists all.

        Returns
        -------
        Explanation
            One line for each row and column; the most harmful column of a row comes first. It
            prints as a table, and ``to_frame()`` returns this table:

            - "row": the label of the row in the index of X, or its number
            - "column": the name of the column, or ``x0``, ``x1``, ... if there are no names
            - "value": the value in this row; for a one-hot block, the name of the column that is 1
            - "typical": the median of the training rows; if the column is not numeric, the most
              frequent value
            - "contribution": in units of the score; negative if the column makes the row less
              normal

        References
        ----------
        .. [1] E. Strumbelj and I. Kononenko (2014), Explaining prediction models and individual
           predictions with feature contributions, Knowledge and Information Systems 41.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.decomposition import PCA
        >>> from skvae import AutoencoderOutlierDetector
        >>> rng = np.random.RandomState(0)
        >>> X = rng.standard_normal((200, 2)) @ [[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]
        >>> X += 0.1 * rng.standard_normal((200, 3))
        >>> detector = AutoencoderOutlierDetector(PCA(2), random_state=0).fit(X)
        >>> explained = detector.explain([[0.0, 0.0, 9.0]])
        >>> print(explained.column[0], explained.value[0])
        x2 9.0
        >>> explained.to_frame().shape
        (3, 5)
        """
        X = self._rows(X)
        if n_features is not None:
            check_integer("n_features", n_features, "explain")
        typical = self._ranges_.typical
        names = names_of_features(self)
        categories = categories_of(self.estimators_[0])
        groups = groups_of(categories, len(typical)) if categories else None
        ignored = ignored_holes(self.estimators_[0], X)
        found = contributions(self._scores, X, typical, groups=groups, ignored=ignored)
        return explanation(X, found, typical, names, n_features, groups=groups)
