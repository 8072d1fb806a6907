"""The measures of every fit of the disentanglement benchmark, and comparisons of fits."""

import json
from statistics import median

import joblib
import numpy as np
from _common import median_and_range, one_thread, write_whole
from _disentanglement_fits import WITHOUT_BETA
from scipy.stats import t

from skvae.metrics import disentanglement_report, mutual_information_gap
from skvae.metrics.factors import active_codes

__all__ = ["chosen_betas", "measure_all", "paired_differences", "spread"]

REPORT_ROWS = 10_000  # rows for the scores that train predictors, the same for every model
CONFIDENCE = 0.95


def measure_all(results, images, *, n_jobs=1, whole=True, verbose=0):
    """Return {fit: {name: value}}. Earlier measures are read from the cache.

    With ``whole=False``, only the reconstruction and the gap are measured.
    """
    jobs = [joblib.delayed(_measure)(result, images, whole) for result in results.values()]
    return dict(zip(results, joblib.Parallel(n_jobs=n_jobs, verbose=verbose)(jobs), strict=True))


def _measure(result, images, whole):
    """Return the measures of one fit."""
    one_thread()
    path = result.estimator_path.with_suffix(".whole.json" if whole else ".gap.json")
    if path.exists():
        return json.loads(path.read_text())
    codes = result.codes.astype(np.float64)
    stds = None if result.std is None else result.std.astype(np.float64)
    measures = {
        "mig": mutual_information_gap(images.factors, codes),
        "squared_error": float(result.error.mean()),
        "elbo": None if result.elbo is None else float(result.elbo.mean()),
        "active": int(active_codes(codes, stds).sum()),
        "seconds": result.seconds,
    }
    if whole:
        measures |= _scores(codes, stds, images)
    write_whole(path, lambda part: part.write_text(json.dumps(measures)))
    return measures


def _scores(codes, stds, images):
    """Return all scores. The gaps use all rows, the other scores use a sample of the rows."""
    gap = mutual_information_gap(images.factors, codes, details=True)
    scores = {
        f"mig_{name}": float(value)
        for name, value in zip(images.factor_names, gap.per_factor, strict=True)
    }
    if stds is not None:
        ordered = np.delete(images.factors, images.nominal, axis=1)
        scores["mig_posterior_ordered"] = mutual_information_gap(
            ordered, codes, estimator="posterior", stds=stds
        )
    rows = np.random.default_rng(0).permutation(len(codes))[:REPORT_ROWS]
    report = disentanglement_report(
        images.factors[rows],
        codes[rows],
        nominal=images.nominal,
        stds=None if stds is None else stds[rows],
        random_state=0,
    )
    return {f"report_{name}": value for name, value in report.scores.items()} | scores


def chosen_betas(measures):
    """Return {model: the beta with the largest median gap} for the models with a beta."""
    gaps = {}
    for fit, values in measures.items():
        if fit.model not in WITHOUT_BETA:
            gaps.setdefault((fit.model, fit.beta), []).append(values["mig"])
    chosen = {}
    for model in {model for model, _ in gaps}:
        betas = [beta for name, beta in gaps if name == model]
        chosen[model] = max(betas, key=lambda beta: median(gaps[model, beta]))
    return chosen


def spread(values):
    """Return the median and the range of numbers as text. A single number, as of PCA, is alone."""
    numbers = [value for value in values if value is not None]
    return f"{numbers[0]:.3g}" if len(numbers) == 1 else median_and_range(numbers, ".3g")


def paired_differences(values, others):
    """Return the mean difference of two models over the seeds, and its confidence interval.

    The interval is Student's t. It treats the differences as a sample of a normal distribution.
    """
    differences = np.subtract(values, others)
    mean = differences.mean()
    if len(differences) < 2:
        return mean, np.nan, np.nan
    error = differences.std(ddof=1) / np.sqrt(len(differences))
    margin = t.ppf(0.5 + CONFIDENCE / 2, len(differences) - 1) * error
    return mean, mean - margin, mean + margin
