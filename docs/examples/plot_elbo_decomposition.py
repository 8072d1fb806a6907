"""
The parts of the divergence
===========================

What does a larger beta remove from the codes? The mean divergence in the evidence lower bound has
three parts: the mutual information of rows and codes, the total correlation of the dimensions, and
the divergence of each dimension's marginal distribution from the prior. A beta-VAE penalises all
three, and a beta-TCVAE only the total correlation. Here ``kl_decomposition`` measures how much of
each is left.
"""

import matplotlib.pyplot as plt
import numpy as np

from skvae import BetaTCVAETransformer, BetaVAETransformer
from skvae.datasets import make_sprites
from skvae.metrics import kl_decomposition

sprites = make_sprites(
    6_000,
    size=16,
    shapes=("square",),
    n_scales=4,
    n_orientations=1,
    n_positions=9,
    random_state=0,
)
betas = [4.0, 7.0, 10.0]
options = {
    "likelihood": "bernoulli",
    "input_scale": 1 / 255,
    "lr": 4e-3,
    "max_epochs": 15,
    "random_state": 0,
}

# %%
# Fit and measure
# ---------------
#
# The parts sum to the divergence. N rows cannot show more than log N nats of mutual information. If
# the divergence is close to this limit, the result says ``saturated``, and its total correlation is
# too large.

models = {"beta-VAE": BetaVAETransformer, "beta-TCVAE": BetaTCVAETransformer}
names = ["mutual_information", "total_correlation", "dimension_wise_kl"]
parts = {name: [] for name in models}
print(f"{'':12}{'beta':>4}" + "".join(f"{name:>20}" for name in names) + f"{'ELBO':>8}")
for name, model in models.items():
    for beta in betas:
        fitted = model(4, beta=beta, **options).fit(sprites.data)
        measured = kl_decomposition(fitted, sprites.data, n_samples=1_000, random_state=0)
        parts[name].append([getattr(measured, part) for part in names])
        row = "".join(f"{value:20.3f}" for value in parts[name][-1])
        print(f"{name:12}{beta:4g}{row}{fitted.score(sprites.data):8.2f}")

# %%
# A larger beta in the beta-VAE removes mutual information: the codes are more independent because
# they carry less. A larger beta in the beta-TCVAE removes most of the total correlation, and keeps
# most of the information.

figure, panels = plt.subplots(1, 2, figsize=(6.4, 3.4), sharey=True, layout="constrained")
for panel, (name, heights) in zip(panels, parts.items(), strict=True):
    below = np.zeros(len(betas))
    for part, height in zip(names, np.transpose(heights), strict=True):
        label = part.replace("_wise_kl", "-wise KL").replace("_", " ")
        panel.bar([f"{beta:g}" for beta in betas], height, bottom=below, label=label)
        below += height
    panel.set(title=name, xlabel="beta")
    panel.spines[["top", "right"]].set_visible(False)
panels[0].set_ylabel("nats")
handles, labels = panels[0].get_legend_handles_labels()
figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
