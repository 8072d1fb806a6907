import numpy as np
import pytest
from pictures import COLOUR, GREY, fitted, flowers, optimum, pixels, texts
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import AutoencoderOutlierDetector, AutoencoderTransformer, VAETransformer
from skvae.plotting import ReconstructionErrorDisplay

X = pixels()


def counts(patches):
    return [patch.get_height() for patch in patches]


def test_the_histogram_counts_the_errors_and_the_line_is_the_threshold():
    vae = optimum(X)
    display = ReconstructionErrorDisplay.from_estimator(vae, X, threshold=0.01, bins=7)
    errors = vae.reconstruction_error(X)
    np.testing.assert_array_equal(display.errors, errors)
    (axes,) = display.axes_
    np.testing.assert_array_equal(counts(axes.patches), np.histogram(errors, 7)[0])
    (line,) = axes.lines
    np.testing.assert_array_equal(line.get_xdata(), [0.01, 0.01])
    assert texts(axes.get_legend().get_texts()) == ["threshold 0.01"]


def test_groups_have_densities_over_the_same_bins():
    errors = np.array([1.0, 2.0, 2.5, 3.0, 9.0])
    y = np.array(["normal"] * 3 + ["anomaly"] * 2)
    (axes,) = ReconstructionErrorDisplay.from_predictions(errors, y, bins=4).axes_
    edges = np.histogram_bin_edges(errors, 4)
    anomaly, normal = axes.containers
    for bars, label in ((anomaly, "anomaly"), (normal, "normal")):
        expected = np.histogram(errors[y == label], edges, density=True)[0]
        np.testing.assert_allclose(counts(bars), expected)
    assert texts(axes.get_legend().get_texts()) == ["anomaly (2 rows)", "normal (3 rows)"]
    assert axes.get_ylabel() == "density"


@pytest.mark.parametrize("shape", [GREY, COLOUR])
def test_contributions_to_an_image_are_an_image(shape):
    vae = optimum(X)
    display = ReconstructionErrorDisplay.from_estimator(vae, X, row=5, image_shape=shape)
    expected = vae.reconstruction_error(X[5:6], per_feature=True)[0]
    np.testing.assert_array_equal(display.contributions, expected)
    shown = display.axes_[1].images[0].get_array()
    np.testing.assert_array_equal(shown, expected.reshape(shape).mean(axis=-1))
    assert display.axes_[1].get_title() == "squared error by feature, row 5"


def test_contributions_to_a_table_are_bars_the_largest_first():
    table, _ = flowers()
    pipe = make_pipeline(StandardScaler(), fitted(VAETransformer, table, 2)).fit(table)
    display = ReconstructionErrorDisplay.from_estimator(pipe, table, row=5)
    scaled = pipe[0].transform(table)
    expected = pipe[-1].reconstruction_error(scaled[5:6], per_feature=True)[0]
    order = np.argsort(-expected)
    axes = display.axes_[1]
    np.testing.assert_array_equal([bar.get_width() for bar in axes.patches], expected[order])
    assert texts(axes.get_yticklabels()) == list(table.columns[order])
    np.testing.assert_array_equal(display.errors, pipe[-1].reconstruction_error(scaled))


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_of_a_detector_scores_threshold_and_contributions_are_its_own(in_pipeline):
    table, _ = flowers()
    detector = AutoencoderOutlierDetector(PCA(2), contamination=0.2)
    fitted = make_pipeline(StandardScaler().set_output(transform="pandas"), detector).fit(table)
    rows, shown = fitted[0].transform(table), fitted if in_pipeline else fitted[-1]
    display = ReconstructionErrorDisplay.from_estimator(
        shown, table if in_pipeline else rows, row=5
    )
    np.testing.assert_array_equal(display.errors, -detector.score_samples(rows))
    assert display.threshold == -detector.offset_
    assert (display.errors > display.threshold).sum() == (detector.predict(rows) == -1).sum()
    explained = detector.explain(rows[5:6]).to_frame().set_index("column").contribution
    above = -explained[list(table.columns)].to_numpy()
    np.testing.assert_array_equal(display.contributions, above)
    histogram, bars = display.axes_
    assert texts(bars.get_yticklabels()) == list(table.columns[np.argsort(-above)])
    assert bars.get_title() == "contribution by feature, row 5"
    assert histogram.get_xlabel() == "anomaly score (nats)\nhigher is more anomalous $\\rightarrow$"
    assert bars.get_xlabel() == "raises the anomaly score (nats)"


