"""Whether a claim holds, fails, or cannot be told, from its differences and their errors."""

from typing import NamedTuple

import numpy as np
from _common import print_table
from _paper_claims import claims_of
from _paper_errors import N_GROUPS, WITHIN, standard_error
from scipy.stats import t

__all__ = ["FAILS", "HOLDS", "UNTOLD", "Judged", "judge", "over_seeds", "print_claims", "verdict"]

HOLDS, FAILS, UNTOLD = "holds", "fails", "cannot be told"
FEWEST_SEEDS = 3  # for an interval over seeds
IMAGES = "the jackknife of one seed, or from the least to the greatest end for two seeds"
NOTE = """\
margin: the least of the differences that a claim says are positive. Its 95 % interval is by
{over}.
verdict: for each seed, by the jackknife of ten groups of images. The groups are the same for all
models. A claim cannot be told if its interval contains 0, or if there is no evidence. There is no
evidence about codes and features of a collapsed model, in an AUC at chance level, and in a TC that
is overstated, since images are too few. The TC counts as exact. The verdict for one seed does not
include that another seed gives another fit.
"""


class Judged(NamedTuple):
    """A claim for one seed, and the standard errors of its steps."""

    claim: object
    errors: tuple

    @property
    def interval(self):
        """The 95 % interval of the smallest step, over samples of images."""
        steps, half = np.array(self.claim.steps), WITHIN * np.array(self.errors)
        return least(steps - half, steps + half)


def least(low, high):
    """Return the interval of the smallest of several numbers, from the intervals of all.

    If its lower end is above 0, all numbers are. If its upper end is below 0, at least one number
    is. Numbers without an interval are left out. If none has one, the result is NaN.
    """
    known = np.isfinite(low) & np.isfinite(high)
    return (low[known].min(), high[known].min()) if known.any() else (np.nan, np.nan)


def judge(claim, replicates):
    """Return a claim with its errors, from the same claim without each group of images."""
    return Judged(claim, tuple(standard_error([other.steps for other in replicates])))


def verdict(interval):
    """Return the verdict on a number that should be above 0. At NaN, it cannot be told."""
    low, high = interval
    return HOLDS if low > 0 else FAILS if high < 0 else UNTOLD


def over_seeds(judged):
    """Return the 95 % interval of a claim's margin.

    With three or more seeds, it is Student's t of paired differences. Each difference is between
    two fits with the same seed. With fewer seeds, it is from the least to the greatest end of the
    intervals over images.
    """
    if len(judged) < FEWEST_SEEDS:
        ends = np.array([one.interval for one in judged])
        return ends[:, 0].min(), ends[:, 1].max()
    steps = np.array([one.claim.steps for one in judged])
    error = steps.std(0, ddof=1) / np.sqrt(len(steps))
    half = t.ppf(0.975, len(steps) - 1) * error
    return least(steps.mean(0) - half, steps.mean(0) + half)


def line(judged):
    """Return the cells of one claim for several seeds."""
    says, of, _, _, digits = judged[0].claim
    numbers = np.array([one.claim.numbers for one in judged], dtype=float)
    medians = [f"{number:.{digits}f}" for number in np.median(numbers, axis=0)]
    interval = over_seeds(judged)
    shown = (
        "-" if np.isnan(interval).any() else "{:+.{d}f} to {:+.{d}f}".format(*interval, d=digits)
    )
    found = [verdict(one.interval) for one in judged]
    counts = [f"{found.count(each)} {each}" for each in (HOLDS, FAILS, UNTOLD) if each in found]
    told = found[0] if len(found) == 1 else ", ".join(counts)
    return [says, of, ", ".join(medians).replace("nan", "-"), shown, told]


def without(rows, left_out):
    """Return rows of models. Measures without one group of images replace those of all images."""
    return {model: merged(row, row["without"][left_out]) for model, row in rows.items()}


def merged(row, part):
    """Return a row in which the measures of another row replace its own, also in nested dicts."""
    return row | {
        key: merged(row[key], value) if isinstance(value, dict) else value
        for key, value in part.items()
    }


def of_seed(run, rows, features, prevalence, resampled):
    """Return the judged claims of one seed."""
    claims, *replicates = (
        claims_of(
            run,
            rows if group is None else without(rows, group),
            features,
            prevalence,
            {
                name: others if group is None else without(others, group)
                for name, others in resampled.items()
            },
        )
        for group in (None, *range(N_GROUPS))
    )
    return [judge(claim, others) for claim, *others in zip(claims, *replicates, strict=True)]


def print_claims(run, rows, features, prevalence, resampled):
    """Print every claim of the paper, its measured numbers, and the verdict for each seed."""
    seeds = [
        of_seed(
            run,
            {model: of_model[place] for model, of_model in rows.items()},
            features,
            prevalence,
            {
                name: {model: of_model[place] for model, of_model in of_set.items()}
                for name, of_set in resampled.items()
            },
        )
        for place in range(len(run.settings))
    ]
    header = ("the paper says", "measured", "medians", "margin, 95 %", "verdict, by seed")
    print_table(header, [line(claims) for claims in zip(*seeds, strict=True)], n_left=len(header))
    over = (
        IMAGES
        if len(seeds) < FEWEST_SEEDS
        else f"Student's t of the differences of {len(seeds)} seeds"
    )
    print(NOTE.format(over=over))
