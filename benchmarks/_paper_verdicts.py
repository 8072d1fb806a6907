"""Whether a claim holds, fails, or cannot be told: its differences beside their errors."""

from typing import NamedTuple

import numpy as np
from _common import print_table
from _paper_claims import claims_of
from _paper_errors import N_GROUPS, WITHIN, standard_error
from scipy.stats import t

__all__ = ["FAILS", "HOLDS", "UNTOLD", "Judged", "judge", "over_seeds", "print_claims", "verdict"]

HOLDS, FAILS, UNTOLD = "holds", "fails", "cannot be told"
FEWEST_SEEDS = 3  # for an interval over them
IMAGES = "the jackknife of one seed; of two, from the least end to the greatest"
NOTE = """\
margin: the least of the differences that a claim says are there, its 95 % interval by
{over}.
verdict: of one seed, by the jackknife of ten groups of images, the same groups for all models. A
claim cannot be told where its margin may be on either side of 0, and where there is no evidence:
of codes and features where a model has collapsed, of AUC that chance gives too, of a TC that is
overstated, as images are too few. The TC is taken to be without error. That another seed gives
another fit, one seed does not tell.
"""


class Judged(NamedTuple):
    """A claim of one seed, and the standard errors of its steps."""

    claim: object
    errors: tuple

    @property
    def interval(self):
        """The 95 % interval of the least of the steps, over samples of images."""
        steps, half = np.array(self.claim.steps), WITHIN * np.array(self.errors)
        return least(steps - half, steps + half)


def least(low, high):
    """Return the interval of the least of several numbers from theirs; NaN where none is known.

    All are above 0 where the lowest end is, and one is below where one whole interval is.
    """
    known = np.isfinite(low) & np.isfinite(high)
    return (low[known].min(), high[known].min()) if known.any() else (np.nan, np.nan)


def judge(claim, replicates):
    """Return a claim with its errors, from the same claim without each group of images."""
    return Judged(claim, tuple(standard_error([other.steps for other in replicates])))


def verdict(interval):
    """Return what is told of a number that is said to be above 0; at NaN nothing is."""
    low, high = interval
    return HOLDS if low > 0 else FAILS if high < 0 else UNTOLD


def over_seeds(judged):
    """Return the 95 % interval of a claim's margin.

    Of three seeds and more that of Student's t of the paired differences; each is the difference of
    two fits of one seed. Of fewer, from the least end to the greatest of what the images give.
    """
    if len(judged) < FEWEST_SEEDS:
        ends = np.array([one.interval for one in judged])
        return ends[:, 0].min(), ends[:, 1].max()
    steps = np.array([one.claim.steps for one in judged])
    error = steps.std(0, ddof=1) / np.sqrt(len(steps))
    half = t.ppf(0.975, len(steps) - 1) * error
    return least(steps.mean(0) - half, steps.mean(0) + half)


def line(judged):
    """Return the cells of one claim that several seeds have something to say to."""
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
    """Return rows of models with what they measure without one group of images in its place."""
    return {model: merged(row, row["without"][left_out]) for model, row in rows.items()}


def merged(row, part):
    """Return a row with the measures of another in their places, in dicts within it too."""
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
    """Print every claim of the paper, what was measured, and whether it holds, seed by seed."""
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
