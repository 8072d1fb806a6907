"""
A custom encoder
================

How does a network of one's own become the encoder? ``encoder`` and ``decoder`` take any function of
the number of inputs and of outputs that returns a ``torch.nn.Module``. Here they are small
convolutions, on scikit-learn's digits, beside the perceptrons that the package builds by itself.
"""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from skvae import VAETransformer
from skvae.plotting import ReconstructionDisplay

X = load_digits().data / 16  # pixels in [0, 1]
train, test = train_test_split(X, random_state=0)

# %%
# Two functions
# -------------
#
# Rows arrive flat. A VAE asks its encoder for ``2 * n_components`` outputs, the means and the
# logarithms of the standard deviations, and its decoder for a row. The functions are told both
# numbers, so the same ones serve any ``n_components``.


def encoder(n_inputs, n_outputs):
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 16, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 2 * 2, n_outputs),
    )


def decoder(n_inputs, n_outputs):
    return nn.Sequential(
        nn.Linear(n_inputs, 32 * 2 * 2),
        nn.ReLU(),
        nn.Unflatten(1, (32, 2, 2)),
        nn.ConvTranspose2d(32, 16, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(16, 1, 4, stride=2, padding=1),
        nn.Flatten(),
    )


# %%
# Everything else stays
# ---------------------
#
# The estimators are fitted, scored and searched like any others. ``net_`` is the fitted skorch net,
# and its ``module_`` the network.

models = {
    "perceptrons": VAETransformer(10, random_state=0),
    "convolutions": VAETransformer(10, encoder=encoder, decoder=decoder, random_state=0),
}
print(f"{'':14}{'weights':>9}{'ELBO, nats':>12}{'squared error':>15}")
for name, model in models.items():
    model.fit(train)
    n_weights = sum(np.prod(weight.shape) for weight in model.net_.module_.parameters())
    error = model.reconstruction_error(test).mean()
    print(f"{name:14}{n_weights:9.0f}{model.score(test):12.2f}{error:15.4f}")

# %%
# Half as many weights do as well here, for one seed. The images are new to both models.

ReconstructionDisplay.from_estimator(models, test, image_shape=(8, 8, 1))
