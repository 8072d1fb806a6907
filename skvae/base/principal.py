"""The principal components of the training rows, computed from a sample of them."""

import numpy as np
import torch
from sklearn.decomposition import PCA

from skvae.nn.principal import PrincipalComponents
from skvae.training.batches import dense_rows, working_dtype

__all__ = ["components_of_rows", "principal_components"]

MOST_ROWS = 10_000
MOST_ENTRIES = 2**23  # if rows are wide, fewer are used, to limit the memory of the PCA
LEAST_ROWS = 1_000


def components_of_rows(X, rows, n_components, scale, generator, *, noise=True, expand=None):
    """Return the principal components of a sample of the scaled rows of X.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        Rows of any numeric dtype.
    rows : ndarray of int
        Indices of the rows to draw the sample from.
    n_components : int
        Largest number of directions.
    scale : ndarray of shape (n_features,)
        Scale by which each column is divided. A column with scale 0 is constant, and is left out.
    generator : torch.Generator
        Source of the sample and of the seed of the PCA.
    noise : bool, default=True
        Whether to leave at least one direction and one row for the noise.
    expand : callable, default=None
        Function from dense rows to the columns of which the PCA is made. None: the columns of X.
    """
    most = min(MOST_ROWS, max(LEAST_ROWS, MOST_ENTRIES // X.shape[1]))
    if len(rows) > most:
        rows = rows[torch.randperm(len(rows), generator=generator)[:most].numpy()]
    seed = int(torch.randint(2**31 - 1, (), generator=generator))
    X = dense_rows(X, rows).astype(working_dtype(X.dtype), copy=False)
    X = X if expand is None else expand(X)
    n_components = max(0, min(n_components, X.shape[1] - noise, X.shape[0] - 1 - noise))
    factor = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
    if np.isnan(X).any():
        mean = np.nansum(X, 0) / np.maximum((~np.isnan(X)).sum(0), 1)
        return _components_around_holes((X - mean) * factor, n_components)
    return principal_components(X, n_components, seed, factor=factor)


def _components_around_holes(X, n_components):
    """Return the principal components of rows with missing values.

    Each covariance is computed from the rows in which both columns are observed. Two columns that
    are never observed together count as uncorrelated.
    """
    known = ~np.isnan(X)
    X, together = np.where(known, X, 0.0).astype(np.float64), known.T.astype(np.float64) @ known
    covariance = X.T @ X / np.maximum(together, 1)
    values, vectors = np.linalg.eigh(covariance)
    values, vectors = values[::-1][:n_components], vectors.T[::-1][:n_components]
    kept = values > X.shape[1] * np.finfo(np.float64).eps * max(values.max(initial=0.0), 0.0)
    variances, directions = values[kept], vectors[kept]
    left = np.maximum(np.diag(covariance) - variances @ directions**2, 0.0)
    return PrincipalComponents(*map(torch.from_numpy, (directions.copy(), variances.copy(), left)))


def principal_components(X, n_components, random_state, *, factor=1.0):
    """Return the principal components of an array whose variance is not zero.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float
        Rows. They are not changed.
    n_components : int
        Largest number of directions. It is at most the number of rows and that of columns.
    random_state : int
        Seed of the solver.
    factor : float or ndarray of shape (n_features,), default=1.0
        The rows are multiplied by it.
    """
    n_samples, n_features = X.shape
    squares = np.einsum("ij,ij->j", X, X, dtype=np.float64, casting="unsafe") / n_samples
    rounding = np.max(np.finfo(X.dtype).eps ** 2 * factor**2 * squares)
    X = X - X.mean(0, dtype=np.float64)
    X *= factor
    left = X.var(0)
    directions, variances = np.empty((0, n_features)), np.empty(0)
    if n_components > 0 and left.any():
        pca = PCA(n_components, random_state=random_state).fit(X)
        variances = pca.explained_variance_ * ((n_samples - 1) / n_samples)
        # A direction without variance has a computed variance from rounding in the PCA or the rows.
        rounding = max(rounding, max(X.shape) * np.finfo(np.float64).eps * variances[0])
        known = variances > rounding
        directions, variances = pca.components_[known], variances[known]
        left = np.maximum(left - variances @ directions**2, 0.0)
    return PrincipalComponents(*map(torch.from_numpy, (directions, variances, left)))
