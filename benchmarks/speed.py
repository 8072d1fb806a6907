"""Claim: fits and methods are as fast as a hand-written loop, and faster than models of others.

All results are ratios of seconds on one thread. Fits are compared with hand-written loops (plain
and fused Adam), with each other, and with models of scikit-learn, skorch, PyOD and pythae with the
same layers. PyOD and pythae are left out if they are not installed. Other ratios show how the time
of a fit grows with rows and columns. ``transform`` is compared with a bare pass of the network.
Scores, samples and ``partial_fit`` are also timed, and the first fit, the first loaded model and
the first search of a process.

The contenders run in turn in each repetition. Each repetition gives a ratio, and the median of the
ratios is reported. So a busy machine affects numerator and denominator alike. Seconds are processor
time. Searches have worker processes, and use the clock. The time of our fit includes the validation
of X, the PCA at the start of training, the history and the last pass over the rows.

``--check`` measures only the cheap rows. It fails if a ratio is more than 15 % worse than the one
kept in results/speed.json, and is so again when it is repeated.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before the imports of this process and of its children

import sys
import warnings
from functools import partial

import _common
from _common import make_parser, one_thread, print_machine, print_table, save, save_picture
from _speed_calls import CALLS
from _speed_contests import chosen, measured
from _speed_fits import FITS
from _speed_processes import PROCESSES
from _speed_tables import CHECK_HEADER, HEADER, cells, check, draw, kept_rows

CONTESTS = (*FITS, *CALLS, *PROCESSES)


def compare(contests, repeats):
    """Print the cheap ratios beside those kept. Exit with an error if one has become worse."""
    kept = kept_rows(_common.RESULTS / "speed.json")
    cheap = [contest for contest in contests if contest.is_cheap]
    lines, failed = check(cheap, kept, partial(measured, repeats=repeats))
    print_table(CHECK_HEADER, lines)
    if failed:
        sys.exit(
            f"Ratios must be at most 15 % worse than in results/speed.json. Got {', '.join(failed)}"
            f" worse twice instead. Find the change that causes it, or keep new ratios and say why."
        )
    print("No ratio is more than 15 % worse than in results/speed.json.")


def main(arguments=None):
    parser = make_parser(__doc__)
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", default=["*"], help="ratios, such as fit-* or load"
    )
    parser.add_argument("--repeats", type=int, help="repetitions (default: 5; checks: 3)")
    parser.add_argument("--quick", action="store_true", help="few rows, one epoch, to try it")
    parser.add_argument("--check", action="store_true", help="compare with results/speed.json")
    arguments = parser.parse_args(arguments)
    contests = chosen(CONTESTS, arguments.only)
    if not contests:
        names = ", ".join(row.name for contest in CONTESTS for row in contest.rows)
        parser.error(f"--only must match some of {names}. Got {' '.join(arguments.only)} instead.")
    warnings.simplefilter("ignore")  # very short fits give warnings
    one_thread()
    print_machine()
    if arguments.check:
        compare(contests, arguments.repeats or 3)
        return
    repeats = arguments.repeats or (1 if arguments.quick else 5)
    rows = []
    for contest in contests:
        rows += measured(contest, repeats=repeats, quick=arguments.quick)
        print(*(row["name"] for row in rows[-len(contest.rows) :]), "measured", file=sys.stderr)
    print_table(HEADER, [cells(row) for row in rows], n_left=3)
    if arguments.quick or arguments.only != ["*"]:
        return  # short or partial runs are not kept
    save("speed", rows, repeats=repeats, threads=1)
    save_picture("speed", lambda axes: draw(axes, rows), height=6.5)


if __name__ == "__main__":
    main()
