"""How normal rows are under a fitted transformer, and what every column contributes to that."""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import Bunch

from skvae.base.pipelines import split_last
from skvae.base.validation import dense, generated_feature_names

__all__ = [
    "codes_of",
    "contributions",
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
    return _by_chunks(lambda rows: -_squared_errors(transformer, rows).mean(axis=1), X)


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
    """Return the mean square of every row, (n_samples,), float64.

    Examples
    --------
    >>> from skvae.outlier.scores import mean_squares
    >>> mean_squares([[3.0, 4.0], [0.0, 2.0]])
    array([12.5,  2. ])
    """
    return np.square(dense(X).astype(np.float64, copy=False)).mean(axis=1)


def contributions(transformer, X, kind):
    r"""Return the terms of a score that belong to the columns, and the divergence apart.

    For "reconstruction" a column's term is :math:`-(x_j - g(f(x))_j)^2 / d`. For "likelihood" it
    is :math:`E_{q(z|x)}[\log p(x_j|z)]` under a VAE, from whose sum the divergence goes off; of
    an autoencoder, whose score it is, that of "reconstruction"; of a PCA, with its precision
    :math:`\Lambda`, :math:`-\frac{1}{2} (x_j - \mu_j) [\Lambda (x - \mu)]_j` and an equal share
    of the constant.

    Parameters
    ----------
    transformer : transformer, or Pipeline or search that ends in one
        Fitted. The likelihood's terms are of the columns that a Pipeline's last step is given.
    X : {array, DataFrame, sparse matrix} of shape (n_samples, n_features)
        Rows like those fitted.
    kind : {"reconstruction", "likelihood"}
        The score.

    Returns
    -------
    Bunch or None
        None where the score does not fall into such terms.

        - "contributions": (n_samples, n_columns), float64
        - "kl": (n_samples,), float64, in nats; 0 where there is no divergence
        - "feature_names": (n_columns,), or None where they are those of X

        ``contributions.sum(axis=1) - kl`` is the score.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> from skvae.outlier.scores import contributions
    >>> X = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
    >>> pca = PCA(1).fit(X)
    >>> contributions(pca, np.array([[1.0, 4.0]]), "reconstruction").contributions
    array([[-0. , -4.5]])
    """
    if kind == "reconstruction":
        return _bunch(_error_terms(transformer, X))
    before, last = split_last(transformer)
    names = getattr(transformer, "feature_names_in_", None) if before else None
    for steps in before:
        names = _names_out(steps, names)
        X = steps.transform(X)
    if before and names is None:
        names = generated_feature_names(X.shape[1])
    if hasattr(last, "elbo_terms"):
        return _bunch(*last.elbo_terms(X), names=names)
    if hasattr(last, "reconstruction_error"):
        return _bunch(_error_terms(last, X), names=names)
    if hasattr(last, "get_precision") and hasattr(last, "mean_"):
        centred = dense(X) - last.mean_
        terms = -0.5 * centred * (centred @ last.get_precision())
        constant = likelihood_scores(last, X) - terms.sum(axis=1)
        return _bunch(terms + constant[:, None] / terms.shape[1], names=names)
    return None


def _bunch(terms, kl=None, names=None):
    terms = terms.astype(np.float64, copy=False)
    kl = np.zeros(len(terms)) if kl is None else kl
    return Bunch(contributions=terms, kl=kl, feature_names=names)


def _names_out(steps, names):
    """Return the names of the columns that the steps make, or None where they have none."""
    try:
        return steps.get_feature_names_out(names)
    except AttributeError:  # a step that names nothing
        return None


def _error_terms(transformer, X):
    """Return minus the squared error of every entry over the number of columns."""
    if hasattr(transformer, "reconstruction_error"):
        errors = transformer.reconstruction_error(X, per_feature=True)
    else:
        errors = _squared_errors(transformer, X)
    return -errors / errors.shape[1]


def _squared_errors(transformer, X):
    """Return the squared error of every entry, in float64."""
    rows = dense(X).astype(np.float64, copy=False)
    reconstruction = dense(transformer.inverse_transform(transformer.transform(X)))
    if reconstruction.shape != rows.shape:
        raise ValueError(
            f"inverse_transform must return rows like those of X, of shape {rows.shape}. Got "
            f"shape {reconstruction.shape} from {type(transformer).__name__} instead. Give a "
            f"transformer whose inverse_transform undoes transform."
        )
    return (rows - reconstruction) ** 2


def _by_chunks(score, X):
    """Return the scores of all rows, some rows at a time."""
    step = max(1, CHUNK_ENTRIES // X.shape[1])
    return np.concatenate([score(X[start : start + step]) for start in range(0, X.shape[0], step)])
