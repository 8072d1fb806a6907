"""Warnings at the end of a fit: collapsed codes, columns not learned, a fit that ran away."""

from functools import partial

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

from skvae._warnings import warn
from skvae.base.reconstruction import squared_error
from skvae.nn.distributions import active_dimensions, kl_per_dimension
from skvae.training.batches import dense_rows, in_chunks

__all__ = [
    "errors_of_some_rows",
    "holds_the_variance",
    "posteriors_of_some_rows",
    "warn_if_it_ran_away",
    "warn_of_collapse",
    "warn_of_hidden_columns",
]

SOME_ROWS, FEW_ROWS = 1_000, 100
SOME_ENTRIES = 2**18  # if rows are wide, fewer rows are decoded
DOMINANT_SHARE = 0.9
COLLAPSED_DIVERGENCE = 0.1  # nats; in a collapsed posterior every dimension is below it
# A column is hidden if its squared error is more than WORSE_THAN_MEAN times its variance. A fit
# warns if the share of hidden columns is at least HIDDEN_SHARE. Images always have some hidden
# columns, pixels in corners that hardly any image uses, and this is no fault: 7 of 61 in the
# digits of scikit-learn.
WORSE_THAN_MEAN = 1.5
HIDDEN_SHARE = 1 / 6
# The squared error over the variance. Image networks can be above 2 after a few steps, without
# having run away.
RAN_AWAY = 3.0
NAMED = 3
LEAST_ROWS = 10  # with fewer rows a variance is not reliable


def holds_the_variance(variance):
    """Return the index of the column with more than 90 % of the total variance, or None.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.base.cautions import holds_the_variance
    >>> holds_the_variance(np.array([1.0, 99.0])), holds_the_variance(np.array([1.0, 1.0]))
    (1, None)
    """
    column = int(np.argmax(variance))
    most = len(variance) > 1 and variance[column] > DOMINANT_SHARE * variance.sum()
    return column if most else None


def _of_some_rows(function, network, batches, n_outputs, n_rows=SOME_ROWS):
    """Return evenly spaced rows as a dense array, and ``function`` of them in float32."""
    X = dense_rows(batches.X, batches.rows[:: -(-batches.n_samples // n_rows)])
    width = max(network.width, X.shape[1])
    return X, in_chunks(function, X, n_outputs, width, np.dtype(np.float32), batches.device)


def posteriors_of_some_rows(network, batches):
    """Return the means of the posteriors and the divergence of every dimension, for some rows.

    Return None if the rows are all equal, or if training has diverged (which raises an error
    later).
    """

    def both(x):
        posterior = network.encode(x)
        return torch.cat((posterior.mean, kl_per_dimension(posterior)), -1)

    X, result = _of_some_rows(both, network, batches, 2 * network.n_components)
    if not np.isfinite(result).all() or (X[:1] == X).all():
        return None
    return np.hsplit(result, 2)


def warn_of_collapse(codes, divergences, remedies):
    """Warn if the posteriors of all rows are nearly equal to the prior; return whether they are.

    Parameters
    ----------
    codes, divergences : ndarray of shape (n_samples, n_components)
        As :func:`posteriors_of_some_rows` returns them.
    remedies : list of str
        Remedies that apply to the estimator, such as "a smaller beta".
    """
    if active_dimensions(codes).any() or (divergences.mean(0) > COLLAPSED_DIVERGENCE).any():
        return False
    warn(
        f"The codes must vary over the rows. Got a variance of at most "
        f"{codes.var(axis=0).max():.2g} in all {codes.shape[1]} dimensions instead: the "
        f"posterior collapsed to the prior. Use {', '.join([*remedies, 'kl_warmup_epochs'])} "
        f"or free_bits.",
        ConvergenceWarning,
    )
    return True


def errors_of_some_rows(network, batches):
    """Return the mean squared error and the variance of every column, for some training rows.

    Missing values do not count. Return None if there are too few rows for a variance.
    """
    n_features = batches.X.shape[1]
    n_rows = min(SOME_ROWS, max(FEW_ROWS, SOME_ENTRIES // n_features))
    if batches.n_samples < LEAST_ROWS:
        return None
    errors_of = partial(squared_error, network)
    X, errors = _of_some_rows(errors_of, network, batches, n_features, n_rows)
    # The rows as the network reads them. In float64, the mean of a constant column may be rounded,
    # and its variance is then not 0.
    X = torch.from_numpy(X.astype(np.float32)).double()
    variance = (X - X.nanmean(0)).square_().nanmean(0)
    return torch.from_numpy(errors).nanmean(0, dtype=torch.float64).numpy(), variance.numpy()


def warn_if_it_ran_away(error, variance, *, alike):
    """Warn if the means of the columns predict the rows far better than the model does.

    Parameters
    ----------
    error, variance : ndarray of shape (n_features,)
        The mean squared error of columns of numbers, and their variance.
    alike : bool
        Whether the columns have one unit, so that their errors can be added. Otherwise the median
        column counts.

    Returns
    -------
    bool
        Whether training ran away.
    """
    varies = variance > 0
    if not varies.any():
        return False
    error, variance = error[varies], variance[varies]
    ratio = error.sum() / variance.sum() if alike else np.median(error / variance)
    if ratio <= RAN_AWAY:
        return False
    warn(
        f"The model must reconstruct the rows better than the means of the columns do. Got a "
        f"squared error of {ratio:.3g} times the variance instead: training ran away. Use a "
        f"smaller lr, or scale X.",
        ConvergenceWarning,
    )
    return True


def warn_of_hidden_columns(error, variance, names, *, remedy, dominated):
    """Warn if the mean predicts many columns better than the reconstruction does.

    Parameters
    ----------
    error, variance : ndarray of shape (n_features,)
        As :func:`errors_of_some_rows` returns them.
    names : ndarray of str or None
        Names of the columns.
    remedy : str
        The last sentence of the warning, which says what to do.
    dominated : bool
        Whether to warn also if one column holds nearly all of the variance.
    """
    if not dominated and holds_the_variance(variance) is not None:
        return
    smaller = (variance > 0) & (variance < 0.5 * variance.mean())
    (hidden,) = np.nonzero(smaller & (error > WORSE_THAN_MEAN * variance))
    if len(hidden) < max(1, HIDDEN_SHARE * np.count_nonzero(variance)):
        return
    if not error.sum() < variance.sum():
        return  # the model has not learned any column yet
    first = [f"{column}" if names is None else f"{names[column]!r}" for column in hidden[:NAMED]]
    warn(
        f"Every column should be reconstructed better than by its mean. Got {len(hidden)} of "
        f"{len(variance)} columns that are not instead, {', '.join(first)}"
        f"{' first' if len(hidden) > NAMED else ''}: columns of larger variance hide them. "
        f"{remedy}"
    )
