"""
The paper's three figures
=========================

What do the figures of the paper show on small images? M. Schik's *Overview of Variational
Autoencoder-based Generative Models* has three figures: what the dimensions of a code do, samples of
the four models, and reconstructions at several betas. This example makes the same three figures for
faces of 24 by 24 pixels.

The faces are drawn by :download:`drawn_faces.py`, a few lines of NumPy.
"""

from drawn_faces import LEVELS, draw_faces
from sklearn.model_selection import train_test_split

from skvae import (
    AutoencoderTransformer,
    BetaTCVAETransformer,
    BetaVAETransformer,
    VAETransformer,
)
from skvae.plotting import LatentTraversalDisplay, ReconstructionDisplay, SampleDisplay

X, factors = draw_faces(1_000, size=24)
train, test, factors, _ = train_test_split(X, factors, test_size=0.3, random_state=0)
images = {"image_shape": (24, 24, 3), "value_range": (0, 1)}
options = {"max_epochs": 40, "batch_size": 100, "lr": 2e-3, "random_state": 0}
noise = {"noise_variance": 1.0}  # of a pixel; a large value, so that beta has much to remove
models = {
    "autoencoder": AutoencoderTransformer(10, **options),
    "VAE": VAETransformer(10, **noise, **options),
    "beta-VAE": BetaVAETransformer(10, beta=4.0, **noise, **options),
    "beta-TCVAE": BetaTCVAETransformer(10, beta=4.0, **noise, **options),
}
for model in models.values():
    model.fit(train)

# %%
# Traversals
# ----------
#
# The factors of the faces are known. Each row is labelled with one factor. It moves the dimension
# of the beta-TCVAE that has the most mutual information (MI) with this factor, shown as a share of
# the factor's entropy. The other dimensions stay at the code of a held-out face. If one dimension
# has the most information about several factors, the model has not separated these factors.

LatentTraversalDisplay.from_estimator(
    models["beta-TCVAE"],
    train,
    x=test[3],
    factors=factors,
    factor_names=list(LEVELS),
    n_steps=7,
    **images,
)

# %%
# Samples
# -------
#
# All models decode the same eight draws from N(0, I). An autoencoder has no prior, and nothing
# makes its codes follow this distribution. The printed standard deviations show how far its codes
# reach. By default, its ``sample`` uses a Gaussian fitted to the codes: the last row.

for name, model in models.items():
    print(
        f"{name:12}standard deviations of the codes: {model.transform(train).std(axis=0).round(1)}"
    )
SampleDisplay.from_estimator(
    {**models, "autoencoder, fitted Gaussian": models["autoencoder"]},
    train,
    latent=dict.fromkeys(models, "standard-normal"),
    n_samples=8,
    random_state=0,
    **images,
)

# %%
# Reconstructions at several betas
# --------------------------------
#
# These images were not in training. With a larger beta, a code says less about its image, and the
# reconstructions look more like each other.

betas = [1.0, 2.0, 4.0, 8.0]
fits = [BetaVAETransformer(10, beta=beta, **noise, **options).fit(train) for beta in betas]
for beta, fit in zip(betas, fits, strict=True):
    print(f"beta {beta:4g}: mean squared error {fit.reconstruction_error(test).mean():.4f}")
ReconstructionDisplay.from_estimator(fits, test, n_samples=8, **images)
