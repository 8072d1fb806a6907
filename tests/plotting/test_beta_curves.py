from dataclasses import replace

import numpy as np
import pytest
from pictures import fitted, pixels, texts

from skvae import BetaVAETransformer
from skvae.model_selection import beta_curve
from skvae.plotting import BetaCurveDisplay

X = pixels()
BETAS = [4.0, 1.0, 2.0]  # in no order


@pytest.fixture(scope="module")
def curve():
    return beta_curve(fitted(BetaVAETransformer, X), X, betas=BETAS, scoring={"own": own_score})


def own_score(estimator, X, y=None):
    return estimator.beta


QUANTITIES = ["kl", "reconstruction", "total_correlation", "active_units"]


def test_a_panel_for_each_quantity_over_beta_in_order(curve):
    display = BetaCurveDisplay.from_curve(replace(curve, saturated=np.zeros(3, dtype=bool)))
    for axes, name in zip(display.axes_, QUANTITIES, strict=True):
        (line,) = axes.lines
        np.testing.assert_array_equal(line.get_xdata(), [1, 2, 4])
        np.testing.assert_array_equal(line.get_ydata(), getattr(curve, name)[[1, 2, 0]])
        assert axes.get_xscale() == "log"
        assert texts(axes.get_xticklabels()) == ["1", "2", "4"]
    assert [axes.get_title() for axes in display.axes_] == [
        "rate (KL), nats",
        "distortion, nats",
        "total correlation, nats",
        "active units",
    ]
    assert [axes.get_xlabel() for axes in display.axes_] == ["", "", "beta", "beta"]


def test_fitting_and_drawing_in_one(curve):
    display = BetaCurveDisplay.from_estimator(
        fitted(BetaVAETransformer, X), X, betas=BETAS, quantities=["elbo"]
    )
    np.testing.assert_array_equal(display.curve.elbo, curve.elbo)
    (axes,) = display.axes_
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), curve.elbo[[1, 2, 0]])


def test_splits_make_a_mean_and_a_band(curve):
    kl = np.array([[1.0, 3.0], [2.0, 6.0], [1.0, 1.0]])
    display = BetaCurveDisplay(replace(curve, kl=kl)).plot(quantities=["kl"])
    (axes,) = display.axes_
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [4, 1, 2])
    (band,) = axes.collections
    ends = {tuple(point) for point in band.get_paths()[0].vertices}
    assert {(1, 2), (1, 6), (2, 1), (4, 1), (4, 3)} <= ends


def test_saturated_total_correlations_are_marked(curve):
    display = BetaCurveDisplay(replace(curve, saturated=np.array([True, False, True]))).plot()
    marks = display.axes_[2].lines[1]
    np.testing.assert_array_equal(marks.get_xdata(), [2, 4])
    np.testing.assert_array_equal(marks.get_ydata(), curve.total_correlation[[2, 0]])
    assert texts(display.axes_[2].get_legend().get_texts()) == ["too few rows"]
    assert len(display.axes_[0].lines) == 1


def test_scores_and_a_beta_of_zero(curve):
    display = BetaCurveDisplay(replace(curve, betas=np.array([4.0, 0.0, 2.0]))).plot(
        quantities=["own"]
    )
    (axes,) = display.axes_
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [1, 2, 4])
    assert (axes.get_xscale(), axes.get_title()) == ("linear", "own")


def test_an_unknown_quantity_is_one_sentence(curve):
    with pytest.raises(ValueError, match="quantities") as raised:
        BetaCurveDisplay.from_curve(curve, quantities=["tc"])
    assert str(raised.value) == (
        "quantities must be among ['kl', 'reconstruction', 'elbo', 'mutual_information', "
        "'total_correlation', 'dimension_wise_kl', 'active_units', 'own']. Got 'tc' instead. "
        "Scores are there after beta_curve(..., scoring=...)."
    )
