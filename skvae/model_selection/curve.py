"""The rate and the distortion of variational autoencoders at several values of beta."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils import indexable
from sklearn.utils.parallel import Parallel, delayed

from skvae._results import Result
from skvae._typing import Estimator, MatrixLike, Seed
from skvae.model_selection.arguments import check_betas, check_epochs, check_estimator, seeded
from skvae.model_selection.path import SCORE, fit_path

__all__ = ["BetaCurve", "beta_curve"]

NAMES = (  # the quantities in nats, in the order of the table's columns
    "elbo",
    "reconstruction",
    "kl",
    "mutual_information",
    "total_correlation",
    "dimension_wise_kl",
)


@dataclass(frozen=True, eq=False, repr=False)
class BetaCurve(Result):
    """The rate, the distortion and other measures at each beta; see :func:`beta_curve`.

    ``param_name``, ``betas``, ``scores`` and ``estimators`` are described below. The other
    attributes are arrays of shape (n_betas,), in the order of ``betas``, or of shape
    (n_betas, n_splits) with ``cv``. Their values are means over the evaluated rows, and in nats
    unless the attribute is a count or a flag.

    Attributes
    ----------
    param_name : str
        The name of the varied parameter.
    betas : ndarray of shape (n_betas,)
        The values of this parameter, as given.
    elbo : ndarray
        The evidence lower bound of log p(x), at beta 1.
    reconstruction : ndarray
        The distortion, :math:`-E_{q(z|x)}[\\log p(x|z)]`, equal to ``-elbo - kl``.
    kl : ndarray
        The rate, KL(q(z|x) || p(z)).
    mutual_information, total_correlation, dimension_wise_kl : ndarray
        The parts of the rate, as in :func:`skvae.metrics.kl_decomposition`, with an error of about
        0.02.
    saturated : ndarray of bool
        True where there are too few rows to measure this much mutual information. The missing part
        is then counted as total correlation, which is too large by this amount.
    kl_per_dimension : ndarray of shape (n_betas, n_components) or (n_betas, n_splits, n_components)
        The share of each dimension in ``kl``. With warm starts a dimension keeps its index from
        one beta to the next.
    active_units : ndarray of int
        The number of dimensions whose code varies.
    scores : dict of ndarray
        The scores that ``scoring`` asks for, by name. A single score has the name "score".
    estimators : ndarray of object or None
        The fitted estimators, if ``return_estimators=True``.
    """

    param_name: str
    betas: np.ndarray
    elbo: np.ndarray
    reconstruction: np.ndarray
    kl: np.ndarray
    mutual_information: np.ndarray
    total_correlation: np.ndarray
    dimension_wise_kl: np.ndarray
    saturated: np.ndarray
    kl_per_dimension: np.ndarray
    active_units: np.ndarray
    scores: dict
    estimators: np.ndarray | None

    def _table(self):
        n_splits = self.elbo[0].size
        columns = [(self.param_name, np.repeat(self.betas, n_splits))]
        if self.elbo.ndim > 1:
            columns.append(("split", np.tile(np.arange(n_splits), len(self.betas))))
        shares = self.kl_per_dimension.reshape(-1, self.kl_per_dimension.shape[-1]).T
        columns += [(name, getattr(self, name).ravel()) for name in NAMES]
        columns += [(f"kl_z{place}", share) for place, share in enumerate(shares)]
        columns += [(name, getattr(self, name).ravel()) for name in ("saturated", "active_units")]
        return None, columns + [(name, score.ravel()) for name, score in self.scores.items()]


def beta_curve(
    estimator: Estimator,
    X: MatrixLike,
    y: Any = None,
    *,
    betas: ArrayLike,
    param_name: str = "beta",
    X_val: MatrixLike | None = None,
    cv: Any = None,
    warm_start: bool = True,
    warm_epochs: float = 0.3,
    n_jobs: int | None = None,
    scoring: Any = None,
    random_state: Seed = None,
    return_estimators: bool = False,
) -> BetaCurve:
    r"""Fit a variational autoencoder at several values of beta and measure each fit.

    The rate R is the mean divergence of the posteriors from the prior: how much the codes say about
    a row. The distortion D says how badly the row is reconstructed.

    .. math:: R = E_x \, KL(q(z|x) \,\|\, p(z)), \quad D = -E_x E_{q(z|x)}[\log p(x|z)], \quad
              ELBO = -(D + R)

    A beta-VAE minimises :math:`D + \beta R`. Consider the curve of the smallest possible D at each
    R. At a fixed noise variance, the fit at beta is the point of this curve with slope
    :math:`-\beta`. As beta grows, R falls, D rises, and one dimension after another collapses to
    the prior. The ELBO is highest at beta = 1, because this minimises D + R.

    Parameters
    ----------
    estimator : variational autoencoder, Pipeline that ends in one, or TableTransformer of one
        It is not changed: clones are fitted. The whole Pipeline is fitted again at every value; set
        its ``memory`` to avoid repeating the earlier steps.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Training rows. With ``cv``, all rows.
    y : array-like of shape (n_samples,), default=None
        Used by ``cv``, by the steps of a Pipeline and by ``scoring``, if one of them needs it. With
        ``X_val`` the scorers get no y.
    betas : array-like of shape (n_betas,)
        Finite numbers of at least 0, in any order. The result has the same order. Equal values are
        fitted only once.
    param_name : str, default="beta"
        The parameter that takes the values of ``betas``. It can be any numeric parameter, such as
        "alpha" or "capacity". In a Pipeline it is "betavaetransformer__beta", and in a
        TableTransformer "estimator__beta".
    X_val : {array-like, sparse matrix} of shape (n_validation, n_features), default=None
        Rows to evaluate on. Early stopping does not use them; it takes its validation rows from X.
    cv : int, cross-validation generator or iterable, default=None
        Splits of X into training rows and rows to evaluate on. With neither ``cv`` nor ``X_val``,
        the fits are evaluated on the training rows; this describes the fits but does not test them.
    warm_start : bool, default=True
        If True, the values are fitted in increasing order, and each fit continues with the weights,
        the optimizer and the schedules of the fit before it. If False, each value is fitted from
        random weights.
    warm_epochs : float or int, default=0.3
        Number of epochs of each warm-started fit: a float is a fraction of the estimator's
        ``max_epochs``, an int is the number itself. The first fit, at the smallest beta, runs for
        ``max_epochs``.
    n_jobs : int, default=None
        Number of parallel processes. They share the splits of ``cv``; without ``warm_start`` they
        share all fits.
    scoring : str, callable, list, tuple, set or dict, default=None
        Additional scores, as in :func:`sklearn.model_selection.cross_validate`.
    random_state : int, RandomState instance or None, default=None
        If given, every ``random_state`` parameter of the estimator is set to this int, or to an int
        drawn from the instance.
    return_estimators : bool, default=False
        Whether to keep the fitted estimators.

    Returns
    -------
    BetaCurve
        It has one value for each beta, or with ``cv`` one for each beta and split. It prints as a
        table with one row for each value. ``to_frame()`` returns this table.

    Raises
    ------
    TypeError
        If the estimator is not a variational autoencoder and does not contain one.
    ValueError
        If an argument is out of its range; if both ``X_val`` and ``cv`` are given; if
        ``warm_start`` is True and the parameter belongs to another step or shapes the network.

    Notes
    -----
    The fits start at the smallest value because a dimension that has collapsed at a large beta
    hardly recovers: its decoder weights are 0, and so is the gradient of its encoder. Callbacks
    start new at every fit, and run for ``warm_epochs`` in warm-started fits. The parts of the
    divergence are estimated from the same random draws at every beta.

    References
    ----------
    Alemi et al. (2018), Fixing a broken ELBO, ICML (rate and distortion). Friedman, Hastie &
    Tibshirani (2010), Regularization paths for generalized linear models via coordinate descent,
    Journal of Statistical Software (warm starts along a penalty).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skvae import BetaVAETransformer
    >>> from skvae.model_selection import beta_curve
    >>> X = load_iris().data
    >>> vae = BetaVAETransformer(2, max_epochs=40, lr=0.01, random_state=0)
    >>> curve = beta_curve(vae, X, betas=[1, 5, 25])
    >>> curve.to_frame()["beta"].tolist()
    [1, 5, 25]
    >>> bool(curve.kl[0] > curve.kl[1] > curve.kl[2])
    True
    """
    betas = check_betas(betas)
    prefix = check_estimator(estimator, param_name, warm_start)
    if X_val is not None and cv is not None:
        raise ValueError(
            f"beta_curve measures on X_val or on the test rows of cv. Got X_val and cv={cv!r} "
            f"instead. Leave one out."
        )
    options = {
        "epochs": check_epochs(warm_epochs, estimator.get_params()[f"{prefix}max_epochs"]),
        "scorer": None if scoring is None else check_scoring(estimator, scoring),
        "keep": return_estimators,
    }
    estimator = seeded(estimator, random_state)
    X, y = indexable(X, y)
    if cv is None:
        pairs = [((X, y), (X, y) if X_val is None else (X_val, None))]
    else:
        splits = check_cv(cv, y).split(X, y)
        pairs = (tuple((_take(X, rows), _take(y, rows)) for rows in split) for split in splits)
    values, places = np.unique(betas, return_inverse=True)
    paths = [values.tolist()] if warm_start else [[value] for value in values.tolist()]
    fits = Parallel(n_jobs=n_jobs)(
        delayed(fit_path)(estimator, prefix, param_name, path, *pair, **options)
        for pair in pairs
        for path in paths
    )
    # The paths of one split are neighbours in the list, and so are the values of one path.
    rows = np.array([row for path in fits for row in path]).reshape(-1, len(values))
    rows = rows[0, places] if cv is None else rows.T[places]
    arrays = {name: _collect(rows, name) for name in rows.flat[0]}
    estimators = arrays.pop("estimator", None)
    scored = [name for name in arrays if name.startswith(SCORE)]
    scores = {name.removeprefix(SCORE): arrays.pop(name) for name in scored}
    return BetaCurve(param_name, betas, **arrays, scores=scores, estimators=estimators)


def _take(array, rows):
    """Return some rows of an array, sparse matrix, data frame or list."""
    array = np.asarray(array) if isinstance(array, list | tuple) else array
    return array if array is None else getattr(array, "iloc", array)[rows]


def _collect(rows, name):
    """Return one entry of all dicts as an array, of shape (*shape of rows, *shape of the entry)."""
    entries = [row[name] for row in rows.flat]
    if name == "estimator":
        result = np.empty(len(entries), dtype=object)
        for place, entry in enumerate(entries):  # np.array would read a Pipeline as a sequence
            result[place] = entry
    elif name == "kl_per_dimension":  # the lengths differ if n_components is varied
        result = np.full((len(entries), max(map(len, entries))), np.nan)
        for place, entry in enumerate(entries):
            result[place, : len(entry)] = entry
    else:
        result = np.array(entries)
    return result.reshape(*rows.shape, *result.shape[1:])
