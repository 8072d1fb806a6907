"""Claim: fits and methods are as fast as a hand-written loop, and faster than others' models.

Ratios of seconds, one thread: fits over loops written by hand with plain and with fused Adam, over
one another, and over scikit-learn's, skorch's, PyOD's and pythae's of the same layers (the last
two where they are installed); how a fit's time grows with rows and columns; ``transform`` over a
bare pass of the network; scores, samples and ``partial_fit``; the first fit, the first model read
and the first search of a process. The contenders take turns within a repetition, and a ratio is
formed in each repetition before its median is taken, so that a busy machine disturbs numerator
and denominator alike. Seconds are the processor's, but a clock's for searches, which have
workers. A fit is a whole one: ours with the validation of X, the PCA that training begins at, the
history and the last pass over the rows.

``--check`` measures the rows that are cheap, and fails where a ratio is more than 15 % worse
than the one kept in results/speed.json, and is so again when it is repeated.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # of this process and its children, before their imports

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
    """Print the ratios of what is cheap beside those kept, and fail where one has become worse."""
    kept = kept_rows(_common.RESULTS / "speed.json")
    cheap = [contest for contest in contests if contest.is_cheap]
    lines, failed = check(cheap, kept, partial(measured, repeats=repeats))
    print_table(CHECK_HEADER, lines)
    if failed:
        sys.exit(
            f"Ratios must be at most 15 % worse than in results/speed.json. Got {', '.join(failed)}"
            f" worse twice instead. Find the change that costs it, or keep new ratios and say why."
        )
    print("No ratio is more than 15 % worse than in results/speed.json.")


def main(arguments=None):
    parser = make_parser(__doc__)
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", default=["*"], help="rows, such as fit-* or load"
    )
    parser.add_argument("--repeats", type=int, help="repetitions (default: 5; checks: 3)")
    parser.add_argument("--quick", action="store_true", help="few rows, one epoch: to see it run")
    parser.add_argument("--check", action="store_true", help="compare with results/speed.json")
    arguments = parser.parse_args(arguments)
    contests = chosen(CONTESTS, arguments.only)
    if not contests:
        names = ", ".join(row.name for contest in CONTESTS for row in contest.rows)
        parser.error(f"--only takes some of {names}. Got {' '.join(arguments.only)} instead.")
    warnings.simplefilter("ignore")  # of fits too short for what they say
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
        return  # a part of the rows, or short ones, are not the results
    save("speed", rows, repeats=repeats, threads=1)
    save_picture("speed", lambda axes: draw(axes, rows), height=6.5)


if __name__ == "__main__":
    main()
