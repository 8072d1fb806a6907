"""What chance alone makes of a share of false alarms that is right, for false_alarms.py."""

from functools import cache

import numpy as np
from _false_alarms_methods import P_VALUE
from scipy.stats import betabinom

__all__ = ["fold", "summary"]

TAIL = 0.005  # on either side of an interval of 99 %
N_DRAWS = 20_000
VERDICTS = ("within", "above", "below")
ROUNDING = 1e-9  # of shares


def undercut(level, n_calibration, *, whole):
    """Return which of the calibration scores, from below, is the threshold of a share.

    Below the least score there is none to be had of ``n_calibration`` rows, so it is 1 at least;
    but a p-value, which only has ``whole`` places, is never that low: 0, and no alarm.
    """
    place = level * (n_calibration + 1)
    return int(place + ROUNDING) if whole else max(place, 1.0)


@cache
def interval(place, n_calibration, n_asked, n_divisions):
    """Return the ends of what 99 % of the shares are within that are right but for chance.

    With the k-th of m scores as the threshold, and the asked rows exchangeable with theirs, t new
    rows give a beta-binomial number of alarms, of k and m + 1 - k: it counts the chance of the rows
    fitted and that of the rows asked. Several divisions are independent, given the table, and
    the mean of as many draws stands for theirs. Between two scores, k is no integer.

    Parameters
    ----------
    place : float
        k.
    n_calibration, n_asked : int
        m and t.
    n_divisions : int
        Of how many the share is the mean.

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
    """Return one row for each table, size, method and level: the mean share of the seeds.

    Parameters
    ----------
    rows : list of dict
        One for each seed; "shares" has the levels.

    Returns
    -------
    list of dict
        With "ratio", the share over the level; "exact", the ratio that is expected of an exact
        threshold; and "verdict": "within" the interval of 99 %, "above" or "below".
    """
    alike = {}
    for row in rows:
        for level, share in row["shares"].items():
            key = row["table"], row["size"], row["method"], float(level)
            alike.setdefault(key, []).append((share, row))
    return [_folded(group, key[-1]) for key, group in alike.items()]


def _folded(group, level):
    """Return the one row of several seeds."""
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
    """Return what the tables of one method, size and level have in common, a dict."""
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
