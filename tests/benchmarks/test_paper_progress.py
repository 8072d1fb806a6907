"""How long the rest of the paper's experiment takes, from what its fits have told."""

import time

import pytest
from _paper_progress import Notes, Task, duration, every, line, seconds_left

TASKS = [
    Task("a", "AE, seed 0", ("AE", 32), 10),
    Task("b", "VAE, seed 0", ("VAE", 32), 10),
    Task("c", "VAE of 8, seed 0", ("VAE", 8), 10),
    Task("d", "VAE, seed 1", ("VAE", 32), 10),
]


def note(epochs, seconds, **more):
    return {"epochs": epochs, "seconds": seconds, **more}


def test_nothing_is_known_before_the_first_epoch():
    assert seconds_left(TASKS, {}, set(), 2) is None
    assert line(TASKS, {}, set(), 2) == "0 of 4 fits done; no epoch is over yet"


@pytest.mark.parametrize(
    ("notes", "done", "n_jobs", "seconds"),
    [
        ({"a": note(5, 10.0)}, set(), 1, 5 * 2 + 3 * 10 * 2),  # all at the one pace that is known
        ({"a": note(5, 10.0)}, set(), 2, 35),
        ({"a": note(10, 20.0)}, {"a"}, 1, 60),
        # of the same kind: d is as slow as b; of the same estimator: c is too
        ({"a": note(10, 20.0), "b": note(2, 8.0)}, {"a"}, 1, 8 * 4 + 10 * 4 + 10 * 4),
        # a kind of its own counts before its estimator's
        ({"b": note(10, 40.0), "c": note(5, 5.0)}, {"b", "a"}, 1, 5 * 1 + 10 * 4),
        # what is measured of a fit takes its time too
        ({"a": note(10, 20.0, measuring=3.0)}, {"a"}, 1, 60 + 3 * 3),
        # one fit runs in one process
        ({"a": note(10, 20.0), "b": note(10, 40.0)}, {"a", "b", "c"}, 2, 40),
        ({key: note(10, 20.0) for key in "abcd"}, set("abcd"), 2, 0),
    ],
)
def test_the_rest_takes_what_epochs_of_its_kind_took(notes, done, n_jobs, seconds):
    assert seconds_left(TASKS, notes, done, n_jobs) == pytest.approx(seconds)


def test_a_line_says_which_fit_how_many_and_how_long():
    notes = {"a": note(10, 20.0), "d": note(4, 400.0)}
    assert line(TASKS, notes, {"a"}, 2) == (
        "VAE, seed 1, epoch 4 of 10; 1 of 4 fits done; the rest takes about 22 min"
    )
    assert line(TASKS, {"a": notes["a"]}, {"a"}, 2) == (
        "1 of 4 fits done; the rest takes about 30 s"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (3_599, "1 h 00 min"), (4_800, "1 h 20 min")],
)
def test_long_times_are_in_minutes(seconds, text):
    assert duration(seconds) == text


def test_notes_are_read_in_the_order_in_which_they_were_written(tmp_path):
    notes = Notes(tmp_path)
    for key, epochs in (("b", 1), ("a", 1), ("b", 2), ("unknown", 1)):
        notes.write(key, **note(epochs, 2.0 * epochs))
        time.sleep(0.02)  # the clock of a file system is coarse
    assert list(notes.read(TASKS).items()) == [("a", note(1, 2.0)), ("b", note(2, 4.0))]


def test_what_is_new_is_printed_again_and_again_within_the_block(capsys):
    said = iter(["one", "one", "two"])
    with every(0.01, lambda: next(said, "two")):
        time.sleep(0.3)
    printed = capsys.readouterr().out
    time.sleep(0.05)
    assert printed == "one\ntwo\n"
    assert capsys.readouterr().out == ""
