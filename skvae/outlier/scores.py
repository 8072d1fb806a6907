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

CHUNK_ENTRIES = 2**22  # entries that are given to a transformer at once


def reconstruction_scores(transformer, X):
    r"""Return minus the mean squared error of each row's reconstruction.

    .. math:: -\frac{1}{d} \|x - g(f(x))\|^2

    Parameters
    ----------
    transformer : transformer with ``inverse_transform``
        The fitted transformer.
    X : {array, DataFrame, sparse matrix} of shape (n_samples, n_features)
        Rows of the same kind as the training data.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        In squared units of X.

    Raises
    ------
    ValueError
        If ``inverse_transform`` does not return rows of the shape of X.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> from skvae.outlier.scores import reconstruction_scores
    >>> X = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
    >>> reconstruction_scores(PCA(1).fit(X), np.array([[1.0, 4.0]]))
    array([-4.5])
    """
    if hasattr(transformer, "reconstruction_error"):  # it works in chunks itself
        return -transformer.reconstruction_error(X).astype(np.float64, copy=False)
    return _by_chunks(lambda rows: -_mean_squared_errors(transformer, rows), X)


def likelihood_scores(transformer, X):
    """Return the transformer's own ``score_samples`` of each row.

    Sparse rows are made dense, in chunks, unless the transformer is from this package: PCA can be
    fitted to sparse rows, but its ``score_samples`` needs dense ones.

    Parameters
    ----------
    transformer : transformer with ``score_samples``
        The fitted transformer.
    X : {array, DataFrame, sparse matrix} of shape (n_samples, n_features)
        Rows of the same kind as the training data.

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
    r"""Return minus the Mahalanobis distance of each row's code.

    .. math:: -\sqrt{(f(x) - m)^T S^{-1} (f(x) - m)}

    Parameters
    ----------
    transformer : transformer
        The fitted transformer.
    X : {array, DataFrame, sparse matrix} of shape (n_samples, n_features)
        Rows of the same kind as the training data.
    distribution : EmpiricalCovariance
        Fitted to the codes of the training rows; it has their mean m and covariance S.

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
    """Return the codes of X as a float64 array, for any setting of ``set_output``."""
    return dense(transformer.transform(X)).astype(np.float64, copy=False)


def mean_squares(X):
    """Return the mean square of each row's known entries, (n_samples,), float64.

    Examples
    --------
    >>> from skvae.outlier.scores import mean_squares
    >>> mean_squares([[3.0, 4.0], [0.0, 2.0]])
    array([12.5,  2. ])
    """
    X = dense(X).astype(np.float64, copy=False)
    return _mean_where(~np.isnan(X), np.square(X))


def _mean_where(known, squares):
    """Return the mean of each row over the known places, or 0 if it has none."""
    return np.where(known, squares, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)


def _mean_squared_errors(transformer, X):
    """Return the mean squared error of each row over its known entries, in float64."""
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
    """Return the scores of all rows, computed in chunks."""
    step = max(1, CHUNK_ENTRIES // X.shape[1])
    return np.concatenate([score(X[start : start + step]) for start in range(0, X.shape[0], step)])
