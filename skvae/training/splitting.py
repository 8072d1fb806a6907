"""Split the rows into training rows and validation rows for early stopping."""

from typing import NamedTuple

import numpy as np

__all__ = ["Rows", "split_rows"]


class Rows(NamedTuple):
    """The rows of a fit, by their indices.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        Array that contains the training rows.
    training : ndarray of int
        Indices of the training rows in X.
    X_val : ndarray or CSR of shape (n_validation, n_features), default=None
        Array that contains the validation rows. It may be X.
    validation : ndarray of int, default=None
        Indices of the validation rows in ``X_val``.
    """

    X: np.ndarray
    training: np.ndarray
    X_val: np.ndarray | None = None
    validation: np.ndarray | None = None


def split_rows(X, X_val, validation_fraction, seed):
    """Return the :class:`Rows` of a fit.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        The rows of ``fit``.
    X_val : ndarray or CSR of shape (n_validation, n_features) or None
        The validation rows. None: they are chosen from X.
    validation_fraction : float or None
        Share of the rows of X that are chosen at random for validation, at least two rows. None:
        there is no validation.
    seed : int
        Seed of the choice. A warm start uses the seed of the earlier fit, so that no row is used
        for training in one fit and for validation in the other.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.training.splitting import split_rows
    >>> rows = split_rows(np.zeros((6, 2)), None, 0.4, seed=0)
    >>> rows.training, rows.validation
    (array([0, 1, 3, 4]), array([2, 5]))
    """
    n_samples = X.shape[0]
    if validation_fraction is None:
        return Rows(X, np.arange(n_samples))
    if X_val is not None:
        return Rows(X, np.arange(n_samples), X_val, np.arange(X_val.shape[0]))
    n_validation = max(2, round(validation_fraction * n_samples))
    if n_samples - n_validation < 2:
        raise ValueError(
            f"Early stopping needs at least two rows to train on and two to validate. Got "
            f"n_samples={n_samples} with validation_fraction={validation_fraction} "
            f"instead. Give more rows, or set early_stopping=False."
        )
    shuffled = np.random.RandomState(seed).permutation(n_samples)
    training, validation = np.sort(shuffled[n_validation:]), np.sort(shuffled[:n_validation])
    return Rows(X, training, X, validation)
