"""Save estimators to files without pickles, and load them: ``save`` and ``load``."""

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

    The file has the safetensors format. Weights, scores and history are its arrays, and parameters
    are JSON in its metadata. It holds the same as a pickle: no rows of X, and the states of the
    optimizer and of the random numbers only after ``warm_start=True`` or ``partial_fit``. The new
    file is first written completely, and then replaces an old one.

    Parameters
    ----------
    estimator : estimator
        An estimator of this package, or a Pipeline of these and of scikit-learn's estimators,
        fitted or not. Your own functions and classes in it (``encoder``, ``optimizer``, a subclass)
        are saved as the names from which they can be imported.
    path : str or path-like
        A new file, or one to replace.

    Raises
    ------
    SavingError
        If the estimator holds something that a file cannot store: callbacks, lambdas, or estimators
        of other packages.
    OSError
        If the file cannot be written. An old file stays as it was.
    ImportError
        If safetensors is not installed, or skops, which is needed for estimators of scikit-learn
        other than the usual scalers: ``pip install skvae[save]``.

    See Also
    --------
    load : Reads the file.

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

    Loading runs no code from the file: it contains only names. Classes of this package and
    scikit-learn's usual scalers are recognised by name. Your own functions and classes are imported
    only if you list them in ``trusted``. Other estimators of scikit-learn are read by skops. Before
    anything is created, all sizes are compared with the length of the file.

    Parameters
    ----------
    path : str or path-like
        The file.
    trusted : collection of str, default=()
        Names that may be imported, such as ``"my_models.make_encoder"``.

    Returns
    -------
    estimator
        Its results are bit for bit those of the saved estimator, on the same machine and with the
        same versions. Training can continue as it would have before saving.

    Raises
    ------
    SavingError
        A ``ValueError``. If the file is of another kind or a newer format, is incomplete or
        damaged, or has content that does not match; if it names something that is not trusted.
    OSError
        If there is no such file.
    ImportError
        If safetensors is not installed, or skops, if the file needs it.

    See Also
    --------
    save : Writes the file; has an example.
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
