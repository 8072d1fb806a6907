import numpy as np
import pytest
from pictures import fitted, pixels, texts
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import AutoencoderTransformer, BetaTCVAETransformer
from skvae.plotting import TrainingCurveDisplay

X = pixels()


@pytest.fixture(scope="module")
def stopped():
    settings = {"early_stopping": True, "n_iter_no_change": 50, "max_epochs": 4}
    settings["noise_variance"] = 1.0
    return fitted(BetaTCVAETransformer, X, **settings)


def test_every_term_has_a_panel_with_both_curves(stopped):
    pipe = make_pipeline(StandardScaler(), stopped)
    display = TrainingCurveDisplay.from_estimator(pipe)
    history = stopped.history_
    terms = ["loss" if name == "train_loss" else name for name in history]
    terms = [name for name in terms if not name.startswith("valid_")]
    assert [axes.get_title() for axes in display.axes_] == [t.replace("_", " ") for t in terms]
    for axes, term in zip(display.axes_, terms, strict=True):
        training, validation = axes.lines
        own = history["train_loss" if term == "loss" else term]
        np.testing.assert_array_equal(training.get_ydata(), own)
        np.testing.assert_array_equal(validation.get_ydata(), history[f"valid_{term}"])
        np.testing.assert_array_equal(training.get_xdata(), [1, 2, 3, 4])
    assert texts(display.axes_[0].get_legend().get_texts()) == ["training", "validation"]
    assert display.axes_[0].get_ylabel() == "nats"


def test_without_validation_there_is_one_curve_and_no_legend():
    display = TrainingCurveDisplay.from_estimator(fitted(AutoencoderTransformer, X))
    assert [axes.get_title() for axes in display.axes_] == ["loss", "reconstruction"]
    assert [len(axes.lines) for axes in display.axes_] == [1, 1]
    assert display.axes_[0].get_legend() is None
    assert display.axes_[0].get_ylabel() == "squared units of X"


def test_chosen_terms_in_their_order(stopped):
    display = TrainingCurveDisplay(stopped.history_).plot(terms=["kl", "loss"])
    assert [axes.get_title() for axes in display.axes_] == ["kl", "loss"]


def test_an_unknown_term_and_another_estimator_are_one_sentence(stopped):
    with pytest.raises(ValueError, match="terms") as raised:
        TrainingCurveDisplay({"train_loss": [1.0], "kl": [2.0]}).plot(terms=["tc"])
    assert str(raised.value) == (
        "terms must be among ['loss', 'kl']. Got 'tc' instead. Leave terms out for all of them."
    )
    with pytest.raises(NotFittedError):
        TrainingCurveDisplay.from_estimator(make_pipeline(AutoencoderTransformer()))
    with pytest.raises(TypeError, match="TrainingCurveDisplay needs an estimator with history_"):
        TrainingCurveDisplay.from_estimator(PCA(2).fit(X))
