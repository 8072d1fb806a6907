"""
The paper's three figures
=========================

What do the figures of the paper show on small images? M. Schik's *Overview of Variational
Autoencoder-based Generative Models* has three. They are what the dimensions of a code do, samples
of the four models, and reconstructions over several betas. These are the same three of faces, 24 by
24 pixels.

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
noise = {"noise_variance": 1.0}  # of a pixel: large, so that a beta has much to take away
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
# The factors that the faces are drawn from are known. A row has the name of one. It moves the
# dimension of the beta-TCVAE's code that tells most of the factor, by their mutual information (MI)
# as a part of the factor's entropy. The other dimensions stay at the code of a face held out. One
# dimension may tell most of several factors: then the model has not taken them apart.

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
# All models decode the same eight draws from N(0, I). An autoencoder has no prior, and nothing ties
# its codes to this one. The standard deviations printed say how far its codes reach. By itself its
# ``sample`` takes a Gaussian fitted to them: the last row.

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
# Reconstructions over beta
# -------------------------
#
# These images were not in training. The larger beta, the less a code says of its image, and the
# more reconstructions look like each other.

betas = [1.0, 2.0, 4.0, 8.0]
fits = [BetaVAETransformer(10, beta=beta, **noise, **options).fit(train) for beta in betas]
for beta, fit in zip(betas, fits, strict=True):
    print(f"beta {beta:4g}: mean squared error {fit.reconstruction_error(test).mean():.4f}")
ReconstructionDisplay.from_estimator(fits, test, n_samples=8, **images)
