"""Small models of images and of a table, and what a picture shows in each of its places."""

import numpy as np
from linear_vae import write_optimum
from sklearn.datasets import load_iris

from skvae import VAETransformer

GREY, COLOUR = (4, 3, 1), (2, 2, 3)


def pixels(n_samples=60, n_features=12, seed=0):
    """Rows in [0, 1] with a decaying spectrum, of 12 columns: images of either shape."""
    rng = np.random.RandomState(seed)
    X = rng.standard_normal((n_samples, n_features)) * 0.7 ** np.arange(n_features)
    X = X @ np.linalg.qr(rng.standard_normal((n_features, n_features)))[0]
    return (X - X.min()) / np.ptp(X)


def fitted(Estimator, X, n_components=3, **parameters):
    """A linear model after one epoch."""
    settings = {"hidden_layer_sizes": (), "max_epochs": 1, "random_state": 0}
    return Estimator(n_components, **{**settings, **parameters}).fit(X)


def optimum(X, n_components=3):
    """A linear VAE at its optimum: the divergence falls from dimension to dimension."""
    vae = fitted(VAETransformer, X, n_components)
    write_optimum(vae, X, n_components)
    return vae


def flowers():
    """Iris as a table with names and its classes."""
    return load_iris(return_X_y=True, as_frame=True)


def cells(axes, n_rows, n_columns, image_shape, padding=1):
    """Cut the image of axes into what it is made of, (n_rows, n_columns, *image_shape)."""
    (image,) = axes.images
    grid = np.ma.filled(image.get_array(), np.nan)
    height, width, channels = image_shape
    grid = grid.reshape(*grid.shape[:2], -1)
    size = (n_rows * (height + padding) - padding, n_columns * (width + padding) - padding)
    assert grid.shape[:2] == size
    result = np.empty((n_rows, n_columns, *image_shape))
    for row in range(n_rows):
        for column in range(n_columns):
            top, left = row * (height + padding), column * (width + padding)
            result[row, column] = grid[top : top + height, left : left + width, :channels]
    return result


def texts(labels):
    """What tick labels and the like say."""
    return [label.get_text() for label in labels]
