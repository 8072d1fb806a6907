"""Claim: on a GPU, a fit is as fast as a loop written for it, and its results are those of the CPU.

The script suits a machine that is rented for a short time. It ends within ``--minutes`` (default
8). It needs only what the package needs, and prints each result at once. Its parts:

1. ``tests``: the tests with the mark ``cuda``, if pytest is installed.
2. ``agreement``: fits on the device and on the CPU, with the same order of rows and the same noise.
3. ``fit``: an epoch of ours and one of a hand-written loop, with X on the device. The whole ``fit``
   is also measured. It has three more steps: the validation of X, its PCA and a last pass. The
   targets are 0.8 of the loop's speed for perceptrons, and 0.9 for images of 64 x 64 x 3. The table
   also shows how busy the GPU was (nvidia-smi), and the peak memory of tensors.
4. ``transform``: compared with the bare network. Rows and codes are in the memory of the host.
5. ``paper``: the experiment of ``paper.py`` with the paper's network, in the remaining time. It
   needs ``--data``.

``--device cpu --quick`` runs all parts on a CPU with small data. This shows that the script works.
"""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from unittest.mock import patch

import numpy as np
import torch
from _common import make_parser, print_machine, print_table, save, save_picture
from _gpu_fits import CASES, QUICK_CASES, compare_fits, compare_transforms
from _gpu_watch import describe

ROOT = Path(__file__).parent.parent
TESTS_SECONDS = 120  # the longest time for the tests
LEAST_SECONDS = 20  # with less time, no further part begins


class Clock:
    """The time that is left."""

    def __init__(self, minutes):
        self.end = perf_counter() + 60 * minutes

    def left(self):
        """Return the seconds that are left."""
        return self.end - perf_counter()

    def enough(self, what):
        """Return whether there is time for a part. If not, print it."""
        if self.left() < LEAST_SECONDS:
            print(f"{what}: left out, for lack of time", flush=True)
            return False
        return True


def run(command, seconds):
    """Run a command in the folder of the project, and return how it ended."""
    print(" ".join(map(str, command)), flush=True)
    started = perf_counter()
    try:
        code = subprocess.run(command, cwd=ROOT, timeout=max(1, seconds)).returncode
        ended = "passed" if code == 0 else f"exit status {code}"
    except subprocess.TimeoutExpired:
        ended = "stopped for lack of time"
    return {"ended": ended, "seconds": round(perf_counter() - started, 1)}


def run_tests(arguments, clock):
    """Run the tests of a GPU, if pytest is installed."""
    if find_spec("pytest") is None:
        print("tests: left out, as pytest is not installed", flush=True)
        return {"ended": "left out: no pytest"}
    options = ["-q", "-m", "cuda", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, "tests/training/test_cuda.py"]
    return run(command, min(TESTS_SECONDS, clock.left()))


def run_paper(arguments, clock):
    """Run the paper's experiment in the remaining time, if its data are given."""
    if not arguments.data or not clock.enough("paper"):
        return {"ended": "left out: no data, or no time"}
    command = [sys.executable, "benchmarks/paper.py", "--architecture", "paper"]
    command += ["--device", arguments.device, "--data", arguments.data]
    return run([*command, *(["--quick"] if arguments.quick else [])], clock.left())


def agreement(case, device):
    """Return the largest differences from the CPU, for the same order of rows and equal noise."""
    X = case.rows()[: 4 * case.batch_size]
    hook = patch("skvae.training.net.generator_of_epoch", lambda generator, device: generator)
    precise = torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
    with hook, precise:
        theirs, ours = (case.estimator(d, max_epochs=1).fit(X) for d in ("cpu", device))
        codes, expected = ours.transform(X), theirs.transform(X)
    return {
        "case": case.name,
        "loss": float(abs(ours.history_["train_loss"] / theirs.history_["train_loss"] - 1)[0]),
        "codes": float(np.abs(codes - expected).max() / expected.std()),
    }


def span(ratio):
    return "{median:.2f} ({min:.2f}-{max:.2f})".format(**ratio)


def optional(value, unit):
    return "" if value is None else f"{value:.0f} {unit}"


def print_fits(rows):
    """Print the table of fits."""
    header = ("case", "epoch", "target", "whole fit", "rows/s", "busy", "loop's", "peak", "loop's")
    cells = [
        [
            row["case"],
            span(row["epoch_speed"]),
            f">= {row['least']:.1f}",
            span(row["fit_speed"]),
            f"{row['rows_per_second']:.0f}",
            *(optional(row["busy_percent"][name], "%") for name in ("ours", "loop")),
            *(optional(row["peak_megabytes"][name], "MB") for name in ("ours", "loop")),
        ]
        for row in rows
    ]
    print("Our speed divided by that of the loop")
    print_table(header, cells)


