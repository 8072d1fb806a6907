"""MNIST from a local file, in grey and in binary form."""

from pathlib import Path

import numpy as np

__all__ = ["add_data_argument", "binarise", "load"]


def add_data_argument(parser):
    """Add the option ``--data`` for the file."""
    text = "mnist.npz, with X_train, y_train, X_test and y_test, or its folder"
    parser.add_argument("--data", type=Path, required=True, help=text)


def load(path):
    """Return the arrays by name, or None if there is no file.

    Rows are flat, with grey values in [0, 1]. "binary_train" and "binary_test" are one Bernoulli
    draw of them, with seed 0.
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
    """Return a Bernoulli draw for every grey value."""
    return (rng.random(X.shape, dtype=np.float32) < X).astype(np.float32)
