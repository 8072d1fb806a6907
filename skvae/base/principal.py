"""The principal components of training rows, from as many of them as are needed."""

import numpy as np
import torch
from sklearn.decomposition import PCA

from skvae.nn.principal import PrincipalComponents
from skvae.training.batches import dense_rows, working_dtype

__all__ = ["components_of_rows", "principal_components"]

MOST_ROWS = 10_000
MOST_ENTRIES = 2**23  # of wide rows fewer are taken, for the memory that the PCA needs
LEAST_ROWS = 1_000


def components_of_rows(X, rows, n_components, scale, generator, *, noise=True, expand=None):
    """Return the principal components of some of the rows of X, scaled.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        Of any numeric dtype.
    rows : ndarray of int
        The rows to draw from.
    n_components : int
        The most directions.
    scale : ndarray of shape (n_features,)
        What columns are divided by; one of scale 0 is constant, and left out.
    generator : torch.Generator
        Source of the choice and of the PCA's seed.
    noise : bool, default=True
        Whether a direction and a row are left over for noise.
    expand : callable, default=None
        Of dense rows the columns that are taken; None for these.
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
    """Return the principal components of the covariances of what is observed together.

    A pair of columns that is never observed together counts as uncorrelated.
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
    """Return the principal components of an array, those with a variance.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float
        Rows; not changed.
    n_components : int
        The most directions, at most the numbers of rows and of columns.
    random_state : int
        Of the solver.
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
        # What is left of directions without variance is rounding, of the PCA's or of the rows.
        rounding = max(rounding, max(X.shape) * np.finfo(np.float64).eps * variances[0])
        known = variances > rounding
        directions, variances = pca.components_[known], variances[known]
        left = np.maximum(left - variances @ directions**2, 0.0)
    return PrincipalComponents(*map(torch.from_numpy, (directions, variances, left)))