@pytest.mark.parametrize(
    ("transformer", "kind", "unit"),
    [
        (
            AutoencoderTransformer(2, max_epochs=1, random_state=0),
            "likelihood",
            "squared units of X",
        ),
        (PCA(2), "reconstruction", "squared units of X"),
        (PCA(2), "latent", "standard deviations"),
        (PCA(2), lambda pca, X: pca.score_samples(X), "units of its own"),
    ],
)
def test_the_axis_names_the_unit(transformer, kind, unit):
    table, _ = flowers()
    detector = AutoencoderOutlierDetector(transformer, anomaly_score=kind, random_state=0)
    display = ReconstructionErrorDisplay.from_estimator(detector.fit(table), table)
    assert display.axes_[0].get_xlabel().startswith(f"anomaly score ({unit})\n")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({}, "reconstruction error (squared units of X)"),
        ({"unit": "kelvin squared"}, "reconstruction error (kelvin squared)"),
        ({"score_name": "surprise"}, "surprise"),
        ({"score_name": "surprise", "unit": "bits"}, "surprise (bits)"),
    ],
)
def test_of_scores_that_are_there_already_the_unit_is_given(names, expected):
    axes = ReconstructionErrorDisplay.from_predictions([1.0, 2.0], **names).axes_[0]
    assert axes.get_xlabel().split("\n")[0] == expected


@pytest.mark.parametrize("n_groups", [2, 26])
@pytest.mark.parametrize("with_row", [False, True])
def test_the_legend_is_above_the_data(n_groups, with_row):
    y = np.arange(130) % n_groups
    display = ReconstructionErrorDisplay.from_predictions(
        np.arange(130.0),
        y,
        threshold=3.0,
        contributions=np.arange(3.0) if with_row else None,
        feature_names=["a long name of a feature"] * 3 if with_row else None,
    )
    display.figure_.canvas.draw()
    panel = display.axes_[0]
    legend = panel.get_legend().get_window_extent()
    assert legend.y0 >= panel.get_window_extent().y1
    assert legend.x1 <= display.figure_.bbox.x1
    assert legend.y1 <= display.figure_.bbox.y1
    assert panel.get_window_extent().height / display.figure_.dpi > 1.5
    colours = [handle.get_facecolor()[:3] for handle in panel.get_legend().legend_handles[:-1]]
    assert len(set(colours)) == n_groups


def test_a_detector_of_images_shows_contributions_as_one_and_keeps_a_threshold_given():
    images = np.random.RandomState(0).uniform(size=(20, 64))
    vae = VAETransformer(2, max_epochs=1, image_shape=(8, 8, 1), random_state=0)
    detector = AutoencoderOutlierDetector(vae).fit(images)
    display = ReconstructionErrorDisplay.from_estimator(detector, images, row=1, threshold=3.0)
    assert display.threshold == 3.0
    assert display.axes_[1].images[0].get_array().shape == (8, 8)


def test_of_many_features_the_largest_are_shown():
    contributions = np.arange(40.0)
    axes = ReconstructionErrorDisplay.from_predictions(
        [1.0, 2.0], contributions=contributions
    ).axes_
    assert texts(axes[1].get_yticklabels()) == [f"x{feature}" for feature in range(39, 24, -1)]


def test_what_is_no_row_or_has_no_error_is_one_sentence():
    vae = optimum(X)
    with pytest.raises(ValueError, match="row") as raised:
        ReconstructionErrorDisplay.from_estimator(vae, X, row=60)
    assert (
        str(raised.value) == "row must be a row of X, which has 60. Got 60 instead. Count from 0."
    )
    with pytest.raises(TypeError, match="needs an estimator with reconstruction_error, or a"):
        ReconstructionErrorDisplay.from_estimator(PCA(2).fit(X), X)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        ReconstructionErrorDisplay.from_predictions([1.0, 2.0], [0])
    with pytest.raises(ValueError, match="image_shape") as raised:
        ReconstructionErrorDisplay.from_estimator(vae, X, row=0, image_shape=(3, 3, 1))
    assert str(raised.value) == (
        "image_shape=(3, 3, 1) needs rows of 9 columns. Got 12 instead. Give the shape of the "
        "images that the rows are."
    )
