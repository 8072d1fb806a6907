"""
Samples of an autoencoder
=========================

Can an autoencoder sample, with a mixture fitted to its codes? An autoencoder has no prior, so it
does not know which codes are likely. A density fitted to the codes after training provides this.
Here an autoencoder samples from a Gaussian and from a mixture of Gaussians. A VAE samples from its
prior, and from a mixture too.

The faces are drawn by :download:`drawn_faces.py`, a few lines of NumPy.
"""

# sphinx_gallery_thumbnail_number = 2

import numpy as np
from drawn_faces import draw_faces
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import train_test_split

from skvae import AutoencoderTransformer, VAETransformer
from skvae.plotting import LatentSpaceDisplay, SampleDisplay

X, _ = draw_faces(1_000, size=24)
train, test = train_test_split(X, test_size=0.3, random_state=0)

# %%
# Two models, four ways to sample
# -------------------------------
#
# For the autoencoder, the mixture is fitted to its codes. For the VAE it is fitted to draws from
# q(z|x), because its decoder was trained on such draws.

options = {"max_epochs": 60, "batch_size": 64, "random_state": 0}
autoencoder = AutoencoderTransformer(8, **options).fit(train)
vae = VAETransformer(8, **options).fit(train)


def mixture(codes):
    return GaussianMixture(30, reg_covar=1e-3, random_state=0).fit(np.float64(codes))


ways = {
    "autoencoder, Gaussian": (autoencoder, None),
    "autoencoder, mixture": (autoencoder, mixture(autoencoder.transform(train))),
    "VAE, prior": (vae, None),
    "VAE, mixture": (vae, mixture(vae.sample_posterior(train, random_state=0))),
}
samples = {
    name: model.sample(len(test), latent=density, random_state=0)
    for name, (model, density) in ways.items()
}

# %%
# This picture shows the codes of the autoencoder in the two dimensions that vary most, with some of
# the faces at their codes. The codes are not centred at 0, and their distribution is not Gaussian.

faces = {"image_shape": (24, 24, 3), "value_range": (0, 1)}
LatentSpaceDisplay.from_estimator(autoencoder, test, thumbnails=True, **faces)

# %%
# How far from a face?
# --------------------
#
# Two distances are measured, as mean squared errors of a pixel. The first is from a sample to the
# nearest held-out face. It is large if samples do not look like faces. The second is from a
# held-out face to the nearest sample. It is large if the samples miss a kind of face. The training
# faces show how small the distances can be.


def nearest(rows, others):
    squares = (rows**2).sum(1)[:, None] - 2 * rows @ others.T + (others**2).sum(1)
    return squares.min(axis=1).mean() / rows.shape[1]


print(f"{'':24}{'sample to face':>15}{'face to sample':>15}")
for name, rows in {"training faces": train[: len(test)], **samples}.items():
    print(f"{name:24}{nearest(rows, test):15.4f}{nearest(test, rows):15.4f}")

# %%
# The mixture improves both models, by both distances. The autoencoder then samples as well as the
# VAE. The VAE improves too, because its codes do not fill the prior.

SampleDisplay.from_predictions(
    {"data": test[:8], **{name: rows[:8] for name, rows in samples.items()}},
    **faces,
)
