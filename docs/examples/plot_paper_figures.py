"""
The paper's three figures
=========================

What do the figures of the paper show on small images? M. Schik's *Overview of Variational
Autoencoder-based Generative Models* has three: what the dimensions of a code do, samples of the
four models, and reconstructions over several betas. These are the same three of scikit-learn's
digits, 8 by 8 pixels.
"""

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skvae import (
    AutoencoderTransformer,
    BetaTCVAETransformer,
    BetaVAETransformer,
    VAETransformer,
)
from skvae.plotting import LatentTraversalDisplay, ReconstructionDisplay, SampleDisplay

X = load_digits().data / 16  # pixels in [0, 1]
train, test = train_test_split(X, random_state=0)
images = {"image_shape": (8, 8, 1), "value_range": (0, 1)}
models = {
    "autoencoder": AutoencoderTransformer(10, max_epochs=60, random_state=0),
    "VAE": VAETransformer(10, max_epochs=60, random_state=0),
    "beta-VAE": BetaVAETransformer(10, beta=4.0, max_epochs=60, random_state=0),
    "beta-TCVAE": BetaTCVAETransformer(10, beta=4.0, max_epochs=60, random_state=0),
}
for model in models.values():
    model.fit(train)

# %%
# Traversals
# ----------
#
# A row is a dimension of the beta-TCVAE's code, from low to high, with the others at the prior's
# mean. The dimensions that carry the most are at the top.

LatentTraversalDisplay.from_estimator(models["beta-TCVAE"], train, n_dimensions=5, **images)

# %%
# Samples
# -------
#
# All models decode the same ten draws from N(0, I). An autoencoder has no prior, and nothing ties
# its codes to this one: the standard deviations printed say how far its codes reach. By itself its
# ``sample`` takes a Gaussian fitted to them, the last row.

for name, model in models.items():
    print(
        f"{name:12}standard deviations of the codes: {model.transform(train).std(axis=0).round(1)}"
    )
SampleDisplay.from_estimator(
    {**models, "autoencoder, fitted Gaussian": models["autoencoder"]},
    train,
    latent=dict.fromkeys(models, "standard-normal"),
    random_state=0,
    **images,
)

# %%
# Reconstructions over beta
# -------------------------
#
# These images were not in training. The larger beta, the less a code says of its image, and the
# more reconstructions look like each other.

betas = [1.0, 4.0, 8.0, 16.0]
fits = [
    BetaVAETransformer(10, beta=beta, max_epochs=60, random_state=0).fit(train) for beta in betas
]
for beta, fit in zip(betas, fits, strict=True):
    print(f"beta {beta:4g}: mean squared error {fit.reconstruction_error(test).mean():.4f}")
ReconstructionDisplay.from_estimator(fits, test, **images)
