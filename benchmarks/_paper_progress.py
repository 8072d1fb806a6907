"""How far the fits of the paper's experiment are, and how long the rest takes.

Every process leaves a note of its fit in the folder of the fits; the first one reads them all.
"""

import json
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from statistics import median
from threading import Event, Thread

from _common import write_whole

__all__ = ["LEAST_INTERVAL", "Notes", "Task", "duration", "every", "line", "seconds_left"]

LEAST_INTERVAL = 30.0  # seconds between two lines


@dataclass(frozen=True)
class Task:
    """A fit and what is measured of it, of so many epochs."""

    key: str
    label: str
    kind: tuple  # tasks of a kind take as long an epoch; those with the same first part nearly so
    n_epochs: int


class Notes:
    """What the tasks have told: a file each, {"epochs", "seconds", "measuring"}."""

    def __init__(self, folder):
        self.folder = folder

    def write(self, key, **values):
        """Keep a note of a task in the place of the one before."""
        text = json.dumps(values)
        write_whole(self._path(key), lambda part: part.write_text(text))

    def read(self, tasks):
        """Return the notes of these tasks by their key, the latest last."""
        known = {}
        for task in tasks:
            path = self._path(task.key)
            with suppress(FileNotFoundError):  # none yet, or somebody deletes the folder
                known[task.key] = (path.stat().st_mtime, json.loads(path.read_text()))
        return {key: known[key][1] for key in sorted(known, key=lambda key: known[key][0])}

    def _path(self, key):
        return self.folder / f"{key}.json"


def seconds_left(tasks, notes, done, n_jobs):
    """Return about how long the rest takes, in seconds; None as long as no epoch is over.

    An epoch takes what it took before in this fit; else, as the median, in fits of its kind, of
    its estimator, of any. What is left is shared out evenly, but a fit runs in one process.

    Parameters
    ----------
    tasks : list of Task
        All.
    notes : dict
        As :meth:`Notes.read` returns them.
    done : set of str
        Keys of the tasks that are over.
    n_jobs : int
        Tasks at a time.
    """
    paces = {key: note["seconds"] / note["epochs"] for key, note in notes.items()}
    if not paces:
        return None
    measured = [note["measuring"] for note in notes.values() if "measuring" in note]
    measuring = median(measured) if measured else 0.0
    left = [0.0]
    for task in tasks:
        if task.key not in done:
            epochs = task.n_epochs - notes.get(task.key, {"epochs": 0})["epochs"]
            left.append(_pace(task, tasks, paces) * epochs + measuring)
    return max(sum(left) / n_jobs, max(left))


def _pace(task, tasks, paces):
    """Return how many seconds an epoch of a task takes."""
    if task.key in paces:
        return paces[task.key]
    others = [other for other in tasks if other.key in paces]
    same_kind = [other for other in others if other.kind == task.kind]
    same_first = [other for other in others if other.kind[0] == task.kind[0]]
    return median(paces[other.key] for other in same_kind or same_first or others)


def duration(seconds):
    """Return a time in words, in minutes where it is long."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


def line(tasks, notes, done, n_jobs):
    """Return what the latest note says, how many tasks are over, and how long the rest takes."""
    seconds = seconds_left(tasks, notes, done, n_jobs)
    if seconds is None:
        return f"{len(done)} of {len(tasks)} fits done; no epoch is over yet"
    latest = next((key for key in reversed(notes) if key not in done), None)
    parts = [f"{len(done)} of {len(tasks)} fits done; the rest takes about {duration(seconds)}"]
    for task in tasks:
        if task.key == latest:
            epochs = notes[latest]["epochs"]
            parts.insert(0, f"{task.label}, epoch {epochs} of {task.n_epochs}")
    return "; ".join(parts)


@contextmanager
def every(seconds, report):
    """Print what ``report()`` returns, if that is new, every so many seconds within the block."""
    over, said = Event(), [None]

    def watch():
        while not over.wait(seconds):
            text = report()
            if text != said[0]:
                print(text, flush=True)
            said[0] = text

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
