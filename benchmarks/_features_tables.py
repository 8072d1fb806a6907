"""Summaries for features.py: means, intervals, and differences from PCA."""

import numpy as np
from _common import rows_of
from _features_methods import METHODS, RAW
from scipy.stats import gmean, t

__all__ = ["BEST", "SCORES", "gains", "interval", "shown", "sizes_of", "tasks_of", "times"]

SCORES = ("linear", "neighbours")
BEST = "best of AE and VAE"
CONFIDENCE = 0.95
TIE = 1e-9


def interval(values):
    """Return the mean of numbers, and half the width of its interval by Student's t."""
    values = np.asarray(list(values), dtype=float)
    if len(values) < 2:
        return float(values.mean()), None
    error = values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), float(t.ppf(0.5 + CONFIDENCE / 2, len(values) - 1) * error)


def shown(mean, margin, sign=""):
    """Return a mean with its interval as text."""
    return f"{mean:{sign}.3f}" + ("" if margin is None else f" ±{margin:.3f}")


def tasks_of(rows):
    """Return the names of the tasks in the rows."""
    return list(dict.fromkeys(row["task"] for row in rows))


def sizes_of(rows):
    """Return the numbers of components in the rows."""
    return sorted({row["n_components"] for row in rows} - {None})


def by_seed(rows, task, size, method, key):
    """Return {seed: mean of an entry over the targets of the task}."""
    size = None if method == RAW else size
    seeds = {}
    for row in rows_of(rows, task=task, n_components=size, method=method):
        seeds.setdefault(row["seed"], []).append(row[key])
    return {seed: np.mean(values) for seed, values in seeds.items()}


def paired(rows, task, size, method, key):
    """Return pairs of an entry: of a method and of PCA, for the seeds that both have."""
    theirs = by_seed(rows, task, size, "PCA", key)
    if method == BEST:
        candidates = [by_seed(rows, task, size, name, key) for name in ("AE", "VAE")]
        if not all(candidates):
            return []
        ours = max(candidates, key=lambda seeds: np.mean(list(seeds.values())))
    else:
        ours = by_seed(rows, task, size, method, key)
    return [(ours[seed], theirs[seed]) for seed in sorted(ours.keys() & theirs.keys())]


def gain(score, differences):
    """Return the mean difference over the tasks, its interval, and the tasks won and lost."""
    mean, margin = interval(differences)
    counts = [sum(d > TIE for d in differences), sum(d < -TIE for d in differences)]
    return {
        score: mean,
        f"{score}, interval": None if margin is None else [mean - margin, mean + margin],
        f"{score}, won and lost": [int(count) for count in counts],
    }


def gains(rows):
    """Return a row for each method and size: score minus score of PCA, as a mean over the tasks."""
    lines = []
    methods = [m for m in METHODS if m != "PCA" and rows_of(rows, method=m)]
    if {"AE", "VAE"} <= set(methods):
        methods.insert(2, BEST)
    for size in sizes_of(rows):
        for method in methods:
            line = {"method": method, "n_components": size}
            for score in SCORES:
                pairs = [paired(rows, task, size, method, score) for task in tasks_of(rows)]
                means = [np.mean([a - b for a, b in pair]) for pair in pairs if pair]
                if not means:
                    continue
                line |= {"tasks": len(means)} | gain(score, means)
            if "tasks" in line:
                lines.append(line)
    return lines


def times(rows):
    """Return a row for each method: the seconds for each task, and the ratio to PCA.

    The seconds are means over sizes and seeds. A ratio compares two fits with the same size and
    seed. For a task it is the median of these ratios. Over tasks it is the geometric mean.
    """
    lines = []
    for method in METHODS:
        of_it = [row for row in rows_of(rows, method=method) if row["seconds"] is not None]
        if not of_it:
            continue
        seconds, ratios = {}, []
        for task in tasks_of(of_it):
            seconds[task] = float(np.mean([row["seconds"] for row in rows_of(of_it, task=task)]))
            pairs = [
                pair
                for size in sizes_of(of_it)
                for pair in paired(rows, task, size, method, "seconds")
            ]
            if pairs:
                ratios.append(np.median([ours / theirs for ours, theirs in pairs]))
        ratio = float(gmean(ratios)) if ratios else None
        lines.append({"method": method, "seconds": seconds, "over_pca": ratio})
    return lines
