"""Which candidates find the same codes again: a ranking that needs no factors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skvae._results import Result
from skvae._typing import MatrixLike
from skvae.base.pipelines import last_step
from skvae.metrics.inputs import posterior_of
from skvae.metrics.udr import udr_score

__all__ = ["UnsupervisedRanking", "rank_unsupervised"]


@dataclass(frozen=True, eq=False, repr=False)
class UnsupervisedRanking(Result):
    """Candidates, best first; see :func:`rank_unsupervised`.

    Attributes
    ----------
    names : tuple
        The candidates: the keys of the dict, or the places in the list.
    scores : ndarray of shape (n_candidates,)
        How far the models of each agree, from 0 to 1.
    active_shares : ndarray of shape (n_candidates,)
        The share of active dimensions, a mean over the models of each.
    per_model : tuple of ndarray
        The scores that ``scores`` are the means of, in the order of the models given.
    n_active : tuple of ndarray of int
        The number of active dimensions of each model.
    """

    names: tuple
    scores: np.ndarray
    active_shares: np.ndarray
    per_model: tuple
    n_active: tuple

    def _table(self):
        columns = [("udr", self.scores), ("active_share", self.active_shares)]
        return list(self.names), [*columns, ("n_models", [len(own) for own in self.per_model])]


def rank_unsupervised(
    estimators: Mapping[str, Any] | Sequence[Any],
    X: MatrixLike,
    *,
    method: str = "spearman",
    flavor: str | None = None,
) -> UnsupervisedRanking:
    """Rank candidates by how far their models agree on the codes of X.

    The score is that of :func:`skvae.metrics.udr_score`. Groups of models, such as fits of the
    same parameters from several seeds, are compared within each candidate, as its authors do;
    single models each with all others.

    Parameters
    ----------
    estimators : dict of sequences, dict or sequence of fitted estimators
        A dict of sequences has at least two models for each candidate, say fits
        from several seeds or folds (``cross_validate(..., return_estimator=True)["estimator"]``).
        A dict or a sequence of estimators has the models themselves for candidates. Each is
        an estimator with ``transform``, or a Pipeline or search that holds one. Where there is
        a ``posterior`` its standard deviations tell which dimensions collapsed.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows to compare codes on, best held out.
    method : {"spearman", "lasso"}, default="spearman"
        As of ``udr_score``.
    flavor : {"disentanglement_lib"}, default=None
        As of ``udr_score``.

    Returns
    -------
    UnsupervisedRanking
        Its ``names[0]`` is the best. Of equal scores the first given comes first. It prints as
        a table, a row for each candidate, and ``to_frame()`` is that table.

    Raises
    ------
    TypeError
        If an estimator has no ``transform``; if groups and single models are mixed.
    ValueError
        If there is but one model, or one of a candidate.

    See Also
    --------
    skvae.metrics.udr_score : The score of one candidate.
    latent_scorer : Where the factors are known.

    Notes
    -----
    Trust it as far as it goes. The score tells whether a candidate's codes are found again from
    another seed, so that a candidate with a low one has codes that are partly chance. It does
    not tell whether those found again are anyone's factors: codes that mix two of them in the
    same way every time have a score of 1. Over many models, objectives and data
    sets Locatello et al. found no score without factors that selects reliably, and proved that
    without assumptions on model and data there can be none. Candidates whose codes collapsed have
    less to agree on: read ``active_shares`` next to the scores, and compare like with like.

    References
    ----------
    Duan et al. (2020), Unsupervised model selection for variational disentangled representation
    learning, ICLR. Locatello et al. (2019), Challenging common assumptions in the
    unsupervised learning of disentangled representations, ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.random_projection import GaussianRandomProjection
    >>> from skvae.model_selection import rank_unsupervised
    >>> X = load_iris().data
    >>> candidates = {
    ...     "projection": [GaussianRandomProjection(2, random_state=s).fit(X) for s in range(3)],
    ...     "PCA": [PCA(2).fit(X[fold::3]) for fold in range(3)],
    ... }
    >>> ranking = rank_unsupervised(candidates, X)
    >>> ranking.names
    ('PCA', 'projection')
    >>> list(ranking.to_frame().columns)
    ['udr', 'active_share', 'n_models']
    """
    names, groups = _grouped(estimators)
    results = [[_codes(model, X) for model in group] for group in groups]
    options = {"method": method, "flavor": flavor, "details": True}
    if len(results[0]) == 1:  # single models: one comparison of all
        agreed = _agreement([result for group in results for result in group], options)
        per_model = [agreed.per_model[place : place + 1] for place in range(len(names))]
        n_active = [agreed.n_active[place : place + 1] for place in range(len(names))]
    else:
        agreed = [_agreement(group, options) for group in results]
        per_model = [result.per_model for result in agreed]
        n_active = [result.n_active for result in agreed]
    scores = np.array([scores.mean() for scores in per_model])
    shares = np.array(
        [
            np.mean([n / codes.shape[1] for n, (codes, _) in zip(active, group, strict=True)])
            for active, group in zip(n_active, results, strict=True)
        ]
    )
    order = np.argsort(-scores, kind="stable")
    names, per_model, n_active = (
        tuple(values[place] for place in order) for values in (names, per_model, n_active)
    )
    return UnsupervisedRanking(names, scores[order], shares[order], per_model, n_active)


def _grouped(estimators):
    """Return the names of the candidates, and the models of each."""
    if not isinstance(estimators, Mapping):
        estimators = dict(enumerate(estimators))
    names, groups = list(estimators), list(estimators.values())
    single = [hasattr(group, "transform") for group in groups]
    if all(single):
        if len(groups) < 2:
            raise ValueError(
                f"rank_unsupervised compares models, and needs at least two. Got {len(groups)} "
                f"instead. Fit others, say from further seeds."
            )
        return names, [[model] for model in groups]
    groups = [list(group) if np.iterable(group) else [] for group in groups]
    models = [model for group in groups for model in group]
    if any(single) or not models or not all(hasattr(model, "transform") for model in models):
        raise TypeError(
            "rank_unsupervised needs fitted estimators with transform: a list or a dict of them, "
            "or a dict that has a list of them for each candidate. Got something else instead. "
            "Give one of these."
        )
    for name, group in zip(names, groups, strict=True):
        if len(group) < 2:
            raise ValueError(
                f"rank_unsupervised needs at least two models of each candidate, for how far they "
                f"agree is its score. Got {len(group)} of {name!r} instead. Fit it from further "
                f"seeds, or leave it out."
            )
    return names, groups


def _codes(estimator, X):
    """Return the codes of X and their posteriors' standard deviations, next to 0 without any."""
    last, X = last_step(estimator, X)
    if hasattr(last, "posterior"):
        posterior = posterior_of(last, X, "rank_unsupervised")
        return posterior.mean.numpy(), posterior.scale.numpy()
    codes = np.asarray(last.transform(X))
    return codes, np.full(codes.shape, np.finfo(float).tiny)


def _agreement(results, options):
    """Return the details of the score of some models."""
    codes, stds = zip(*results, strict=True)
    return udr_score(codes, stds_list=stds, **options)
