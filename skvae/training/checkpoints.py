"""Checkpoints: files from which an interrupted fit continues."""

import os
from itertools import takewhile
from time import monotonic

import torch

from skvae._version import __version__
from skvae._warnings import warn
from skvae.files.container import pack_file, unpack_file
from skvae.files.context import Reading, Writing
from skvae.files.disk import read_whole, write_whole
from skvae.files.errors import SavingError
from skvae.files.values import read_value, write_value
from skvae.training.states import STATE_KINDS, restore_state, state_of

__all__ = ["DOCUMENT", "Checkpoint", "CheckpointWarning"]

FORMAT = 1
DOCUMENT = "checkpoint"  # only checkpoints have this key
STATE = "state"
SECONDS = 10.0  # least time between two writings: an interrupt loses at most this and an epoch
LEAST_SHARE = 20  # wait at least so many times the duration of the last writing: 5 % of the time
SEEDS = range(2**31)
LONGEST = 80  # characters of a parameter in an error message
BEFORE = 30  # of these, before the first difference
# Errors from reading a file that is not a valid checkpoint, or that torch does not accept.
UNFIT = (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError)


class CheckpointWarning(UserWarning):
    """A checkpoint could not be written, or is from other versions. The fit continues.

    Examples
    --------
    >>> from skvae import CheckpointWarning
    >>> issubclass(CheckpointWarning, UserWarning)
    True
    """


class Checkpoint:
    """The checkpoint file of one fit.

    Parameters
    ----------
    path : str or path-like
        A new file, or a file that the same fit wrote.
    identity : dict of {str: str}
        Texts that identify the fit: its parameters and its rows.

    Raises
    ------
    SavingError
        If the file is not a checkpoint, is damaged, or belongs to a different fit, or if its folder
        does not exist.
    OSError
        If the file exists and cannot be read.
    """

    def __init__(self, path, identity):
        self.path = os.path.abspath(_checked_path(path))
        self.identity = identity
        self.document = self.arrays = self.seeds = None
        self.failed = False
        pack_file({}, {})  # raises an error before a long fit if safetensors is not installed
        try:
            data = read_whole(self.path)
        except FileNotFoundError:
            pass
        except SavingError as error:
            raise self._foreign(error.got) from error
        else:
            self._open(data)
        self.due = monotonic() + SECONDS

    def _open(self, data):
        """Read and check the document of the file. Its state is read when training starts."""
        try:
            self.document, self.arrays = unpack_file(data)
        except SavingError as error:
            raise self._foreign(error.got) from error
        number = self.document.get(DOCUMENT)
        if type(number) is not int:
            raise self._foreign("one that no fit wrote")
        written = _texts(self.document.get("versions"))
        if number > FORMAT:
            raise SavingError(
                f"checkpoint= of skvae {__version__} reads files of format {FORMAT} at most. Got "
                f"format {number}, written by skvae {written.get('skvae')}, instead. Install that "
                f"version."
            )
        self._check_identity(_texts(self.document.get("fit")))
        self.seeds = self.document.get("seeds")
        if not isinstance(self.seeds, list) or not _are_seeds(self.seeds):
            raise self._foreign("one without seeds")
        if written != _versions():
            warn(
                f"A fit continues bit by bit only with the versions with which it started. Got a "
                f"checkpoint of {_listed(written)} and now {_listed(_versions())} instead. Remove "
                f"{self.path!r} to start from the beginning if results differ.",
                CheckpointWarning,
            )

    def _check_identity(self, then):
        """Raise an error if the file belongs to a different fit."""
        for name in dict.fromkeys([*self.identity, *then]):
            before, now = (one.get(name, "none") for one in (then, self.identity))
            if before != now:
                before, now = _where_they_differ(before, now)
                raise SavingError(
                    f"checkpoint= can continue only the fit that wrote the file. Got "
                    f"{self.path!r} of a fit with {name}={before}, and now {name}={now}, instead. "
                    f"Set it back, or give another path."
                )

    def begin(self, net, generator, patience):
        """Restore the state of a training from the file; return whether it is complete.

        Parameters
        ----------
        net, generator, patience
            As in :func:`skvae.training.states.restore_state`.
        """
        if self.document is None:
            return False
        file = Reading(STATE_KINDS, self.arrays)
        try:
            state = read_value(self.document[STATE], file, STATE)
            restore_state(state, net, generator, patience)
            ended = self.document["ended"]
        except UNFIT as error:
            raise self._foreign(f"one without what this fit needs ({error})") from error
        self.document = self.arrays = None
        return ended is True

    def end_epoch(self, net, generator, patience, ended):
        """Write the file if the last writing is long enough ago; warn once if this fails.

        Parameters
        ----------
        net, generator, patience
            As in :func:`skvae.training.states.state_of`.
        ended : bool
            Whether this epoch is the last.
        """
        started = monotonic()
        if not ended and started < self.due:
            return
        try:
            self._write(state_of(net, generator, patience), ended)
        except (OSError, SavingError) as error:
            if not self.failed:
                warn(
                    f"A checkpoint must be written to {self.path!r}. Got an error after epoch "
                    f"{len(net.history)} instead: {str(error).rstrip('.')}. Training continues, "
                    f"but an interrupt would lose it: make room there.",
                    CheckpointWarning,
                )
            self.failed = True
        now = monotonic()
        self.due = now + max(SECONDS, LEAST_SHARE * (now - started))

    def _write(self, state, ended):
        file = Writing(STATE_KINDS)
        document = {
            DOCUMENT: FORMAT,
            "versions": _versions(),
            "fit": self.identity,
            "seeds": self.seeds,
            "ended": ended,
            STATE: write_value(state, file, STATE),
        }
        write_whole(self.path, pack_file(document, file.arrays))

    def _foreign(self, got):
        return SavingError(
            f"checkpoint= takes the path of a new file, or of a complete file that fit wrote. Got "
            f"{self.path!r}, {got}, instead. Remove it to start from the beginning, or give "
            f"another path."
        )


def _checked_path(path):
    """Return the path, after a check that its folder exists."""
    folder = ""
    if isinstance(path, str | os.PathLike):
        folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise SavingError(
            f"checkpoint= takes the path of a file in a folder that exists. Got {path!r} instead. "
            f"Make the folder, or give another path."
        )
    return path


def _are_seeds(found):
    return len(found) == 3 and all(type(seed) is int and seed in SEEDS for seed in found)


def _versions():
    return {"skvae": __version__, "torch": str(torch.__version__)}


def _listed(versions):
    return " and ".join(f"{name} {number}" for name, number in versions.items())


def _texts(node):
    """Return a dict of texts from a file, or an empty dict if the file has something else."""
    whole = isinstance(node, dict) and all(isinstance(text, str) for text in node.values())
    return node if whole else {}


def _where_they_differ(*texts):
    """Return the texts; if one is long, the parts from a little before the first difference."""
    is_long = max(map(len, texts)) > LONGEST
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(*texts, strict=False))
    start = max(0, sum(1 for _ in alike) - BEFORE) if is_long else 0
    shown = [text[start : start + LONGEST] for text in texts]
    return [
        "..." * (start > 0) + part + "..." * (start + LONGEST < len(text))
        for text, part in zip(texts, shown, strict=True)
    ]
