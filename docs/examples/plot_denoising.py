"""
Noise taken out of images
=========================

Do reconstructions take noise out of an image? A model that can only make digits makes a digit of a
noisy one. ``fit`` takes no target beside X, so there are two ways: to fit a model to clean images
and reconstruct noisy ones, and to put the noise into the encoder. PCA does the first as well, and
is the measure.
"""

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from torch import nn

from skvae import AutoencoderTransformer, VAETransformer
from skvae.plotting import ReconstructionDisplay

NOISE = 0.3  # its standard deviation, for pixels in [0, 1]
X = load_digits().data / 16
train, test = train_test_split(X, test_size=0.3, random_state=0)
noisy = test + NOISE * np.random.RandomState(0).standard_normal(test.shape)

# %%
# An encoder that sees noise
# --------------------------
#
# The noise is a layer that acts in training alone. The network reconstructs the clean row, which is
# the target, from the noisy one that the layer makes of it. Such a layer draws from torch's global
# generator, which is seeded here. PCA has as many components as do best on the training rows.


class Noise(nn.Module):
    def forward(self, x):
        return x + NOISE * torch.randn_like(x) if self.training else x


def noisy_encoder(n_inputs, n_outputs):
    return nn.Sequential(
        Noise(),
        nn.Linear(n_inputs, 128),
        nn.ReLU(),
        nn.Linear(128, 64),
        nn.ReLU(),
        nn.Linear(64, n_outputs),
    )


def pca_error(n_components):
    pca = PCA(n_components, random_state=0).fit(train)
    noisy_train = train + NOISE * np.random.RandomState(1).standard_normal(train.shape)
    return np.mean((pca.inverse_transform(pca.transform(noisy_train)) - train) ** 2)


size = min(range(2, 40, 2), key=pca_error)
torch.manual_seed(0)
models = {
    f"PCA, {size} components": PCA(size, random_state=0),
    "autoencoder": AutoencoderTransformer(20, max_epochs=200, random_state=0),
    "VAE": VAETransformer(20, max_epochs=200, random_state=0),
    "denoising autoencoder": AutoencoderTransformer(
        20, encoder=noisy_encoder, max_epochs=200, random_state=0
    ),
}

# %%
# The mean squared error is taken from the clean image. Of the noisy image itself it is the square
# of the noise.

print(f"{'':24}{'clean input':>12}{'noisy input':>12}")
print(f"{'no model':24}{0:12.4f}{np.mean((noisy - test) ** 2):12.4f}")
denoised = {}
for name, model in models.items():
    model.fit(train)
    rows = [model.inverse_transform(model.transform(images)) for images in (test, noisy)]
    denoised[name] = rows[1]
    clean_error, noisy_error = (np.mean((each - test) ** 2) for each in rows)
    print(f"{name:24}{clean_error:12.4f}{noisy_error:12.4f}")

# %%
# Models that have seen clean images alone do not beat PCA: their encoders were never told what to
# do with noise. The one that trained with it does, and pays with a larger error of clean images.
#
# The originals are clean, and none was in training. The second row is what the models are given.

ReconstructionDisplay.from_predictions(
    test[:10],
    {"noisy": noisy[:10], **{name: rows[:10] for name, rows in denoised.items()}},
    image_shape=(8, 8, 1),
    value_range=(0, 1),
)
