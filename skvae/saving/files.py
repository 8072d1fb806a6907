"""Estimators in files without pickles: ``save`` and ``load``."""

import os
from collections.abc import Collection
from typing import Any

import numpy as np
import sklearn
import torch
from sklearn.base import BaseEstimator

from skvae._version import __version__
from skvae.files.container import pack_file, unpack_file
from skvae.files.context import Reading, Writing
from skvae.files.disk import read_whole, write_whole
from skvae.files.errors import SavingError, refusal
from skvae.saving.estimators import read_estimator, write_estimator
from skvae.saving.values import KINDS
from skvae.training.checkpoints import DOCUMENT as CHECKPOINT

__all__ = ["FORMAT", "load", "save"]

FORMAT = 1
ROOT = "estimator"


def save(estimator: Any, path: str | os.PathLike[str]) -> None:
    """Write an estimator to a file that holds no code.

    The file is one of safetensors: weights, scores and history are its arrays, parameters are
    JSON in its metadata. It holds what a pickle would hold: no rows of X, and the states of the
    optimizer and of the random numbers only after ``warm_start=True`` or ``partial_fit``. It is
    written beside the old one, and takes its place when it is on the disk.

    Parameters
    ----------
    estimator : estimator
        One of this package, or a Pipeline of such and of scikit-learn's, fitted or not.
        Functions and classes of yours that it holds (``encoder``, ``optimizer``, a subclass) are
        kept by the name that imports them.
    path : str or path-like
        A new file, or one to replace.

    Raises
    ------
    SavingError
        If it holds what a file has no place for: callbacks, lambdas, estimators of other packages.
    OSError
        If the file cannot be written. An old one stays as it was.
    ImportError
        If there is no safetensors, or no skops for an estimator of scikit-learn's other than the
        usual scalers: ``pip install skvae[save]``.

    See Also
    --------
    load : Reads it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> import skvae
    >>> X = load_iris().data
    >>> vae = skvae.VAETransformer(2, max_epochs=2, random_state=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skvae.save(vae, Path(folder) / "vae.skvae")
    ...     kept = skvae.load(Path(folder) / "vae.skvae")
    >>> np.array_equal(kept.transform(X), vae.transform(X))
    True
    """
    if not isinstance(estimator, BaseEstimator):
        raise SavingError(
            f"save takes an estimator. Got a {type(estimator).__name__} instead. Give an instance "
            f"of one."
        )
    file = Writing(KINDS, write_estimator)
    document = {
        "format": FORMAT,
        "versions": {
            "skvae": __version__,
            "torch": torch.__version__,
            "scikit-learn": sklearn.__version__,
            "numpy": np.__version__,
        },
        ROOT: write_estimator(estimator, file, ROOT),
    }
    write_whole(path, pack_file(document, file.arrays))


@torch.inference_mode(mode=False)
def load(path: str | os.PathLike[str], *, trusted: Collection[str] = ()) -> Any:
    """Return the estimator that :func:`save` wrote.

    Nothing in the file is run: it has no code, only names. This package's classes are known by
    theirs, as scikit-learn's usual scalers are, and your functions and classes are imported if you
    list them. What else is of scikit-learn is read by skops. Sizes are compared with the file's
    length before anything is made of them.

    Parameters
    ----------
    path : str or path-like
        The file.
    trusted : collection of str, default=()
        Names that the file may import, such as ``"my_models.make_encoder"``.

    Returns
    -------
    estimator
        It answers bit for bit as the one that was saved, on the same machine and versions, and
        training goes on as it would have.

    Raises
    ------
    SavingError
        A ``ValueError``. If the file is another kind of file, is cut, damaged, of a newer format,
        or holds what does not fit together; if it names what is not trusted.
    OSError
        If there is no such file.
    ImportError
        If there is no safetensors, or no skops for what it reads.

    See Also
    --------
    save : Has an example.
    """
    if isinstance(trusted, str) or not all(isinstance(name, str) for name in trusted):
        raise TypeError(
            f"trusted must be a collection of names. Got {trusted!r} instead. Give a list of str."
        )
    document, arrays = unpack_file(read_whole(path))
    if CHECKPOINT in document:
        raise SavingError(
            "load takes a file that skvae.save wrote. Got a checkpoint of a fit instead. Call fit "
            "with checkpoint= and its path, which goes on."
        )
    number = document.get("format")
    if type(number) is not int or number < 1:
        raise refusal("format", "a number", number)
    if number > FORMAT:
        written = document.get("versions")
        version = written.get("skvae") if isinstance(written, dict) else None
        raise SavingError(
            f"load of skvae {__version__} reads files of format {FORMAT} at most. Got format "
            f"{number}, written by skvae {version}, instead. Install that version."
        )
    file = Reading(KINDS, arrays, read_estimator, trusted)
    if ROOT not in document:
        raise refusal(ROOT, "an estimator", "none")
    estimator = read_estimator(document[ROOT], file, ROOT)
    if file.arrays:
        raise refusal(ROOT, "arrays of its own", f"also {min(file.arrays)}")
    return estimator
