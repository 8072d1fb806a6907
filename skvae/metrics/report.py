"""All scores of codes against known factors, in one table."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from skvae._results import Result
from skvae._typing import Integers, Seed
from skvae.metrics.dci import DCI_PARTS, dci_score
from skvae.metrics.explicitness import explicitness_score
from skvae.metrics.factors import check_factors
from skvae.metrics.gaps import modularity_score, mutual_information_gap
from skvae.metrics.infomec import INFOMEC_PARTS, infomec_score
from skvae.metrics.interventions import beta_vae_score, factor_vae_score
from skvae.metrics.sap import sap_score

__all__ = ["DisentanglementReport", "disentanglement_report"]


@dataclass(frozen=True, eq=False, repr=False)
class DisentanglementReport(Result):
    """Scores of codes against known factors; see :func:`disentanglement_report`.

    Attributes
    ----------
    scores : dict of str to float
        The value of each score by its name.
    per_factor : dict of str to ndarray of shape (n_factors,)
        For each score that is a mean over factors, the values of the single factors. For the
        accuracies, the accuracy on the points of each factor.
    factor_names : tuple of str
        The factors' names.
    n_samples : int
        Number of rows.
    """

    scores: dict
    per_factor: dict
    factor_names: tuple
    n_samples: int

    def _table(self):
        absent = [None] * len(self.factor_names)
        shares = [self.per_factor.get(name, absent) for name in self.scores]
        by_factor = [list(column) for column in zip(*shares, strict=True)]
        columns = [("score", list(self.scores.values()))]
        return list(self.scores), [*columns, *zip(self.factor_names, by_factor, strict=True)]


def disentanglement_report(
    factors: ArrayLike,
    codes: ArrayLike,
    *,
    nominal: Integers | None = None,
    stds: ArrayLike | None = None,
    factor_names: Collection[str] | None = None,
    random_state: Seed = None,
) -> DisentanglementReport:
    """Compute all scores of codes against known factors.

    Parameters
    ----------
    factors : array-like of shape (n_samples, n_factors)
        Known factors, at least two. A column needs at least twice as many rows as levels.
    codes : array-like of shape (n_samples, n_components)
        Codes of the same rows, such as ``transform`` returns.
    nominal : sequence of int, default=None
        Columns of the factors whose levels have no order, such as a shape.
    stds : array-like of shape (n_samples, n_components), default=None
        Standard deviations of the posteriors, as ``posterior`` returns. If given, the scores
        include "mig_posterior", and those scores that leave out collapsed codes do so.
    factor_names : sequence of str, default=None
        Names for the table. By default these are the columns of a DataFrame, or else "v0", "v1" and
        so on.
    random_state : int, RandomState instance or None, default=None
        Controls everything random: held-out rows, pairs and batches of rows. With an int, each
        score has the value that its own function returns for the same int.

    Returns
    -------
    DisentanglementReport
        Its ``scores``, all from 0 to 1, are "beta_vae", "factor_vae", "mig", "mig_posterior",
        "sap", "modularity", "explicitness", "dci_disentanglement", "dci_completeness",
        "dci_informativeness", "infomec_modularity", "infomec_compactness" and
        "infomec_explicitness". It prints as a table with one row for each score and one column for
        each factor. ``to_frame()`` returns this table.

    Raises
    ------
    ValueError
        If there is only one factor; if a factor has only one level, or more than one level for
        every two rows; if the shapes do not match.

    See Also
    --------
    mutual_information_gap : Is the information about each factor in only one code?
    sap_score : Does only one code predict each factor?
    modularity_score : Does each code inform about only one factor?
    dci_score : One factor for each code, one code for each factor, factors predicted well?
    infomec_score : The same three questions, measured by information.
    explicitness_score : Can a linear classifier predict every level from all codes together?
    beta_vae_score : Can a linear classifier tell which factor pairs of rows share?
    factor_vae_score : Does the code that varies least reveal which factor is fixed?

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import disentanglement_report
    >>> factors = np.indices((3, 4, 5, 3)).reshape(4, -1).T
    >>> codes = factors @ np.diag([1.0, -2.0, 3.0, 1.0])
    >>> report = disentanglement_report(factors, codes, nominal=[0], random_state=0)
    >>> round(report.scores["mig"], 6)
    1.0
    >>> print(str(report)[:48])
                          score     v0     v1     v2
    >>> report.to_frame().loc["mig"].round(6).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    name = "disentanglement_report"
    if factor_names is None:
        factor_names = getattr(factors, "columns", None)
    checked, codes = check_factors(factors, codes, name, least=2)
    n_factors = len(checked.sizes)
    if factor_names is None:
        factor_names = [f"v{place}" for place in range(n_factors)]
    factor_names = tuple(map(str, factor_names))
    if len(factor_names) != n_factors:
        raise ValueError(
            f"{name} needs a name for each of the {n_factors} factors. Got {len(factor_names)} "
            f"instead. Give as many, or none."
        )
    drawn: dict[str, Any] = {"random_state": random_state, "details": True}
    of_kind: dict[str, Any] = {"nominal": nominal, **drawn}
    results = {
        "beta_vae": beta_vae_score(factors, codes, **drawn),
        "factor_vae": factor_vae_score(factors, codes, stds=stds, **drawn),
        "mig": mutual_information_gap(factors, codes, details=True),
    }
    if stds is not None:
        results["mig_posterior"] = mutual_information_gap(
            factors, codes, estimator="posterior", stds=stds, details=True
        )
    results["sap"] = sap_score(factors, codes, **of_kind)
    results["modularity"] = modularity_score(factors, codes, stds=stds, details=True)
    results["explicitness"] = explicitness_score(factors, codes, **drawn)
    scores = {key: result.score for key, result in results.items()}
    per_factor = {key: result.get("per_factor") for key, result in results.items()}
    dci = dci_score(factors, codes, **of_kind)
    infomec = infomec_score(factors, codes, stds=stds, **drawn)
    for key, result, parts in (("dci", dci, DCI_PARTS), ("infomec", infomec, INFOMEC_PARTS)):
        for part in parts:
            scores[f"{key}_{part}"] = result[part]
            per_factor[f"{key}_{part}"] = result.get(f"{part}_per_factor")
    per_factor = {key: shares for key, shares in per_factor.items() if shares is not None}
    return DisentanglementReport(scores, per_factor, factor_names, len(codes))
