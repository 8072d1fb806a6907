"""MNIST from a local file, grey and binarised."""

from pathlib import Path

import numpy as np

__all__ = ["add_data_argument", "binarise", "load"]


def add_data_argument(parser):
    """Let ``--data`` name the file."""
    text = "mnist.npz, with X_train, y_train, X_test and y_test, or the folder that it is in"
    parser.add_argument("--data", type=Path, required=True, help=text)


def load(path):
    """Return the arrays by name, or None where there is no file.

    Rows are flat, grey values in [0, 1]; "binary_train" and "binary_test" are one Bernoulli draw of
    each of them, with seed 0.
    """
    path = path / "mnist.npz" if path.is_dir() else path
    if not path.exists():
        return None
    with np.load(path) as file:
        data = {name: file[name] for name in ("X_train", "y_train", "X_test", "y_test")}
    rng = np.random.default_rng(0)
    for part in ("train", "test"):
        grey = data[f"X_{part}"].reshape(len(data[f"X_{part}"]), -1) / np.float32(255)
        data |= {f"X_{part}": grey, f"binary_{part}": binarise(grey, rng)}
    return data


def binarise(X, rng):
    """Return a Bernoulli draw of every grey value."""
    return (rng.random(X.shape, dtype=np.float32) < X).astype(np.float32)
