"""
Samples of an autoencoder
=========================

Does a mixture of its codes let an autoencoder sample? An autoencoder has no prior: nothing says
where its codes are, so there is nothing to sample from. A density fitted to the codes after
training does. Here samples of an autoencoder with a mixture of Gaussians are compared with those of
a VAE, from its prior and from a mixture too, on scikit-learn's digits.
"""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import cross_val_score, train_test_split

from skvae import AutoencoderTransformer, VAETransformer
from skvae.plotting import SampleDisplay

X = load_digits().data / 16  # pixels in [0, 1]
train, test = train_test_split(X, test_size=0.4, random_state=0)

# %%
# Two models, four ways to sample
# -------------------------------
#
# The mixture of the autoencoder is fitted to its codes, that of the VAE to draws from q(z|x), which
# is what the decoder was trained on.

autoencoder = AutoencoderTransformer(10, random_state=0).fit(train)
vae = VAETransformer(10, random_state=0).fit(train)


def mixture(codes):
    return GaussianMixture(20, reg_covar=1e-3, random_state=0).fit(codes)


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
# Can a classifier tell samples from images?
# ------------------------------------------
#
# A random forest learns to tell samples from images held out. An area under the ROC curve of 0.5
# says that it cannot, 1 that it always can. Pixels of the images are whole sixteenths, so samples
# are rounded to these first. The other number is the distance from an image held out to the nearest
# sample: large where the samples leave out a kind of digit.

is_sample = np.repeat([0, 1], len(test))
forest = RandomForestClassifier(100, random_state=0)
print(f"{'':30}{'ROC AUC':>8}{'distance':>10}")
for name, rows in samples.items():
    rows = np.clip(np.round(16 * rows), 0, 16) / 16
    auc = cross_val_score(forest, np.vstack([test, rows]), is_sample, cv=3, scoring="roc_auc")
    nearest = np.linalg.norm(test[:, None] - rows, axis=2).min(axis=1)
    print(f"{name:30}{auc.mean():8.3f}{nearest.mean():10.2f}")

# %%
# The mixture improves both models, by the distance the most, and the autoencoder then samples about
# as well as the VAE. The VAE gains too, because its encoder does not fill the prior. The forest
# still tells nearly all samples from images.

SampleDisplay.from_predictions(
    {"data": test[:12], **{name: rows[:12] for name, rows in samples.items()}},
    image_shape=(8, 8, 1),
    value_range=(0, 1),
)
