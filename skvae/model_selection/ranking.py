"""A ranking without known factors: which candidates find the same codes again."""

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
        The candidates: the keys of the dict, or the positions in the list.
    scores : ndarray of shape (n_candidates,)
        For each candidate, how far its models agree, from 0 to 1.
    active_shares : ndarray of shape (n_candidates,)
        For each candidate, the share of active dimensions, averaged over its models.
    per_model : tuple of ndarray
        For each candidate, the scores of its models in the given order. ``scores`` has their means.
    n_active : tuple of ndarray of int
        For each candidate, the number of active dimensions of each model.
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

    The score is :func:`skvae.metrics.udr_score`. If each candidate has several models, such as
    fits with the same parameters and different seeds, only models of the same candidate are
    compared, as in the paper. If each candidate is one model, it is compared with all others.

    Parameters
    ----------
    estimators : dict of sequences, dict or sequence of fitted estimators
        A dict of sequences gives at least two models for each candidate, for example fits with
        different seeds, or from different folds
        (``cross_validate(..., return_estimator=True)["estimator"]``). In a dict or a sequence of
        estimators, each model is a candidate. A model is an estimator with ``transform``, or a
        Pipeline or search that holds one. If it has ``posterior``, the standard deviations show
        which dimensions collapsed.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows to compare the codes on, preferably held out.
    method : {"spearman", "lasso"}, default="spearman"
        See :func:`skvae.metrics.udr_score`.
    flavor : {"disentanglement_lib"}, default=None
        See :func:`skvae.metrics.udr_score`.

    Returns
    -------
    UnsupervisedRanking
        Its ``names[0]`` is the best candidate. Candidates with equal scores keep the given order.
        It prints as a table with one row for each candidate. ``to_frame()`` returns this table.

    Raises
    ------
    TypeError
        If an estimator has no ``transform``; if groups and single models are mixed.
    ValueError
        If there is only one model, or a candidate has only one.

    See Also
    --------
    skvae.metrics.udr_score : The score of one candidate.
    latent_scorer : A score to use if the factors are known.

    Notes
    -----
    The score has limits. It tells whether another seed finds the codes of a candidate again. A low
    score means that the codes are partly chance. A high score does not mean that the codes are the
    true factors: codes that mix two factors in the same way every time have a score of 1. Over many
    models, objectives and data sets, Locatello et al. found no score without factors that selects
    reliably. They also proved that no such score exists without assumptions on model and data.
    Candidates with collapsed codes have fewer codes to agree on. Therefore read ``active_shares``
    together with the scores, and compare candidates with similar shares.

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
    if len(results[0]) == 1:  # single models: compare all of them with each other
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
    """Return the names of the candidates, and the list of models of each."""
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
                f"rank_unsupervised needs at least two models of each candidate, because its score "
                f"is how far they agree. Got {len(group)} of {name!r} instead. Fit it with more "
                f"seeds, or leave it out."
            )
    return names, groups


def _codes(estimator, X):
    """Return the codes of X and the posteriors' standard deviations; almost 0 if unknown."""
    last, X = last_step(estimator, X)
    if hasattr(last, "posterior"):
        posterior = posterior_of(last, X, "rank_unsupervised")
        return posterior.mean.numpy(), posterior.scale.numpy()
    codes = np.asarray(last.transform(X))
    return codes, np.full(codes.shape, np.finfo(float).tiny)


def _agreement(results, options):
    """Return the score of some models with its details."""
    codes, stds = zip(*results, strict=True)
    return udr_score(codes, stds_list=stds, **options)
