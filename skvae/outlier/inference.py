"""What a fitted outlier detector answers, of rows that are valid."""

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
    """The methods of a fitted detector. They change none of its attributes."""

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
        """Return X, valid, in the kind that the models were fitted to."""
        X = out_of_arrow(X)
        if reset:
            self._mixed_ = is_mixed(X)
            if self._mixed_ and self.transformer is None:
                raise ValueError(
                    "The transformer that a detector takes by itself needs rows of numbers. Got a "
                    "table with other columns instead. Give one that takes them, such as a "
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
        """Return the scores of the models that have not seen a row, and 0 of the others."""
        scores = np.zeros(unseen.shape)
        for member, column, rows in zip(self._members_, scores.T, unseen.T, strict=True):
            if rows.all():
                column[:] = member.score(X)
            elif rows.any():
                column[rows] = member.score(take(X, np.flatnonzero(rows)))
        return scores

    def _scores(self, X):
        """Return how normal rows are that are valid."""
        X = self._ranges_.within(X)
        unseen = self._seen_rows_.unseen(X)
        return mean_where(self._member_scores(X, unseen), unseen)

    @of_one_state
    def score_samples(self, X: MatrixLike) -> np.ndarray:
        """Return how normal each row is: the mean of the models' scores, by ``anomaly_score``.

        A row that was fitted, or one equal to it, is scored by the models that have not seen it;
        where all have, by all.

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

    @of_one_state
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

    @of_one_state
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

    @of_one_state
    def p_value(self, X: MatrixLike) -> np.ndarray:
        r"""Return the conformal p-value of each row: how often a normal row scores so low.

        .. math:: p(x) = \frac{1 + \#\{i : s_i^{-x} \le s_x^{-i}\}}{m + 1}

        where i are the m rows with ``oob_scores_``, and x and i are compared by the mean over the
        models that have not seen i. A row that was fitted is compared by its own out-of-bag score.
        If x is exchangeable with the rows fitted,

        - out of bag :math:`P(p \le \alpha) \le 2 \alpha` is proved for every level
          :math:`\alpha`, whatever the transformer, where no two rows are equal [1]_;
          ``benchmarks/false_alarms.py`` measures :math:`\alpha` or less. Nothing is proved of rows
          with so many copies that all models have seen one, which makes it larger;
        - with ``calibration_fraction`` all models are compared, and
          :math:`P(p \le \alpha) \le \alpha` is proved, over draws of both the row and those
          held out; with equality, but for ties, where :math:`\alpha (m + 1)` is an
          integer [2]_.

        The least value is 1 / (m + 1). Outliers among the rows fitted make it larger, never too
        small. Scores count as equal that differ by a millionth, as those of equal rows may.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows like those fitted.

        Returns
        -------
        ndarray of shape (n_samples,), float64
            In (0, 1]; small for outliers. Those of several rows share the rows that they are
            compared with, and are not independent.

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

        In some order of the columns, those of a row x get their typical values t one after the
        other, and each makes a difference to the score. A column contributes the mean of its
        differences over ten random orders and their opposites, and all together

        .. math:: \sum_j c_j(x) = s(x) - s(t)

        the row's score less that of the typical values. These are Shapley values, exact where
        the score is quadratic, as the density of a PCA, and else nearly so [1]_.

        The columns of a one-hot block, where the transformer's ``likelihood`` says so, change
        together and have one line. What was not observed stays so where the transformer leaves it
        out (``missing="mask"``), and contributes 0.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows like those fitted. Each takes twenty times as many scores as X has columns.
        n_features : int, default=None
            How many columns of each row; None for all.

        Returns
        -------
        Explanation
            A line for each row and column, the most harmful first. It prints as a table, and
            ``to_frame()`` is that table:

            - "row": the row's label in the index of X, or its number
            - "column": its name; ``x0``, ``x1``, ... where the columns have none
            - "value": what the row has there; of a block the name of the column that is 1
            - "typical": the median of the rows fitted; of what is no number the most frequent value
            - "contribution": in units of the score, negative where the row is less normal by it

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
