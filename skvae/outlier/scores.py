"""How normal rows are under a fitted transformer."""

import numpy as np
from scipy.sparse import issparse

from skvae.base.pipelines import split_last
from skvae.base.validation import dense

__all__ = [
    "codes_of",
    "distance_scores",
    "likelihood_scores",
    "mean_squares",
    "reconstruction_scores",
]

CHUNK_ENTRIES = 2**22  # that a transformer is given at a time


def reconstruction_scores(transformer, X):
    r"""Return minus the mean squared error of the reconstruction, row by row.

    .. math:: -\frac{1}{d} \|x - g(f(x))\|^2

    Parameters
    ----------
    transformer : transformer with ``inverse_transform``
        Fitted.
    X : {array, DataFrame, sparse matrix} of shape (n_samples, n_features)
        Rows like those fitted.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        In squared units of X.

    Raises
    ------
    ValueError
        If ``inverse_transform`` does not return rows like those of X.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> from skvae.outlier.scores import reconstruction_scores
    >>> X = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
    >>> reconstruction_scores(PCA(1).fit(X), np.array([[1.0, 4.0]]))
    array([-4.5])
    """
    if hasattr(transformer, "reconstruction_error"):  # in chunks, however large X is
        return -transformer.reconstruction_error(X).astype(np.float64, copy=False)
    return _by_chunks(lambda rows: -_mean_squared_errors(transformer, rows), X)


def likelihood_scores(transformer, X):
    """Return the transformer's own ``score_samples``, row by row.

    Sparse rows become dense, some at a time, where the transformer is not one of this package:
    PCA fits sparse rows, and scores dense ones only.

    Parameters
    ----------
    transformer : transformer with ``score_samples``
        Fitted.
    X : {array, DataFrame, sparse matrix} of shape (n_samples, n_features)
        Rows like those fitted.

    Returns
    -------
    ndarray of shape (n_samples,), float64

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> from skvae.outlier.scores import likelihood_scores
    >>> X = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    >>> likelihood_scores(PCA(2).fit(X), X[:1]).round(3)
    array([-2.182])
    """
    takes_sparse = hasattr(split_last(transformer)[1], "elbo_terms")

    def score(rows):
        rows = dense(rows) if issparse(rows) and not takes_sparse else rows
        return np.asarray(transformer.score_samples(rows), dtype=np.float64)

    return _by_chunks(score, X)


def distance_scores(transformer, X, distribution):
    r"""Return minus the Mahalanobis distance of the codes, row by row.

    .. math:: -\sqrt{(f(x) - m)^T S^{-1} (f(x) - m)}

    Parameters
    ----------
    transformer : transformer
        Fitted.
    X : {array, DataFrame, sparse matrix} of shape (n_samples, n_features)
        Rows like those fitted.
    distribution : EmpiricalCovariance
        Fitted to the codes of the training rows, whose mean m and covariance S it has.

    Returns
    -------
    ndarray of shape (n_samples,), float64

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.covariance import EmpiricalCovariance
    >>> from sklearn.decomposition import PCA
    >>> from skvae.outlier.scores import distance_scores
    >>> X = np.array([[-1.0, 1.0], [1.0, 1.0]])
    >>> pca = PCA(1).fit(X)
    >>> codes = EmpiricalCovariance().fit(pca.transform(X))
    >>> distance_scores(pca, np.array([[3.0, 1.0]]), codes)
    array([-3.])
    """
    squares = distribution.mahalanobis(codes_of(transformer, X))
    return -np.sqrt(np.maximum(squares, 0.0))


def codes_of(transformer, X):
    """Return the codes of X as a float64 array, whatever ``set_output`` makes of them."""
    return dense(transformer.transform(X)).astype(np.float64, copy=False)


def mean_squares(X):
    """Return the mean square of what is known of every row, (n_samples,), float64.

    Examples
    --------
    >>> from skvae.outlier.scores import mean_squares
    >>> mean_squares([[3.0, 4.0], [0.0, 2.0]])
    array([12.5,  2. ])
    """
    X = dense(X).astype(np.float64, copy=False)
    return _mean_where(~np.isnan(X), np.square(X))


def _mean_where(known, squares):
    """Return the mean of every row over some places, 0 where there is none."""
    return np.where(known, squares, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)


def _mean_squared_errors(transformer, X):
    """Return the mean squared error of every row over what it has, in float64."""
    try:
        rows = dense(X).astype(np.float64, copy=False)
    except (TypeError, ValueError):  # text, dates
        raise ValueError(
            "anomaly_score='reconstruction' needs rows that are numbers. Got a table with other "
            "columns instead. Set anomaly_score='likelihood'."
        ) from None
    reconstruction = dense(transformer.inverse_transform(transformer.transform(X)))
    if reconstruction.shape != rows.shape:
        raise ValueError(
            f"inverse_transform must return rows like those of X, of shape {rows.shape}. Got "
            f"shape {reconstruction.shape} from {type(transformer).__name__} instead. Give a "
            f"transformer whose inverse_transform undoes transform."
        )
    return _mean_where(~np.isnan(rows), (rows - reconstruction) ** 2)


def _by_chunks(score, X):
    """Return the scores of all rows, some rows at a time."""
    step = max(1, CHUNK_ENTRIES // X.shape[1])
    return np.concatenate([score(X[start : start + step]) for start in range(0, X.shape[0], step)])
