"""Load files that were changed at random: an estimator, or this package's error, soon, and small.

They are those of ``skvae.save``, and checkpoints, from which a fit goes on.

``make fuzz`` runs it: 5,000 files, in a child process whose memory is bounded.
"""

import argparse
import collections
import resource
import subprocess
import sys
import tempfile
import time
import tracemalloc
import warnings
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
from saved_files import mutated
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

import skvae
from skvae.tabular import TableEncoder, TableTransformer
from skvae.training import checkpoints
from skvae.training.checkpoints import Checkpoint

X = np.random.RandomState(0).standard_normal((40, 4))
MIXED = np.column_stack((X[:, :2], np.arange(40) % 3, np.arange(40) % 5))  # numbers, codes, counts
KINDS = [("gaussian", [0, 1]), ("categorical", 2), ("negative-binomial", 3)]
SECONDS = 1.0  # of the processor: a busy machine keeps it from any file for longer
TIMES, FIXED = 10, 2**21  # bytes: of the file, and what an empty estimator takes with its net
HEADROOM = 2**27  # bytes beyond what the process has: torch's own arrays are not traced
DIVERGED = ("The training loss must stay", "The validation loss must", "The fitted VAETransformer")
SMALL = {"hidden_layer_sizes": (3,), "max_epochs": 1, "random_state": 0}


def originals():
    """Return estimators of each kind, fitted to a few rows."""
    return [
        skvae.AutoencoderTransformer(2, optimizer="sgd", **SMALL).fit(X),
        skvae.VAETransformer(2, warm_start=True, **SMALL).fit(X),
        skvae.BetaVAETransformer(2, noise_variance="per-feature", **SMALL).fit(X),
        make_pipeline(StandardScaler(), skvae.VAETransformer(2, **SMALL)).fit(X),
        make_pipeline(MinMaxScaler(), FunctionTransformer(np.log1p, np.expm1), RobustScaler()).fit(
            X
        ),
        make_pipeline(MaxAbsScaler(), skvae.AutoencoderTransformer(2, **SMALL)).fit(X),
        skvae.AutoencoderOutlierDetector(
            skvae.VAETransformer(2, **SMALL), n_refits=0, random_state=0
        ).fit(X),
        skvae.AutoencoderOutlierDetector(  # has a covariance, and functions between its steps
            anomaly_score="latent", n_estimators=3, n_refits=0, random_state=0
        ).fit(X),
        skvae.VAEImputer(
            skvae.VAETransformer(2, likelihood=KINDS, missing="mask", **SMALL), add_indicator=True
        ).fit(MIXED),
        make_pipeline(TableEncoder(), skvae.VAETransformer(2, **SMALL)).fit(X),
        TableEncoder(numeric="normal-scores").fit(_frame()),
        TableTransformer(skvae.VAETransformer(2, missing="mask", **SMALL)).fit(_frame()),
        skvae.AutoencoderOutlierDetector(
            TableTransformer(skvae.VAETransformer(2, **SMALL)), n_refits=0, random_state=0
        ).fit(_frame()),
    ]


def _frame():
    """Return a frame of a column of each kind."""
    return pd.DataFrame(
        {
            "number": X[:, 0],
            "level": ["a", "b", None, "d"] * 10,
            "flag": X[:, 1] > 0,
            "when": pd.date_range("2020-01-01", periods=40, tz="UTC"),
            "month": pd.period_range("2020-01", periods=40, freq="M"),
            "wait": pd.to_timedelta(np.arange(40), unit="h"),
            "category": pd.Categorical([1, 2, 3, 4] * 10),
            "stage": pd.Categorical(pd.to_timedelta([1, 2, 3, 4] * 10, unit="h")),
        }
    )


def resumed(path):
    """Return a fit that goes on from a checkpoint."""
    settings = {**SMALL, "max_epochs": 2, "early_stopping": True}
    return skvae.VAETransformer(2, **settings).fit(X, checkpoint=path)


