"""
A custom encoder
================

How can your own network become the encoder? ``encoder`` and ``decoder`` accept any function that
takes the numbers of inputs and outputs and returns a ``torch.nn.Module``. Here, small convolutions
read images. They are compared with the perceptrons that the package builds by default.

The faces are drawn by :download:`drawn_faces.py`, a few lines of NumPy.
"""

import numpy as np
from drawn_faces import draw_faces
from sklearn.model_selection import train_test_split
from torch import nn

from skvae import VAETransformer
from skvae.plotting import ReconstructionDisplay

SIZE = 24
X, _ = draw_faces(1_000, size=SIZE)
train, test = train_test_split(X, test_size=0.3, random_state=0)

# %%
# A function
# ----------
#
# Rows arrive flat: height, width and channels, with the last changing fastest. The encoder of a VAE
# needs ``2 * n_components`` outputs: the means and the logarithms of the standard deviations. The
# function gets both numbers, so the same function works for any ``n_components``.


class ChannelsFirst(nn.Module):
    def forward(self, rows):
        return rows.reshape(-1, SIZE, SIZE, 3).movedim(-1, 1)


def encoder(n_inputs, n_outputs):
    return nn.Sequential(
        ChannelsFirst(),
        nn.Conv2d(3, 16, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 6 * 6, n_outputs),
    )


# %%
# Everything else stays the same
# ------------------------------
#
# The estimators are fitted, scored and searched like any others. ``net_`` is the fitted skorch net,
# and its ``module_`` is the network. Here the decoder is the package's own. ``decoder`` would take
# another one, which returns ``n_outputs`` numbers for each row.

options = {"max_epochs": 30, "batch_size": 25, "lr": 2e-3, "random_state": 0}
models = {
    "perceptrons": VAETransformer(10, **options),
    "convolutions": VAETransformer(10, encoder=encoder, **options),
}
print(f"{'':14}{'weights':>9}{'ELBO, nats':>12}{'squared error':>15}")
for name, model in models.items():
    model.fit(train)
    n_weights = sum(np.prod(weight.shape) for weight in model.net_.module_.parameters())
    error = model.reconstruction_error(test).mean()
    print(f"{name:14}{n_weights:9.0f}{model.score(test):12.2f}{error:15.4f}")

# %%
# The convolutions have half as many weights and do nearly as well here, for one seed. Neither model
# has seen these images before.

ReconstructionDisplay.from_estimator(models, test, n_samples=8, image_shape=(SIZE, SIZE, 3))
