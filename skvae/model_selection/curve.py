"""What a variational autoencoder holds along beta: the rate against the distortion."""

from dataclasses import dataclass
from math import ceil
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state, indexable
from sklearn.utils.parallel import Parallel, delayed

from skvae._results import Result
from skvae._typing import Estimator, MatrixLike, Seed
from skvae.base.planning import NETWORK_PARAMETERS
from skvae.base.variational import BaseVAETransformer
from skvae.model_selection.path import SCORE, fit_path

__all__ = ["BetaCurve", "beta_curve"]

NAMES = (  # of what is in nats, in the order of a table
    "elbo",
    "reconstruction",
    "kl",
    "mutual_information",
    "total_correlation",
    "dimension_wise_kl",
)


@dataclass(frozen=True, eq=False, repr=False)
class BetaCurve(Result):
    """What fits hold, by the value of a parameter; see :func:`beta_curve`.

    All but the first two and ``scores`` are arrays of shape (n_betas,), in the order of ``betas``,
    or with ``cv`` of shape (n_betas, n_splits); in nats, and means over the rows measured on.

    Attributes
    ----------
    param_name : str
        The parameter.
    betas : ndarray of shape (n_betas,)
        Its values, as given.
    elbo : ndarray
        The evidence lower bound of log p(x), at beta 1.
    reconstruction : ndarray
        The distortion, :math:`-E_{q(z|x)}[\\log p(x|z)]`, which is minus ``elbo`` minus ``kl``.
    kl : ndarray
        The rate, KL(q(z|x) || p(z)).
    mutual_information, total_correlation, dimension_wise_kl : ndarray
        Its parts, as of :func:`skvae.metrics.kl_decomposition`, with an error of about 0.02.
    saturated : ndarray of bool
        Where the rows are too few for the mutual information there is, and the total
        correlation is too large by what is missing.
    kl_per_dimension : ndarray of shape (n_betas, n_components) or (n_betas, n_splits, n_components)
        The shares of ``kl``. Along warm starts a dimension keeps its place.
    active_units : ndarray of int
        The number of dimensions whose code varies.
    scores : dict of ndarray
        What ``scoring`` asks for, by name; of a single one the name is "score".
    estimators : ndarray of object or None
        The fitted estimators, with ``return_estimators=True``.
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
    r"""Return what fits along beta hold: how much they tell of a row, and how well.

    With the rate R, the mean divergence of the posteriors from the prior, and the distortion D,

    .. math:: R = E_x \, KL(q(z|x) \,\|\, p(z)), \quad D = -E_x E_{q(z|x)}[\log p(x|z)], \quad
              ELBO = -(D + R)

    a beta-VAE minimises :math:`D + \beta R`: at a held noise variance its fits are the points of
    the curve of least D at R whose slope is :math:`-\beta`. As beta grows, R falls and D rises,
    one dimension after the other returns to the prior, and the ELBO is highest at beta = 1, which
    minimises D + R.

    Parameters
    ----------
    estimator : variational autoencoder, Pipeline that ends in one, or TableTransformer of one
        Stays as it is: clones are fitted. A Pipeline is fitted as a whole at every value (its
        ``memory`` saves the repetition).
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Training rows, or with ``cv`` all rows.
    y : array-like of shape (n_samples,), default=None
        For ``cv``, for the steps of a Pipeline and for ``scoring``, where one asks for it.
        With ``X_val`` scorers get none.
    betas : array-like of shape (n_betas,)
        Finite numbers of at least 0, in any order; the result has theirs. Equal ones are fitted
        once.
    param_name : str, default="beta"
        The parameter that takes them: any numeric one, such as "alpha" or "capacity", or in a
        Pipeline "betavaetransformer__beta", in a TableTransformer "estimator__beta".
    X_val : {array-like, sparse matrix} of shape (n_validation, n_features), default=None
        Rows to measure on. Early stopping does not see them, and splits its own off X.
    cv : int, cross-validation generator or iterable, default=None
        Splits of X into rows to fit and rows to measure on. None, without ``X_val``: fits are
        measured on X itself, as a description and no test.
    warm_start : bool, default=True
        Whether the fits go up along beta, each from the weights, the optimizer and the
        schedules of the one before. False fits every value by itself.
    warm_epochs : float or int, default=0.3
        Epochs of a fit that starts warm: a float is a share of the estimator's ``max_epochs``,
        an int a number. The first fit, at the smallest beta, has ``max_epochs``.
    n_jobs : int, default=None
        Processes, over the splits of ``cv``, and without ``warm_start`` over all fits.
    scoring : str, callable, list, tuple, set or dict, default=None
        Further scores, as in :func:`sklearn.model_selection.cross_validate`.
    random_state : int, RandomState instance or None, default=None
        Where it is not None, every ``random_state`` of the estimator is set to it, or to one draw
        from the instance.
    return_estimators : bool, default=False
        Whether to keep the fitted estimators.

    Returns
    -------
    BetaCurve
        One value, or with ``cv`` one for each split, for each beta. It prints as a table, a row for
        each value, and ``to_frame()`` is that table.

    Raises
    ------
    TypeError
        If the estimator is no variational autoencoder, and neither ends in one nor holds one.
    ValueError
        If an argument is out of its range; if both ``X_val`` and ``cv`` are given; if
        ``warm_start`` meets a parameter of another step, or one that the network is made from.

    Notes
    -----
    Values go up because a dimension that a large beta has collapsed hardly revives: its decoder
    weights are 0, and so is the gradient to its encoder.
    Callbacks begin anew at every fit, and last for ``warm_epochs`` in those that start warm.
    The draws behind the parts of the divergence are the same at every beta.

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
    betas = _check_betas(betas)
    prefix = _check_estimator(estimator, param_name, warm_start)
    if X_val is not None and cv is not None:
        raise ValueError(
            f"beta_curve measures on X_val or on the test rows of cv. Got X_val and cv={cv!r} "
            f"instead. Leave one out."
        )
    options = {
        "epochs": _check_epochs(warm_epochs, estimator.get_params()[f"{prefix}max_epochs"]),
        "scorer": None if scoring is None else check_scoring(estimator, scoring),
        "keep": return_estimators,
    }
    estimator = _seeded(estimator, random_state)
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
    # The paths of a split follow one another, and so do the values of a path.
    rows = np.array([row for path in fits for row in path]).reshape(-1, len(values))
    rows = rows[0, places] if cv is None else rows.T[places]
    arrays = {name: _collect(rows, name) for name in rows.flat[0]}
    estimators = arrays.pop("estimator", None)
    scored = [name for name in arrays if name.startswith(SCORE)]
    scores = {name.removeprefix(SCORE): arrays.pop(name) for name in scored}
    return BetaCurve(param_name, betas, **arrays, scores=scores, estimators=estimators)


