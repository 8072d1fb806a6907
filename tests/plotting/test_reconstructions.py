import numpy as np
import pytest
from pictures import COLOUR, GREY, cells, fitted, flowers, optimum, pixels, texts
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from skvae import BetaVAETransformer, VAETransformer
from skvae.plotting import ReconstructionDisplay

X = pixels()


@pytest.fixture(scope="module")
def betas():
    return [fitted(BetaVAETransformer, X, beta=beta) for beta in (1.0, 4.0)]


@pytest.mark.parametrize("orientation", ["vertical", "horizontal"])
@pytest.mark.parametrize("shape", [GREY, COLOUR])
def test_originals_come_first_and_then_every_model(betas, shape, orientation):
    display = ReconstructionDisplay.from_estimator(
        betas, X, n_samples=5, image_shape=shape, orientation=orientation
    )
    expected = np.stack([X[:5], *(vae.reconstruct(X[:5]) for vae in betas)])
    expected = expected.reshape(3, 5, *shape)
    expected = expected if shape == GREY else expected.clip(0, 1)
    (axes,) = display.axes_
    labels = ["original", "beta=1", "beta=4"]
    if orientation == "vertical":
        np.testing.assert_array_equal(cells(axes, 3, 5, shape), expected)
        assert (texts(axes.get_yticklabels()), texts(axes.get_xticklabels())) == (labels, [])
    else:
        np.testing.assert_array_equal(cells(axes, 5, 3, shape), expected.swapaxes(0, 1))
        assert (texts(axes.get_yticklabels()), texts(axes.get_xticklabels())) == ([], labels)


def test_a_pca_stands_beside_the_autoencoders(betas):
    pca = PCA(3).fit(X)
    display = ReconstructionDisplay.from_estimator({"PCA": pca, "1": betas[0]}, X, image_shape=GREY)
    assert display.X.shape == (10, 12)
    expected = pca.inverse_transform(pca.transform(X[:10]))
    np.testing.assert_array_equal(display.reconstructions["PCA"], expected)
    np.testing.assert_array_equal(display.reconstructions["1"], betas[0].reconstruct(X[:10]))


def test_behind_a_step_without_inverse_originals_are_those_of_the_last_step():
    pipe = make_pipeline(Normalizer(), fitted(VAETransformer, X)).fit(X)
    display = ReconstructionDisplay.from_estimator(pipe, X, image_shape=GREY)
    np.testing.assert_array_equal(display.X, pipe[0].transform(X[:10]))


def test_tables_have_a_panel_for_each_row_and_a_line_for_each_model():
    table, _ = flowers()
    models = {beta: fitted(BetaVAETransformer, table, 2, beta=beta) for beta in (1.0, 4.0)}
    display = ReconstructionDisplay.from_estimator(models, table, n_samples=3)
    mean, std = table.to_numpy().mean(axis=0), table.to_numpy().std(axis=0)
    for place, axes in enumerate(display.axes_):
        row = table[place : place + 1]
        expected = np.vstack([row, *(model.reconstruct(row) for model in models.values())])
        lines = [line.get_ydata() for line in axes.lines]
        np.testing.assert_allclose(lines, (expected - mean) / std, rtol=1e-10)
    assert len(display.axes_) == 3
    assert texts(display.axes_[0].get_legend().get_texts()) == ["original", "1.0", "4.0"]


def test_arrays_are_drawn_as_they_are():
    vae = optimum(X)
    display = ReconstructionDisplay.from_predictions(
        X[:4], vae.reconstruct(X[:4]), image_shape=GREY
    )
    expected = np.stack([X[:4], vae.reconstruct(X[:4])]).reshape(2, 4, *GREY)
    np.testing.assert_array_equal(cells(display.axes_[0], 2, 4, GREY), expected)
    assert texts(display.axes_[0].get_yticklabels()) == ["original", "reconstruction"]


def test_reconstructions_of_another_shape_are_one_sentence(betas):
    with pytest.raises(ValueError, match="shape") as raised:
        ReconstructionDisplay.from_predictions(X, {"mine": X[:3]}, image_shape=GREY)
    assert str(raised.value) == (
        "Reconstructions must have the shape of the originals, (60, 12). Got (3, 12) of 'mine' "
        "instead. Draw it in a figure of its own."
    )
    with pytest.raises(ValueError, match="The 'orientation' parameter of"):
        ReconstructionDisplay.from_estimator(betas, X, image_shape=GREY, orientation="left")
