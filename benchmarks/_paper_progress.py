"""The progress of the fits of the paper's experiment, and the time that is left.

Every process writes notes on its fit into the folder of the fits. The first process reads all
notes.
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
    """A fit and its measures, with a number of epochs."""

    key: str
    label: str
    kind: tuple  # tasks of a kind have equal epoch times; with the same first part, similar ones
    n_epochs: int


class Notes:
    """The notes of the tasks. Each is a file with {"epochs", "seconds", "measuring"}."""

    def __init__(self, folder):
        self.folder = folder

    def write(self, key, **values):
        """Write the note of a task in place of the previous one."""
        text = json.dumps(values)
        write_whole(self._path(key), lambda part: part.write_text(text))

    def read(self, tasks):
        """Return the notes of these tasks by their key, with the latest last."""
        known = {}
        for task in tasks:
            path = self._path(task.key)
            with suppress(FileNotFoundError):  # there is no note yet, or the folder was deleted
                known[task.key] = (path.stat().st_mtime, json.loads(path.read_text()))
        return {key: known[key][1] for key in sorted(known, key=lambda key: known[key][0])}

    def _path(self, key):
        return self.folder / f"{key}.json"


def seconds_left(tasks, notes, done, n_jobs):
    """Return about how many seconds are left, or None before the first epoch has ended.

    The time of an epoch is that of earlier epochs of the same fit. Without any, it is a median over
    fits of the same kind, else of the same estimator, else of any. The time left is divided equally
    among the processes. But a single fit runs in one process.

    Parameters
    ----------
    tasks : list of Task
        All tasks.
    notes : dict
        The result of :meth:`Notes.read`.
    done : set of str
        Keys of the finished tasks.
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
    """Return the seconds of an epoch of a task."""
    if task.key in paces:
        return paces[task.key]
    others = [other for other in tasks if other.key in paces]
    same_kind = [other for other in others if other.kind == task.kind]
    same_first = [other for other in others if other.kind[0] == task.kind[0]]
    return median(paces[other.key] for other in same_kind or same_first or others)


def duration(seconds):
    """Return a time in words, in minutes if it is long."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


def line(tasks, notes, done, n_jobs):
    """Return a line with the latest note, the number of finished tasks, and the time left."""
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
    """In the block, print the result of ``report()`` every so many seconds, if it has changed."""
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
