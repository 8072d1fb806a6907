"""The time of the first fit, the first loaded model and the first search of a process."""

import json
import pickle
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from _plain_networks import NegativeELBO, PlainVAE, fit_plain, mixed_factors
from _speed_contests import Contest, Row, timed

from skvae import VAETransformer

__all__ = ["PROCESSES"]

CHILD = Path(__file__).with_name("_speed_child.py")
N_FITS, TRAINING_SHARE = 12 * 3, 2 / 3  # a grid of 12 settings on three folds


def child(*arguments):
    """Return the seconds that a new process prints. Its warnings of short fits are not shown."""
    command = [sys.executable, "-W", "ignore", str(CHILD), *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def beginning(quick):
    """Prepare a first fit. The same process imports the libraries."""
    return lambda wanted: child("first-fit")


def loading(quick):
    """Prepare the loading of a model that this process has fitted and pickled."""
    model = VAETransformer(2, max_epochs=1, random_state=0).fit(mixed_factors(200, 4))

    def repetition(wanted):
        with TemporaryDirectory() as folder:
            path = Path(folder, "model.pickle")
            path.write_bytes(pickle.dumps(model))
            return child("load", path)

    return repetition


def searching(quick):
    """Prepare searches with one and two workers, and the same number of fits by hand."""
    n_epochs, n_rows = (1, 300) if quick else (10, 1797)
    X = mixed_factors(int(TRAINING_SHARE * n_rows), 64)

    def by_hand():
        for _ in range(N_FITS):
            fit_plain(PlainVAE(64, (64, 64)), NegativeELBO(), X, epochs=n_epochs, batch_size=128)

    def repetition(wanted):
        return {
            **child("search", 1, n_epochs, n_rows),
            **child("search", 2, n_epochs, n_rows),
            "36 fits by hand": timed(by_hand, clock=perf_counter)(),
        }

    return repetition


IMPORTS = "0.15 s more than the 1.6 s of the libraries"
FASTER = "half of the ratio before our fits became faster"
PROCESSES = (
    Contest(
        (
            Row("import", "and skvae", "libraries", 1.1, IMPORTS),
            Row("first-fit", "and a first fit", "libraries", 1.1, IMPORTS),
        ),
        beginning,
        is_cheap=True,
        warms_up=False,
    ),
    Contest(
        (Row("load", "and a pickle.load", "libraries", 1.1, IMPORTS),),
        loading,
        is_cheap=True,
        warms_up=False,
    ),
    Contest(
        (
            Row("search-first", "first, n_jobs=2", "first, n_jobs=1", 1.0, "no slower than one"),
            Row("search-again", "again, n_jobs=2", "again, n_jobs=1", 0.6, "two cores"),
            Row("search-loop", "again, n_jobs=2", "36 fits by hand", 0.3, FASTER),
        ),
        searching,
        warms_up=False,
    ),
)
