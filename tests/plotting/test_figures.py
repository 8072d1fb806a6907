import sys
from functools import partial

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.text import Text
from pictures import GREY, fitted, flowers, optimum, pixels

from skvae import BetaVAETransformer, plotting
from skvae.model_selection import beta_curve

X = pixels()
POINTS = 72  # of an inch
PHONE, LEAST = 390, 7.0  # pixels: the width of a page on a phone; a text that can still be read
BOTH = ("LatentSpace", "LatentTraversal", "Reconstruction", "ReconstructionError", "Sample")
WAYS = [(f"{name}Display", kind) for name in BOTH for kind in ("images", "table")]
WAYS += [(f"{name}Display", "table") for name in ("BetaCurve", "LatentSummary", "TrainingCurve")]


@pytest.fixture(scope="module")
def draw():
    """Return how every display is drawn: of images, or of a table."""
    vae, images = optimum(X), {"image_shape": GREY}
    table, y = flowers()
    of_table = fitted(BetaVAETransformer, table, 2)
    curve = beta_curve(of_table, table, betas=[1.0, 2.0], warm_epochs=1)
    error = plotting.ReconstructionErrorDisplay.from_estimator
    space = plotting.LatentSpaceDisplay.from_estimator
    return {
        ("LatentTraversalDisplay", "images"): partial(
            plotting.LatentTraversalDisplay.from_estimator, vae, X, **images
        ),
        ("LatentTraversalDisplay", "table"): partial(
            plotting.LatentTraversalDisplay.from_estimator, of_table, table
        ),
        ("SampleDisplay", "images"): partial(
            plotting.SampleDisplay.from_estimator, {"a": vae, "b": vae}, X, **images
        ),
        ("SampleDisplay", "table"): partial(plotting.SampleDisplay.from_estimator, of_table, table),
        ("ReconstructionDisplay", "images"): partial(
            plotting.ReconstructionDisplay.from_estimator, vae, X, **images
        ),
        ("ReconstructionDisplay", "table"): partial(
            plotting.ReconstructionDisplay.from_estimator, of_table, table
        ),
        ("TrainingCurveDisplay", "table"): partial(
            plotting.TrainingCurveDisplay.from_estimator, vae
        ),
        ("BetaCurveDisplay", "table"): partial(plotting.BetaCurveDisplay.from_curve, curve),
        ("LatentSpaceDisplay", "images"): partial(space, vae, X, manifold=True, **images),
        ("LatentSpaceDisplay", "table"): partial(space, of_table, table, y),
        ("LatentSummaryDisplay", "table"): partial(
            plotting.LatentSummaryDisplay.from_estimator, of_table, table
        ),
        ("ReconstructionErrorDisplay", "images"): partial(error, vae, X, row=3, **images),
        ("ReconstructionErrorDisplay", "table"): partial(
            error, of_table, table, y, threshold=0.1, row=3
        ),
    }


@pytest.fixture(params=WAYS, ids="-".join)
def drawn(request, draw):
    """Every way to draw."""
    return draw[request.param]


def test_all_displays_are_drawn_here():
    assert {name for name, _ in WAYS} == set(plotting.__all__)


def test_every_display_is_drawn_and_leaves_the_style_alone(drawn):
    before = dict(plt.rcParams)
    display = drawn()
    assert dict(plt.rcParams) == before
    display.figure_.canvas.draw()  # warnings of the layout are errors
    assert display.figure_ in map(plt.figure, plt.get_fignums())
    assert {axes.figure for axes in display.axes_} == {display.figure_}


def test_a_given_axes_is_drawn_in_or_divided(drawn):
    figure = Figure(figsize=(12, 9), layout="constrained")
    left, right = figure.subplots(1, 2)
    display = drawn(ax=right)
    figure.canvas.draw()
    assert plt.get_fignums() == []
    assert display.figure_ is figure
    assert left not in display.axes_
    assert not left.has_data()
    assert list(display.axes_) == [right] or not right.axison
    assert all(axes.get_position().x0 >= left.get_position().x1 for axes in display.axes_)


def test_as_many_axes_as_panels_are_drawn_in(drawn):
    n_panels = len(drawn().axes_)
    axes = Figure().subplots(1, n_panels, squeeze=False)
    display = drawn(ax=axes)
    assert list(display.axes_) == list(axes.flat)
    assert display.figure_ is axes[0, 0].figure


def test_text_has_the_colour_of_the_style(drawn):
    with plt.style.context("dark_background"):
        figure = drawn().figure_
        assert all(same_color(t.get_color(), "white") for t in figure.findobj(Text) if t.get_text())


def test_text_is_read_on_a_phone_and_none_is_cut_off(drawn):
    figure = drawn().figure_
    figure.canvas.draw()
    shown = [t for t in figure.findobj(Text) if t.get_text() and t.get_visible()]
    least = min(text.get_fontsize() for text in shown)
    assert least / POINTS * PHONE / figure.get_figwidth() >= LEAST
    drawn_in = figure.get_tightbbox()
    assert drawn_in.x0 >= 0
    assert drawn_in.x1 <= figure.get_figwidth()


def test_no_figure_is_shown(drawn, monkeypatch):
    monkeypatch.setattr(plt, "show", None)
    drawn()


@pytest.mark.parametrize("ax", ["three", "free"])
def test_a_wrong_number_of_axes_is_one_sentence(ax, draw):
    figure = Figure()
    given = figure.subplots(3) if ax == "three" else figure.add_axes([0, 0, 1, 1])
    with pytest.raises(ValueError, match="instead") as raised:
        draw["LatentSummaryDisplay", "table"](ax=given)
    assert str(raised.value) == (
        f"ax must be 2 axes, or one that subplots made, to share out among them. Got "
        f"{np.size(given)} instead. Leave ax out for a figure of its own."
    )


def test_without_matplotlib_the_remedy_is_told_before_anything_is_computed(drawn, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    name = drawn.func.__self__.__name__
    with pytest.raises(ImportError) as raised:
        drawn.func(*[None] * len(drawn.args), **dict.fromkeys(drawn.keywords))
    assert str(raised.value) == (
        f"{name} needs matplotlib. Got none that can be imported instead. Install it: "
        f"pip install skvae[plot]"
    )
