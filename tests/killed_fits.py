"""Fits with checkpoints, killed by SIGKILL at random instants, and called again until they end.

Prints how many processes were killed, and how many fits ended as the one that was not.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np

import skvae
from skvae.training import checkpoints

X = np.random.RandomState(0).standard_normal((200, 6))
SETTINGS = {"hidden_layer_sizes": (8,), "max_epochs": 30, "batch_size": 20, "random_state": 0}
MOST_KILLS = 4  # of a fit, before it is left in peace
VAE = {"kl_warmup_epochs": 5, "early_stopping": True, "n_iter_no_change": 20}
ESTIMATORS = [
    lambda: skvae.VAETransformer(2, **VAE, **SETTINGS),
    lambda: skvae.AutoencoderTransformer(2, optimizer="sgd", **SETTINGS),
    lambda: skvae.BetaVAETransformer(2, optimizer="adamw", **SETTINGS),
    lambda: skvae.BetaTCVAETransformer(2, beta=2.0, **VAE, **SETTINGS),
]


def in_a_child(function):
    """Return the process that calls a function and ends."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            function()
            code = 0
        finally:
            os._exit(code)
    return process


def fit(make, checkpoint, result):
    """Fit, and write what came of it."""
    fitted = make().fit(X, checkpoint=checkpoint)
    loss = fitted.history_["train_loss"]
    np.savez(result, codes=fitted.transform(X), loss=loss, drawn=fitted.sample(5, random_state=0))


def killed_until_it_ends(make, folder, seconds, rng):
    """Return the path of a fit's result, and how often it was killed before it was there."""
    n_kills, result = 0, folder / "result.npz"
    while True:
        process = in_a_child(lambda: fit(make, folder / "fit", result))
        if n_kills < MOST_KILLS:
            time.sleep(rng.uniform(0, seconds))
            os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        if not os.WIFSIGNALED(status):
            assert os.WEXITSTATUS(status) == 0
            return result, n_kills
        n_kills += 1


def same(one, other):
    """Return whether two results are equal, bit for bit."""
    with np.load(one) as found, np.load(other) as expected:
        return all(np.array_equal(found[name], expected[name]) for name in expected.files)


def main(n_fits, folder):
    """Kill fits of each estimator by turns."""
    checkpoints.SECONDS, checkpoints.LEAST_SHARE = 0.0, 0
    fit(ESTIMATORS[0], folder / "first", folder / "first.npz")  # imports what a first fit does
    rng, n_kills, n_same, expected = random.Random(0), 0, 0, {}
    for number in range(n_fits):
        make = ESTIMATORS[number % len(ESTIMATORS)]
        if make not in expected:
            start = time.perf_counter()
            whole = folder / f"whole{number}.npz"
            os.waitpid(in_a_child(lambda make=make, whole=whole: fit(make, None, whole)), 0)
            expected[make] = whole, time.perf_counter() - start
        own = folder / f"{number}"
        own.mkdir()
        whole, seconds = expected[make]
        result, kills = killed_until_it_ends(make, own, seconds, rng)
        n_kills, n_same = n_kills + kills, n_same + same(result, whole)
    print(n_kills, n_same)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
