"""What `verbose=1` shows: one line for a fit, which no terminal breaks."""

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from functools import partial

import pytest

from skvae import BetaTCVAETransformer, VAETransformer
from skvae.training import progress

SETTINGS = {"n_components": 2, "max_epochs": 4, "random_state": 0, "verbose": 1}


def shown_in_a_terminal(columns, monkeypatch, show):
    """Return what ``show()`` writes to a terminal that is so wide, every epoch of it."""
    monkeypatch.setattr(progress, "tqdm", partial(progress.tqdm, mininterval=0, miniters=1))
    ours, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with os.fdopen(terminal, "w") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        show()
        stderr.flush()
        written = os.read(ours, 1 << 16).decode()
    os.close(ours)
    return written


def numbers_of(line):
    return dict(re.findall(r"(\w+)=(-?[\d.e+-]+)", line))


@pytest.mark.parametrize("columns", [30, 50, 80, 200])
@pytest.mark.parametrize("Transformer", [VAETransformer, BetaTCVAETransformer])
def test_a_line_fits_and_shows_whole_terms_of_the_epoch(Transformer, columns, table, monkeypatch):
    model = Transformer(**SETTINGS, early_stopping=True)
    written = shown_in_a_terminal(columns, monkeypatch, lambda: model.fit(table))
    *lines, end = (line for line in re.split(r"[\r\n]+", written) if line)
    assert max(map(len, [*lines, end])) <= columns
    assert written.count("\n") == 1  # the end of the fit: no line is below another
    assert end.startswith("4/4 |")
    assert end.endswith("]")
    history = {name: f"{values[-1]:.4g}" for name, values in model.history_.items()}
    assert numbers_of(end).items() <= history.items()


@pytest.mark.parametrize("early_stopping", [False, True])
def test_80_columns_hold_the_losses_first(early_stopping, table, monkeypatch):
    model = VAETransformer(**SETTINGS, early_stopping=early_stopping)
    written = shown_in_a_terminal(80, monkeypatch, lambda: model.fit(table))
    names = (
        ["train_loss", "valid_loss"] if early_stopping else ["train_loss", "reconstruction", "kl"]
    )
    for line in written.strip().split("\r")[1:]:
        assert list(numbers_of(line))[: len(names)] == names


def test_a_fit_after_another_begins_a_line_of_its_own(table, monkeypatch):
    model = VAETransformer(**SETTINGS)
    written = shown_in_a_terminal(80, monkeypatch, lambda: model.fit(table).fit(table))
    assert [line.strip().split("\r")[-1][:5] for line in written.strip().split("\n")] == [
        "4/4 |"
    ] * 2


def test_a_fit_that_stops_early_ends_its_bar(table, capfd):
    model = VAETransformer(**SETTINGS, early_stopping=True, n_iter_no_change=1, tol=1e9)
    n_epochs = model.fit(table).n_iter_
    assert n_epochs < 4
    end = capfd.readouterr().err.strip().split("\r")[-1]
    assert end.startswith(f"{n_epochs}/{n_epochs} |")


def test_a_file_gets_lines_of_80_columns(table, capfd):
    BetaTCVAETransformer(**SETTINGS).fit(table)
    lines = capfd.readouterr().err.strip().split("\r")
    assert max(map(len, lines)) <= 80 + 9  # and a bar of 10 in place of 1
    assert "valid_loss" not in lines[-1]
    assert {"train_loss", "kl"} <= set(numbers_of(lines[-1]))


def test_verbose_shows_the_terms_and_zero_is_silent(table, capfd):
    VAETransformer(2, max_epochs=2).fit(table)
    assert capfd.readouterr() == ("", "")
    VAETransformer(2, max_epochs=2, verbose=1).fit(table)
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "2/2" in shown.err
    assert "kl=" in shown.err
    assert "reconstruction=" in shown.err
