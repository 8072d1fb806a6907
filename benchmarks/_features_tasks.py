"""The tasks of features.py: the data sets, their targets, and their random splits."""

from csv import reader
from dataclasses import dataclass
from functools import lru_cache, partial
from gzip import open as open_gzip
from json import loads
from pathlib import Path

import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

__all__ = ["N_ROWS", "TASKS", "Split", "divide", "file_of", "load"]

N_ROWS = 3_000  # rows of MNIST and of the avatars
TEST_SIZE = 0.25
LEAST_MEMBERS = 5
AVATAR_TARGETS = ("glasses", "hair", "beard", "skin")


@dataclass(frozen=True)
class Task:
    """Rows, and one or more targets. All targets are predicted from the same codes."""

    X: np.ndarray
    targets: dict
    grades: bool = False  # if True, the target is a number, and the score is R2
    white: int | None = None  # the largest value of a pixel; None for tables


@dataclass(frozen=True)
class Split:
    """Training rows and held-out rows, with scaled columns."""

    train: np.ndarray
    test: np.ndarray
    targets: dict
    grades: bool

    @property
    def most_components(self):
        """The largest number of components for a PCA."""
        return min(self.train.shape)


def bundled(loader, folder, **settings):
    """Return a data set of scikit-learn."""
    X, y = loader(return_X_y=True)
    return Task(X, {"": y}, **settings)


def table(name, folder, *, grades=False):
    """Return a table whose last column is the target. Repeated rows are used once."""
    with open_gzip(folder / "tables" / f"{name}.csv.gz", "rt", encoding="utf-8") as file:
        lines = sorted({tuple(line) for line in list(reader(file))[1:]})
    X = np.array([line[:-1] for line in lines], dtype=np.float64)
    y = np.array([line[-1] for line in lines])
    if grades:
        return Task(X, {"": y.astype(np.float64)}, grades=True)
    labels, counts = np.unique(y, return_counts=True)
    kept = np.isin(y, labels[counts >= LEAST_MEMBERS])
    return Task(X[kept], {"": y[kept]})


def mnist(folder):
    """Return rows of MNIST's training images."""
    with np.load(folder / "mnist.npz") as content:
        X, y = content["X_train"], content["y_train"]
    rows = np.random.default_rng(0).permutation(len(X))[:N_ROWS]
    return Task(X[rows].reshape(N_ROWS, -1), {"": y[rows]}, white=255)


def avatars(folder):
    """Return drawn faces and four of their factors. Levels with the same name are one class.

    The images are shrunk to 32 x 32 in colour. So five seeds take an hour instead of a day.
    """
    with np.load(folder / "avatars64.npz") as content:
        X, factors = content["X"], content["factors"]
        names, levels = content["factor_names"].tolist(), loads(str(content["factor_levels"]))
    rows = np.random.default_rng(0).permutation(len(X))[:N_ROWS]
    targets = {
        name: np.array(levels[name])[factors[rows, names.index(name)]] for name in AVATAR_TARGETS
    }
    halves = X[rows].reshape(len(rows), 32, 2, 32, 2, 3).mean((2, 4))
    return Task(halves.reshape(len(rows), -1).astype(np.float32), targets, white=255)


BUNDLED = {
    "digits": partial(bundled, datasets.load_digits, white=16),
    "wine": partial(bundled, datasets.load_wine),
    "breast_cancer": partial(bundled, datasets.load_breast_cancer),
    "diabetes": partial(bundled, datasets.load_diabetes, grades=True),
}
TASKS = {
    **BUNDLED,
    "segment": partial(table, "segment"),
    "wine_quality_white": partial(table, "wine_quality_white", grades=True),
    "sonar": partial(table, "sonar"),
    "ecoli": partial(table, "ecoli"),
    "mnist": mnist,
    "avatars": avatars,
}


def file_of(name):
    """Return the file of the folder ``--data`` that a task needs, or None."""
    if name in BUNDLED:
        return None
    return {"mnist": "mnist.npz", "avatars": "avatars64.npz"}.get(name, f"tables/{name}.csv.gz")


@lru_cache(maxsize=1)
def load(name, folder):
    """Return a task."""
    return TASKS[name](Path(folder) if folder else None)


def divide(task, seed):
    """Return a random split. It is stratified if there is only one target, and it is a class."""
    targets = list(task.targets.values())
    strata = None if task.grades or len(targets) > 1 else targets[0]
    train, test = train_test_split(
        np.arange(len(task.X)), test_size=TEST_SIZE, random_state=seed, stratify=strata
    )
    parts = [task.X[train], task.X[test]]
    if task.white:
        parts = [part / np.float32(task.white) for part in parts]
    else:
        scaler = StandardScaler().fit(parts[0])
        parts = [scaler.transform(part) for part in parts]
    return Split(
        *parts,
        {name: (y[train], y[test]) for name, y in task.targets.items()},
        task.grades,
    )
