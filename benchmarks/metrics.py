"""The time of the scores that compare codes with known factors; one is compared with a loop.

There are 10,000 rows, ten codes, and five factors as large as those of dSprites. Five codes are
noisy copies of the factors, and five codes are noise. A loop computes the mutual information gap
too. It calls scikit-learn's mutual_info_score for every pair of a code and a factor, as public
implementations do. Both results are compared.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

from statistics import median
from time import perf_counter

import numpy as np
from _common import make_parser, one_thread, print_machine, print_table, save, timed
from sklearn.metrics import mutual_info_score

from skvae import metrics

SIZES = (3, 6, 40, 32, 32)
N_SAMPLES, N_COMPONENTS, N_BINS = 10_000, 10, 20
SCORES = {
    "mutual_information_gap": {},
    "mutual_information_gap, posterior": {"estimator": "posterior"},
    "modularity_score": {},
    "sap_score": {"nominal": [0]},
    "beta_vae_score": {},
    "factor_vae_score": {},
    "explicitness_score": {},
    "dci_score": {"nominal": [0]},
    "infomec_score": {"details": True},
    "disentanglement_report": {"nominal": [0]},
}


def make_codes():
    """Return factors, codes, and the standard deviations of the posteriors."""
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(size, size=N_SAMPLES) for size in SIZES], axis=1)
    codes = rng.standard_normal((N_SAMPLES, N_COMPONENTS))
    codes[:, : len(SIZES)] *= 0.3
    codes[:, : len(SIZES)] += (factors - factors.mean(0)) / factors.std(0)
    return factors, codes, np.full(codes.shape, 0.3)


def gap_by_a_loop(factors, codes):
    """Return the mutual information gap, computed pair by pair."""
    bins = [np.digitize(code, np.histogram(code, N_BINS)[1][:-1]) for code in codes.T]
    gaps = []
    for factor in factors.T:
        information = sorted(mutual_info_score(factor, code) for code in bins)
        gaps.append((information[-1] - information[-2]) / mutual_info_score(factor, factor))
    return np.mean(gaps)


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--repeats", type=int, default=11, help="repetitions of the gap; odd")
    args = parser.parse_args()
    one_thread()
    print_machine()
    factors, codes, stds = make_codes()

    runs = []
    for _ in range(args.repeats):  # in turn, so that other load affects both
        seconds, ours = timed(metrics.mutual_information_gap, factors, codes, clock=perf_counter)
        loop_seconds, loop = timed(gap_by_a_loop, factors, codes, clock=perf_counter)
        runs.append((seconds, loop_seconds, loop_seconds / seconds))
    seconds, loop_seconds, ratio = map(median, zip(*runs, strict=True))
    difference = abs(ours - loop)
    print_table(
        ["mutual_information_gap", "ms", "a loop, ms", "ratio", "difference"],
        [
            [
                "",
                f"{1e3 * seconds:.1f}",
                f"{1e3 * loop_seconds:.1f}",
                f"{ratio:.0f}",
                f"{difference:.1e}",
            ]
        ],
    )

    rows = []
    for label, options in SCORES.items():
        name = label.partition(",")[0]
        if "posterior" in options.values() or name == "disentanglement_report":
            options = {"stds": stds, **options}
        if name not in ("mutual_information_gap", "modularity_score"):
            options = {"random_state": 0, **options}
        score = getattr(metrics, name)
        spent, result = timed(score, factors, codes, clock=perf_counter, **options)
        rows.append({"score": label, "seconds": spent})
    print_table(["score", "seconds"], [[row["score"], f"{row['seconds']:.2f}"] for row in rows])
    print(result)  # the last result is the report
    save(
        "metrics",
        rows,
        n_samples=N_SAMPLES,
        gap_seconds=seconds,
        loop_seconds=loop_seconds,
        ratio=ratio,
        difference=difference,
        repeats=args.repeats,
    )


if __name__ == "__main__":
    main()