def killed(path):
    """Leave a checkpoint of the first of two epochs."""
    end_epoch = Checkpoint.end_epoch

    def end(checkpoint, *state):
        end_epoch(checkpoint, *state)
        raise KeyboardInterrupt

    always = patch.object(checkpoints, "SECONDS", 0.0)
    with patch.object(Checkpoint, "end_epoch", end), always, suppress(KeyboardInterrupt):
        resumed(path)


def files(folder):
    """Return files of each kind: their bytes, and the function that takes their path."""
    found, path = [], folder / "whole.skvae"
    for estimator in originals():
        skvae.save(estimator, path)
        found.append((path.read_bytes(), skvae.load))
    for write in (killed, resumed):
        path.unlink()
        write(path)
        found.append((path.read_bytes(), resumed))
    return found


def fault(path, size, read):
    """Return what is wrong about how a file was loaded, or None; and how it ended.

    Parameters
    ----------
    path : Path
        The file.
    size : int
        Its length.
    read : callable
        Takes the path; returns an estimator.
    """
    tracemalloc.start()
    start = time.process_time()
    loaded, end = None, "refused"
    try:
        loaded = read(path)
        end = "loaded"
    except skvae.SavingError as error:
        cause = error.__cause__
        if isinstance(cause, MemoryError) or "allocate" in str(cause):
            return f"memory: {error}", end
    except Exception as error:
        if not str(error).startswith(DIVERGED):
            return f"{type(error).__name__}: {error}", "failed"
    finally:
        seconds, (_, peak) = time.process_time() - start, tracemalloc.get_traced_memory()
        tracemalloc.stop()
    if seconds > SECONDS:
        return f"{seconds:.1f} seconds", end
    if peak > TIMES * size + FIXED:
        return f"{peak} bytes for a file of {size}", end
    return (None if loaded is None else fault_of(loaded)), end


def fault_of(estimator):
    """Return what is wrong with an estimator that was loaded, or None."""
    if not isinstance(estimator, BaseEstimator):
        return f"a {type(estimator).__name__}"
    try:
        with np.errstate(all="ignore"):
            for method in ("transform", "score_samples", "predict"):
                if hasattr(estimator, method):
                    getattr(estimator, method)(X)
    except ValueError:  # unfitted, of other columns, of scores that are not finite
        return None
    except Exception as error:
        # What of scikit-learn's is read by skops has the attributes that the file gives it.
        if not hasattr(estimator, "steps"):
            return f"{type(error).__name__} when asked: {error}"
    return None


def run(n_files, seed, folder):
    """Load files changed at random; return how each ended, by what was done, and the faults."""
    rng, ends, faults = np.random.RandomState(seed), collections.Counter(), []
    whole = files(folder)
    for data, read in whole:  # what is imported and built once is not of any one file
        (folder / "whole.skvae").write_bytes(data)
        read(folder / "whole.skvae")
    for number in range(n_files):
        data, read = whole[rng.randint(len(whole))]
        data, done = mutated(data, rng)
        path = folder / "changed.skvae"
        path.write_bytes(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found, end = fault(path, len(data), read)
        ends[done, end] += 1
        if found is not None:
            faults.append(f"file {number} of seed {seed}, {done}: {found}")
    return ends, faults


def bound_memory():
    """Let the process take no more than some memory beyond what it has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + HEADROOM
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main():
    """Run in a child process, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", action="store_true")
    options = parser.parse_args()
    if not options.child:
        sys.exit(subprocess.run([sys.executable, __file__, "--child", *sys.argv[1:]]).returncode)
    with tempfile.TemporaryDirectory() as folder:
        for data, read in files(Path(folder)):
            Path(folder, "first.skvae").write_bytes(data)
            fault(Path(folder, "first.skvae"), len(data), read)
        bound_memory()
        ends, faults = run(options.files, options.seed, Path(folder))
    for (done, end), count in sorted(ends.items()):
        print(f"{done:20} {end:8} {count:6}")
    print(f"{options.files} files, {len(faults)} faults", *faults[:20], sep="\n")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
