"""The effect of chance on the share of false alarms, for false_alarms.py."""

from functools import cache

import numpy as np
from _false_alarms_methods import P_VALUE
from scipy.stats import betabinom

__all__ = ["fold", "summary"]

TAIL = 0.005  # on each side of a 99 % interval
N_DRAWS = 20_000
VERDICTS = ("within", "above", "below")
ROUNDING = 1e-9  # error of shares in floating point


def undercut(level, n_calibration, *, whole):
    """Return the place of the threshold among the calibration scores, sorted from the lowest.

    ``n_calibration`` scores give no threshold below their lowest score. So the place is at least 1.
    A p-value is different (``whole``). It has whole places only. Their place may be 0, and then
    nothing is flagged.
    """
    place = level * (n_calibration + 1)
    return int(place + ROUNDING) if whole else max(place, 1.0)


@cache
def interval(place, n_calibration, n_asked, n_divisions):
    """Return the interval of 99 % of the shares that an exact threshold gives by chance.

    The threshold is the k-th of m calibration scores. New rows are exchangeable with the
    calibration rows. Then the number of alarms among t new rows is beta-binomial with the
    parameters k and m + 1 - k. This includes the chance in the rows of the fit, and the chance in
    the new rows. For several divisions of a table, the divisions are treated as independent, and
    the interval is that of a mean of simulated shares. If the threshold lies between two scores, k
    is not an integer.

    Parameters
    ----------
    place : float
        The place k of the threshold.
    n_calibration, n_asked : int
        The numbers m and t.
    n_divisions : int
        The share is a mean over this number of divisions.

    Returns
    -------
    low, high : float
    """
    if place == 0:
        return 0.0, 0.0
    shape = n_asked, place, n_calibration + 1 - place
    if n_divisions == 1:
        low, high = betabinom.ppf([TAIL, 1 - TAIL], *shape) / n_asked
    else:
        drawn = betabinom.rvs(*shape, size=(N_DRAWS, n_divisions), random_state=0)
        means = drawn.mean(axis=1) / n_asked
        low = np.quantile(means, TAIL, method="lower")
        high = np.quantile(means, 1 - TAIL, method="higher")
    return float(low), float(high)


def fold(rows):
    """Return one row for each table, size, method and level, with the mean share over the seeds.

    Parameters
    ----------
    rows : list of dict
        One row for each seed. "shares" has a share for each level.

    Returns
    -------
    list of dict
        "ratio" is the share divided by the level. "exact" is the expected ratio of an exact
        threshold. "verdict" compares the share with the 99 % interval: "within", "above" or
        "below".
    """
    alike = {}
    for row in rows:
        for level, share in row["shares"].items():
            key = row["table"], row["size"], row["method"], float(level)
            alike.setdefault(key, []).append((share, row))
    return [_folded(group, key[-1]) for key, group in alike.items()]


def _folded(group, level):
    """Return one row for several seeds."""
    share, first = np.mean([share for share, _ in group]), group[0][1]
    row = {key: value for key, value in first.items() if key not in ("seed", "shares")}
    place = undercut(level, row["n_calibration"], whole=row["method"].endswith(P_VALUE))
    low, high = interval(place, row["n_calibration"], row["n_asked"], len(group))
    verdict = VERDICTS[int(share > high + ROUNDING) + 2 * int(share < low - ROUNDING)]
    return row | {
        "level": level,
        "n_seeds": len(group),
        "share": round(share, 5),
        "ratio": round(share / level, 4),
        "low": round(low, 5),
        "high": round(high, 5),
        "verdict": verdict,
        "exact": round(place / (row["n_calibration"] + 1) / level, 4),
        "seconds": round(float(np.median([of_seed["seconds"] for _, of_seed in group])), 4),
    }


def summary(rows):
    """Return a dict that summarises the tables of one method, size and level."""
    ratios = np.array([row["ratio"] for row in rows])
    verdicts = [row["verdict"] for row in rows]
    return {
        "tables": len(rows),
        "mean": float(ratios.mean()),
        "median": float(np.median(ratios)),
        "exact": float(np.mean([row["exact"] for row in rows])),
        "least": float(ratios.min()),
        "largest": float(ratios.max()),
        **{verdict: verdicts.count(verdict) / len(rows) for verdict in VERDICTS},
        "seconds": float(np.median([row["seconds"] for row in rows])),
    }