def draw(axes, rows):
    """Draw the speed of an epoch and of the whole fit, divided by the speed of the loop."""
    for shift, (what, label) in enumerate((("epoch", "an epoch"), ("fit", "whole fit"))):
        places = [place + 0.4 * (shift - 0.5) for place in range(len(rows))]
        axes.barh(places, [row[f"{what}_speed"]["median"] for row in rows], 0.36, label=label)
    for place, row in enumerate(rows):
        axes.plot([row["least"]] * 2, [place - 0.45, place + 0.45], color="black", linewidth=1.2)
    axes.axvline(1, color="grey", linewidth=0.8)
    axes.set_yticks(range(len(rows)), [row["case"] for row in rows], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("speed / speed of a hand-written loop (black: target)")
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def rows_of(compare, arguments, clock):
    """Return the rows of all cases for which there is time."""
    cases = QUICK_CASES if arguments.quick else CASES
    return [compare(case) for case in cases if clock.enough(case.name)]


def measure_agreement(arguments, clock):
    """Return the rows of the agreement with the CPU."""
    rows = rows_of(lambda case: agreement(case, arguments.device), arguments, clock)
    print("Largest differences from the CPU: relative for the loss; codes in standard deviations")
    cells = [[row["case"], f"{row['loss']:.1e}", f"{row['codes']:.1e}"] for row in rows]
    print_table(("case", "loss", "codes"), cells)
    return rows


def measure_fits(arguments, clock):
    """Return the rows of the fits."""
    device, repeats = arguments.device, arguments.repeats
    rows = rows_of(lambda case: compare_fits(case, device, repeats), arguments, clock)
    print_fits(rows)
    return rows


def measure_transforms(arguments, clock):
    """Return the rows of transform."""
    device, repeats = arguments.device, arguments.repeats
    rows = rows_of(lambda case: compare_transforms(case, device, repeats), arguments, clock)
    print("Speed of transform divided by that of the bare network")
    cells = [[row["case"], span(row["speed"]), f"{row['rows_per_second']:.0f}"] for row in rows]
    print_table(("case", "transform", "rows/s"), cells)
    return rows


MEASURES = {
    "tests": run_tests,
    "agreement": measure_agreement,
    "fit": measure_fits,
    "transform": measure_transforms,
    "paper": run_paper,
}


def keep(arguments, found):
    """Write the JSON file and the picture."""
    name = "gpu" + ("" if arguments.device == "cuda" else f"-{arguments.device}")
    name += "-quick" if arguments.quick else ""
    fits = found.get("fit", [])
    rest = {part: result for part, result in found.items() if part != "fit"}
    save(name, fits, **rest, gpu=describe(arguments.device), repeats=arguments.repeats)
    if fits:
        save_picture(name, lambda axes: draw(axes, fits), height=0.6 * len(fits) + 1)


def main(options=None):
    parser = make_parser(__doc__)
    add = parser.add_argument
    add("--device", default="cuda", help="cuda (default), or cpu to try the script")
    add("--quick", action="store_true", help="small data, one repetition")
    add("--data", help="data of paper.py, such as npz:avatars64.npz; needed for its part")
    add(
        "--parts",
        nargs="+",
        choices=MEASURES,
        default=list(MEASURES),
        help="which parts (default: all)",
    )
    add("--minutes", type=float, default=8.0, help="the time limit (default: 8)")
    add("--repeats", type=int, default=3, help="number of repetitions (default: 3)")
    arguments = parser.parse_args(options)
    if arguments.device == "cuda" and not torch.cuda.is_available():
        sys.exit(
            f"gpu.py needs a GPU that torch computes on. Got torch {torch.__version__} without one "
            f"instead. Install torch for your GPU, or try the script with --device cpu --quick."
        )
    clock = Clock(arguments.minutes)
    if arguments.quick:
        arguments.repeats = 1
    print_machine()
    print(", ".join(map(str, describe(arguments.device).values())), end="\n\n")
    found = {}
    for part, measure in MEASURES.items():
        if part in arguments.parts:
            found[part] = measure(arguments, clock)
            keep(arguments, found)  # after each part, since the machine may be taken away


if __name__ == "__main__":
    main()
