"""
A tour with digits
==================

How are codes searched, scored and sampled? scikit-learn's digits are 1,797 images of 8 by 8 pixels.
Here a variational autoencoder turns them into a few columns for a classifier, and a grid search
sets its parameters. It then scores which images differ from its training images, and draws new
ones. PCA can do the first two as well, and is compared.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skvae import BetaVAETransformer, VAETransformer
from skvae.plotting import SampleDisplay

X, y = load_digits(return_X_y=True)

# %%
# A grid search over beta
# -----------------------
#
# Codes are columns like any others. The transformer replaces PCA in a pipeline, and the search sets
# ``beta`` and ``n_components`` by the names that they have in the pipeline.

sizes, betas = [2, 5, 10], [1.0, 2.0, 4.0]


def accuracies(reducer, grid):
    """Return mean and standard deviation of the accuracy over three folds, a row for each beta."""
    pipeline = make_pipeline(MinMaxScaler(), reducer, LogisticRegression(max_iter=1000))
    results = GridSearchCV(pipeline, grid, cv=3, n_jobs=2).fit(X, y).cv_results_
    shape = (-1, len(sizes))  # the grid's last parameter varies fastest
    return results["mean_test_score"].reshape(shape), results["std_test_score"].reshape(shape)


print("Searching over 3 values of beta and 3 sizes, in 3 folds ...", flush=True)
pca_mean, pca_std = accuracies(PCA(random_state=0), {"pca__n_components": sizes})
vae_mean, vae_std = accuracies(
    BetaVAETransformer(random_state=0),
    {"betavaetransformer__beta": betas, "betavaetransformer__n_components": sizes},
)

print("\nCross-validated accuracy of a logistic regression on the components")
print(f"{'n_components':24}" + "".join(f"{size:8}" for size in sizes))
names = ["PCA", *(f"beta-VAE, beta = {beta:g}" for beta in betas)]
for name, row in zip(names, np.vstack([pca_mean, vae_mean]), strict=True):
    print(f"{name:24}" + "".join(f"{accuracy:8.3f}" for accuracy in row))
print(f"Standard deviation over the folds: up to {max(pca_std.max(), vae_std.max()):.3f}")

# %%
# A digit that training never saw
# -------------------------------
#
# Each digit in turn is left out of training. Its images are then scored together with new images of
# the other nine digits. The area under the ROC curve is the probability that an image of the unseen
# digit looks more unusual than an image of a seen one. There are two scores: the reconstruction
# error, and ``score_samples``, which is a lower bound of the log-density for the VAE and exact for
# PCA.

X = X / 16  # pixels in [0, 1]
auc, seen_errors, unseen_errors = [], [], []
for digit in range(10):
    train, seen = train_test_split(X[y != digit], random_state=0)
    rows = np.vstack([seen, X[y == digit]])
    unseen = np.arange(len(rows)) >= len(seen)
    vae = VAETransformer(10, random_state=0).fit(train)
    pca = PCA(10, random_state=0).fit(train)
    error = vae.reconstruction_error(rows)
    pca_error = np.mean((rows - pca.inverse_transform(pca.transform(rows))) ** 2, axis=1)
    scores = [error, -vae.score_samples(rows), pca_error, -pca.score_samples(rows)]
    auc.append([roc_auc_score(unseen, score) for score in scores])
    seen_errors.append(error[~unseen])
    unseen_errors.append(error[unseen])

print("\nROC AUC of the digit left out, 10 components")
print(f"{'':10}{'VAE':>13}{'VAE':>15}{'PCA':>13}{'PCA':>15}")
print(f"{'left out':10}" + 2 * f"{'error':>13}{'score_samples':>15}")
for name, row in zip([*range(10), "mean"], [*auc, np.mean(auc, axis=0)], strict=True):
    print(f"{name!s:10}{row[0]:13.3f}{row[1]:15.3f}{row[2]:13.3f}{row[3]:15.3f}")

# %%
# New digits
# ----------
#
# ``sample`` draws codes from the prior and decodes them. The picture shows 20 samples. Above them
# are 20 images that were not in training, and their reconstructions from ten numbers each.

train, test = train_test_split(X, random_state=0)
vae = VAETransformer(10, random_state=0).fit(train)
samples = vae.sample(20, random_state=0)

INK, GREY, RED = "#222222", "#777777", "#c0492f"
plt.rcParams.update({"font.size": 10, "text.color": INK, "axes.titlesize": 11})
figure = plt.figure(figsize=(5, 7.2), layout="constrained")  # narrow enough for a phone
grid = figure.add_gridspec(4, 1, height_ratios=[1, 1, 1, 1.6])

images = {
    "20 images that were not in training": test[:20],
    "Each, reconstructed from ten numbers": vae.reconstruct(test[:20]),
    "20 samples from the prior": samples,
}
SampleDisplay.from_predictions(
    images,
    image_shape=(8, 8, 1),
    value_range=(0, 1),
    ax=[figure.add_subplot(grid[row]) for row in range(3)],
    n_columns=10,
    cmap="gray_r",
    padding=1,
)

axes = figure.add_subplot(grid[3])
seen, unseen = np.concatenate(seen_errors), np.concatenate(unseen_errors)
bins = np.linspace(0, np.quantile(unseen, 0.999), 60)
for errors, color in [(seen, GREY), (unseen, RED)]:
    axes.hist(errors, bins, density=True, color=color, alpha=0.3)
    axes.hist(errors, bins, density=True, color=color, histtype="step", linewidth=1.2)
axes.set_title("A digit left out of training is reconstructed worse")
axes.set_xlabel("mean squared error, for pixels from 0 to 1")
axes.text(0.3, 0.75, "new images of the nine digits seen", color=GREY, transform=axes.transAxes)
axes.text(0.56, 0.42, "the digit left out", color=RED, transform=axes.transAxes)
axes.margins(x=0)
axes.set_yticks([])
axes.spines[["top", "left", "right"]].set_visible(False)

picture = Path(sys.argv[0]).with_name("digits.png")
figure.savefig(picture, dpi=150)
print(f"\nThe picture is in {picture.name}, beside this script")
