"""
Noise taken out of images
=========================

Can reconstruction remove noise from an image? A model that can only make faces turns a noisy face
into a clean one. ``fit`` takes only X and no target, so there are two ways. The first fits a model
to clean images and reconstructs noisy ones. The second adds noise inside the encoder. PCA can do
the first as well, and serves as the baseline.

The faces are drawn by :download:`drawn_faces.py`, a few lines of NumPy.
"""

import numpy as np
import torch
from drawn_faces import draw_faces
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from torch import nn

from skvae import AutoencoderTransformer, VAETransformer
from skvae.plotting import ReconstructionDisplay

NOISE = 1.0  # its standard deviation, for pixels in [0, 1]
X, _ = draw_faces(1_000, size=24)
train, test = train_test_split(X, test_size=0.2, random_state=0)


def with_noise(images, seed):
    noise = np.random.RandomState(seed).standard_normal(images.shape)
    return np.float32(images + NOISE * noise)


noisy = with_noise(test, seed=0)

# %%
# An encoder that sees noise
# --------------------------
#
# The noise is a layer that is active only during training. It adds noise to a clean row, and the
# network must reconstruct the clean row. The layer uses torch's global random generator, which is
# therefore seeded here.


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


# %%
# PCA gets the number of components that works best on noisy training images.


def pca_error(n_components):
    pca = PCA(n_components, random_state=0).fit(train)
    rows = pca.inverse_transform(pca.transform(with_noise(train, seed=1)))
    return np.mean((rows - train) ** 2)


size = min((10, 20, 30, 40), key=pca_error)
torch.manual_seed(0)
options = {"max_epochs": 60, "batch_size": 64, "random_state": 0}
models = {
    f"PCA, {size} components": PCA(size, random_state=0),
    "autoencoder": AutoencoderTransformer(20, **options),
    "VAE": VAETransformer(20, **options),
    "denoising autoencoder": AutoencoderTransformer(20, encoder=noisy_encoder, **options),
}

# %%
# The error
# ---------
#
# The mean squared error is measured from the clean image. For the noisy image itself it is the
# variance of the noise.

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
# A model that was trained only on clean images does not beat PCA: its encoder never learned what to
# do with noise. The model that was trained with noise beats PCA. In return, its error on clean
# images is larger.
#
# The originals in the picture are clean, and none was used in training. The second row shows the
# input of the models.

ReconstructionDisplay.from_predictions(
    test[:8],
    {"noisy": noisy[:8], **{name: rows[:8] for name, rows in denoised.items()}},
    image_shape=(24, 24, 3),
    value_range=(0, 1),
)
