"""
Rows sampled from a pipeline
============================

Do rows sampled from a pipeline look like the table? A pipeline of a scaler and a variational
autoencoder learns a table whose columns have different units. The last step draws new rows, and the
scaler transforms them back. This example compares their marginal distributions and correlations
with those of held-out rows. It also compares rows from a multivariate normal distribution with the
mean and the covariance of the training rows.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import ks_2samp
from sklearn.datasets import load_breast_cancer
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import VAETransformer

table = load_breast_cancer(as_frame=True).data.iloc[:, :10]  # the columns called "mean ..."
train, test = train_test_split(table, test_size=0.5, random_state=0)

# %%
# Fit, sample, transform back
# ---------------------------
#
# ``sample`` returns means of p(x|z). ``observation_noise=True`` adds the noise that the model has
# learned for each column; without it, rows vary too little. Codes come from the prior, or from a
# mixture fitted to the codes of the training rows.

pipeline = make_pipeline(
    StandardScaler(),
    VAETransformer(3, noise_variance="per-feature", max_epochs=200, batch_size=32, random_state=0),
).fit(train)
scaler, vae = pipeline[:-1], pipeline[-1]
codes = vae.sample_posterior(scaler.transform(train), random_state=0)
mixture = GaussianMixture(4, random_state=0).fit(codes)
options = {"observation_noise": True, "random_state": 0}
rows = {
    "held out": test.to_numpy(),
    "VAE, prior": scaler.inverse_transform(vae.sample(1_000, **options)),
    "VAE, mixture": scaler.inverse_transform(vae.sample(1_000, latent=mixture, **options)),
    "normal": np.random.RandomState(0).multivariate_normal(train.mean(), train.cov(), 1_000),
}

# %%
# Numbers
# -------
#
# The Kolmogorov-Smirnov distance is the largest difference between the distribution functions of a
# column in two tables. The values of the training rows show how much of it is chance.

held_out = rows["held out"]
correlations = {name: np.corrcoef(values.T) for name, values in rows.items()}
print(f"{'mean over the columns':24}{'KS distance':>12}{'difference of correlations':>28}")
for name, values in {"training rows": train.to_numpy(), **rows}.items():
    if name != "held out":
        distance = np.mean([ks_2samp(held_out[:, j], values[:, j]).statistic for j in range(10)])
        difference = np.abs(np.corrcoef(values.T) - correlations["held out"]).mean()
        print(f"{name:24}{distance:12.3f}{difference:28.3f}")

# %%
# With codes from the prior, the correlations are worse than those of the normal distribution,
# because the codes of the rows do not fill the prior. With codes from the mixture, rows are about
# as close to the held-out rows as the training rows are.
#
# Marginals
# ---------

figure, panels = plt.subplots(3, 1, figsize=(5, 6.6), layout="constrained")
for panel, column in zip(panels, ["mean radius", "mean area", "mean concavity"], strict=True):
    j = table.columns.get_loc(column)
    bins = np.histogram_bin_edges(np.concatenate([values[:, j] for values in rows.values()]), 25)
    panel.hist(held_out[:, j], bins, density=True, color="lightgrey", label="held out")
    for name in list(rows)[1:]:
        panel.hist(rows[name][:, j], bins, density=True, histtype="step", label=name, lw=1.4)
    panel.set(xlabel=column, yticks=[])
    panel.spines[["top", "left", "right"]].set_visible(False)
figure.legend(
    *panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False
)

# %%
# Correlations
# ------------

figure, panels = plt.subplots(
    2, 2, figsize=(6.4, 6.4), sharex=True, sharey=True, layout="compressed"
)
names = [column.removeprefix("mean ") for column in table.columns]
for panel, (name, correlation) in zip(panels.flat, correlations.items(), strict=True):
    picture = panel.imshow(correlation, cmap="viridis", vmin=-1, vmax=1)
    panel.set_title(name)
    panel.set_xticks(range(10), names, rotation=90)
panel.set_yticks(range(10), names)
figure.colorbar(picture, ax=panels, label="correlation", shrink=0.5)
