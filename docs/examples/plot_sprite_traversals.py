"""
Traversals of sprites
=====================

Does a dimension of the code hold one factor? ``make_sprites`` draws images from factors that are
known, so that codes can be compared with these. Here an ellipse has a scale and a position, and a
VAE and a beta-TCVAE are asked for them by number, the mutual information gap (MIG), and by eye, in
traversals.
"""

# sphinx_gallery_thumbnail_number = 2

import numpy as np

from skvae import BetaTCVAETransformer, VAETransformer
from skvae.datasets import make_sprites
from skvae.metrics import mutual_information_gap
from skvae.plotting import LatentTraversalDisplay

sprites = make_sprites(
    2_000,
    size=16,
    shapes=("ellipse",),
    n_scales=5,
    n_orientations=1,
    n_positions=9,
    random_state=0,
)
varies = np.array(sprites.factor_sizes) > 1
names = np.array(sprites.factor_names)[varies]
factors = sprites.factors[:, varies]

# %%
# Two models
# ----------
#
# Both have four dimensions for three factors. The penalties begin at 60 times their weight, so that
# dimensions open one after another.

options = {
    "likelihood": "bernoulli",
    "input_scale": 1 / 255,
    "hidden_layer_sizes": (128, 128),
    "activation": "silu",
    "kl_warmup_start": 60.0,
    "kl_warmup_epochs": 35,
    "max_epochs": 50,
    "batch_size": 100,
    "lr": 4e-3,
}
models = {
    "VAE": VAETransformer(4, **options),
    "beta-TCVAE": BetaTCVAETransformer(4, beta=8.0, **options),
}

# %%
# The gap
# -------
#
# The MIG of a factor is how much more the best dimension tells of it than the second best, as a
# part of the factor's entropy. It is 1 if one dimension tells all, and 0 if two tell as much. Every
# model is fitted with three seeds.

gaps = {}
print(f"{'MIG':12}seed" + "".join(f"{name:>8}" for name in [*names, "mean"]) + f"{'ELBO':>8}")
for name, model in models.items():
    for seed in (2, 1, 0):  # the last fit is kept
        codes = model.set_params(random_state=seed).fit_transform(sprites.data)
        gaps[name] = mutual_information_gap(factors, codes, details=True)
        row = [*gaps[name].per_factor, gaps[name].score]
        print(f"{name:12}{seed:4}" + "".join(f"{value:8.2f}" for value in row), end="")
        print(f"{model.score(sprites.data):8.1f}")

# %%
# With two of the three seeds the beta-TCVAE has the larger gap; with the other the two are alike.
# It pays in nats with every seed. So short a training is sensitive: other seeds, and other batch
# sizes, may turn the order round. A score of one fit says little of a model.
#
# What every dimension tells
# --------------------------
#
# These are the models of seed 0: the information of each dimension on each factor, as a part of the
# factor's entropy.

for name, gap in gaps.items():
    print(f"{name:12}" + "".join(f"{factor:>8}" for factor in names))
    for place, row in enumerate(gap.information / gap.entropies):
        print(f"  z{place:<9}" + "".join(f"{value:8.2f}" for value in row))

# %%
# In the VAE every dimension tells of every factor. In the beta-TCVAE three dimensions tell most of
# one factor each, and the other has little to tell.
#
# Traversals of the VAE
# ---------------------

# A row has the name of a factor. It moves the dimension that tells most of it, by their mutual
# information (MI) as a part of the factor's entropy.

known = {"image_shape": sprites.image_shape, "factors": factors, "factor_names": names}
LatentTraversalDisplay.from_estimator(models["VAE"], sprites.data, **known)

# %%
# Traversals of the beta-TCVAE
# ----------------------------

LatentTraversalDisplay.from_estimator(models["beta-TCVAE"], sprites.data, **known)
