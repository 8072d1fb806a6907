"""The models of a detector: transformers fitted to parts of the rows, and their scores."""

import warnings
from math import ceil

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.covariance import EmpiricalCovariance
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skvae._warnings import warn
from skvae.base.pipelines import seeded_clone
from skvae.outlier.calibration import fence
from skvae.outlier.columns import SeenValues
from skvae.outlier.groups import ignored_holes
from skvae.outlier.scores import (
    codes_of,
    distance_scores,
    likelihood_scores,
    reconstruction_scores,
)
from skvae.outlier.tables import take
from skvae.vae import VAETransformer

__all__ = [
    "LEAST_ROWS",
    "USUAL",
    "Member",
    "default_transformer",
    "draw_in",
    "draw_out",
    "fit_members",
]

# Rows this many standard deviations below the median are too odd to learn from. Three, the value of
# contamination="auto", would also remove rare rows that are normal.
FAR_OFF = 5.0
LEAST_ROWS = 2  # fewest rows that a transformer can be fitted to
# For the default transformer: the number of training steps of a VAE, and the number of standard
# deviations beyond which values grow only logarithmically. A nearly constant column can have values
# of 35. Without this limit, training diverged on one table of twenty.
N_STEPS = 50
USUAL = 5.0


class Member:
    """A fitted transformer, and what else its scores need.

    Parameters
    ----------
    transformer : transformer
        The fitted transformer.
    kind : {"likelihood", "reconstruction", "latent"} or callable
        The score.
    X : {array, CSR matrix, DataFrame} of shape (n_samples, n_features)
        The rows that it was fitted to. If it was fitted earlier, rows of the same kind.
    """

    def __init__(self, transformer, kind, X):
        self.transformer, self.kind = transformer, kind
        self.seen, self.step = None, 0.0
        if kind == "latent":
            self.code_distribution = EmpiricalCovariance().fit(codes_of(transformer, X))
        seen = SeenValues(X)
        if seen.has_any:
            scores = scores_or_nan(self, X)
            scores = scores[np.isfinite(scores)]
            self.step = np.ptp(scores) if len(scores) else 0.0
            self.seen = seen

    def score(self, X):
        """Return how normal rows are, (n_samples,), float64.

        A new value in a column that was constant, or a new category, is replaced by the known
        value. Each one lowers the score by the difference between the most and the least normal
        training row.
        """
        n_unseen = 0
        if self.seen is not None:
            # A missing value is text in a text column and NaN elsewhere. It is never a new value.
            ignored = ignored_holes(self.transformer, X) if self.seen.categories else None
            X, n_unseen = self.seen.restore(X, ignored)
        if self.kind == "reconstruction":
            scores = reconstruction_scores(self.transformer, X)
        elif self.kind == "latent":
            scores = distance_scores(self.transformer, X, self.code_distribution)
        elif self.kind == "likelihood":
            scores = likelihood_scores(self.transformer, X)
        else:
            scores = self._scores_of_callable(X)
        scores = np.where(np.isnan(scores), -np.inf, scores)  # the row is too extreme to compute
        return scores - n_unseen * self.step

    def _scores_of_callable(self, X):
        scores = np.asarray(self.kind(self.transformer, X), dtype=np.float64)
        if scores.shape != (X.shape[0],) or not np.isfinite(scores).all():
            bad = "inf or nan" if scores.shape == (X.shape[0],) else f"shape {scores.shape}"
            raise ValueError(
                f"anomaly_score must return finite numbers of shape {(X.shape[0],)}, one for "
                f"each row. Got {bad} instead. Return them, higher for more normal rows."
            )
        return scores