def _check_betas(betas):
    """Return the values as an array of numbers."""
    try:
        values = np.asarray(betas)
        valid = values.ndim == 1 and values.size > 0 and values.dtype.kind in "iuf"
        valid = valid and np.isfinite(values).all() and values.min() >= 0
    except ValueError:  # ragged
        valid = False
    if not valid:
        raise ValueError(
            f"betas must be a sequence of finite numbers of at least 0. Got {betas!r} instead. "
            f"Give one or more."
        )
    return values


def _check_estimator(estimator, param_name, warm_start):
    """Return the prefix of the names of the variational autoencoder's parameters."""
    prefix, vae = "", estimator
    while not isinstance(vae, BaseVAETransformer):
        if isinstance(vae, Pipeline):
            name, vae = vae.steps[-1]
        elif hasattr(vae, "estimator") and hasattr(vae, "sample"):  # a TableTransformer
            name, vae = "estimator", vae.estimator
        else:
            raise TypeError(
                f"beta_curve needs a variational autoencoder, a Pipeline that ends in one, or a "
                f"TableTransformer of one. Got {type(vae).__name__} instead. Use one, such as "
                f"BetaVAETransformer."
            )
        prefix += f"{name}__"
    parameters = estimator.get_params()
    if param_name not in parameters:
        such = param_name if f"{prefix}{param_name}" in parameters else "lr"
        raise ValueError(
            f"param_name must be a parameter of {type(estimator).__name__}. Got {param_name!r} "
            f"instead. Use one of its get_params(), such as '{prefix}{such}'."
        )
    trained = [f"{prefix}{name}" for name in vae.get_params() if name not in NETWORK_PARAMETERS]
    if warm_start and param_name not in trained:
        raise ValueError(
            f"Fits that start warm need a parameter of the training of {type(vae).__name__}. Got "
            f"param_name={param_name!r}, from which the network or its input is made, instead. "
            f"Set warm_start=False."
        )
    return prefix


def _check_epochs(warm_epochs, max_epochs):
    """Return the number of epochs of a fit that starts warm."""
    if isinstance(warm_epochs, Integral):
        if warm_epochs >= 1 and not isinstance(warm_epochs, bool):
            return int(warm_epochs)
    elif isinstance(warm_epochs, Real) and 0 < warm_epochs <= 1:
        return ceil(warm_epochs * max_epochs)
    raise ValueError(
        f"warm_epochs must be a share of max_epochs, a float in (0, 1], or an int of at least 1. "
        f"Got {warm_epochs!r} instead. Give either."
    )


def _seeded(estimator, random_state):
    """Return the estimator, or where there is a random state a clone that has it."""
    if random_state is None:
        return estimator
    if not isinstance(random_state, Integral):
        random_state = check_random_state(random_state).randint(2**31 - 1)
    names = [n for n in estimator.get_params() if n.rpartition("__")[2] == "random_state"]
    return clone(estimator).set_params(**dict.fromkeys(names, random_state))


def _take(array, rows):
    """Return some rows of an array, a sparse matrix, a data frame or a list."""
    array = np.asarray(array) if isinstance(array, list | tuple) else array
    return array if array is None else getattr(array, "iloc", array)[rows]


def _collect(rows, name):
    """Return an entry of the dicts of an array as an array, (*shape of rows, *of the entry)."""
    entries = [row[name] for row in rows.flat]
    if name == "estimator":
        result = np.empty(len(entries), dtype=object)
        for place, entry in enumerate(entries):  # numpy would look into a Pipeline
            result[place] = entry
    elif name == "kl_per_dimension":  # of more or fewer dimensions, where these are varied
        result = np.full((len(entries), max(map(len, entries))), np.nan)
        for place, entry in enumerate(entries):
            result[place, : len(entry)] = entry
    else:
        result = np.array(entries)
    return result.reshape(*rows.shape, *result.shape[1:])