def fit_members(transformer, kind, n_refits, X, bags, n_jobs, rng):
    """Fit one model to each part of the rows.

    Parameters
    ----------
    transformer : transformer
        It is cloned for each fit. Each ``random_state`` that is None gets a seed.
    kind : {"likelihood", "reconstruction", "latent"} or callable
        The score.
    n_refits : int
        How many times each model is fitted again, without the rows far below its median score.
    X : {array, CSR matrix, DataFrame} of shape (n_samples, n_features)
        Rows.
    bags : list of ndarray of int
        The rows of each model. If it is empty, the transformer is already fitted, and X is of the
        same kind as its training rows.
    n_jobs : int or None
        Number of processes.
    rng : RandomState
        Source of the seeds.

    Returns
    -------
    tuple of Member
        Each kind of warning is issued once for all models.
    """
    if not bags:
        return (Member(transformer, kind, X),)
    models = [seeded_clone(transformer, rng) for _ in bags]
    fits = Parallel(n_jobs=n_jobs)(
        delayed(_fit_member)(model, kind, n_refits, take(X, bag))
        for model, bag in zip(models, bags, strict=True)
    )
    members, caught = zip(*fits, strict=True)
    _issue_once([warning for of_one in caught for warning in of_one])
    return members


def default_transformer(n_samples, sparse):
    """Return the default transformer: columns scaled to one unit, then a VAE.

    Parameters
    ----------
    n_samples : float
        Number of rows of one model. The number of epochs is set so that the number of training
        steps hardly depends on it.
    sparse : bool
        Whether the rows are sparse. Sparse rows are not centred, and extreme values not reduced.

    Returns
    -------
    Pipeline

    Examples
    --------
    >>> from skvae.outlier.members import default_transformer
    >>> list(default_transformer(1000, sparse=False).named_steps)
    ['standardscaler', 'functiontransformer', 'vaetransformer']
    """
    vae = VAETransformer(10, hidden_layer_sizes=(128,), noise_variance=0.1, lr=1e-2)
    vae.set_params(max_epochs=max(1, round(N_STEPS / ceil(n_samples / vae.batch_size))))
    scaler = StandardScaler(with_mean=not sparse).set_output(transform="default")
    if sparse:
        return make_pipeline(scaler, vae)
    drawn_in = FunctionTransformer(draw_in, inverse_func=draw_out, check_inverse=False)
    return make_pipeline(scaler, drawn_in.set_output(transform="default"), vae)


def draw_in(X):
    r"""Move extreme values nearer to zero: :math:`w \, \mathrm{asinh}(x / w)` with w = 5.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.outlier.members import draw_in, draw_out
    >>> draw_in(np.array([1.0, 10.0, 1000.0])).round(1)
    array([ 1. ,  7.2, 30. ])
    >>> draw_out(draw_in(np.array([1.0, 10.0, 1000.0])))
    array([   1.,   10., 1000.])
    """
    return USUAL * np.arcsinh(X / USUAL)


def draw_out(X):
    """Undo :func:`draw_in`."""
    return USUAL * np.sinh(X / USUAL)


def _fit_member(transformer, kind, n_refits, X):
    """Return a model of some rows, and the warnings of its fits as (category, text)."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        member = Member(clone(transformer).fit(X), kind, X)
        for _ in range(n_refits):
            normal = _normal(member, X)
            if normal.all() or normal.sum() < LEAST_ROWS:
                break
            kept = take(X, np.flatnonzero(normal))
            member = Member(clone(transformer).fit(kept), kind, kept)
    return member, [(warning.category, str(warning.message)) for warning in caught]


def scores_or_nan(member, X):
    """Return a model's scores, or NaN if it cannot compute them."""
    try:
        return member.score(X)
    except np.linalg.LinAlgError:  # PCA with no dimension left for the noise
        return np.full(X.shape[0], np.nan)


def _normal(member, X):
    """Return which rows are normal enough to learn from; all of them if no score is finite."""
    scores = scores_or_nan(member, X)
    finite = np.isfinite(scores)
    return scores >= fence(scores[finite], FAR_OFF) if finite.any() else ~finite


def _issue_once(caught):
    """Issue each kind of warning only once, although the numbers in the texts differ."""
    kinds = {}
    for category, text in caught:
        kinds.setdefault((category, text.partition("Got")[0]), text)
    for (category, _), text in kinds.items():
        warn(text, category)
