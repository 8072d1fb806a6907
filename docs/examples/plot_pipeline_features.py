"""
Features for a classifier
=========================

Are a VAE's codes better features than principal components? A classifier with few columns needs
columns that keep the differences between the classes. Here a logistic regression on scikit-learn's
digits gets the codes of a variational autoencoder, or the same number of principal components. Both
are steps of a pipeline, so that every fold of the cross-validation fits them on its training rows
only.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skvae import VAETransformer

X, y = load_digits(return_X_y=True)

# %%
# One pipeline, two reducers
# --------------------------
#
# The second scaler gives the columns of both reducers the same scale, so that the classifier's
# penalty treats them alike.


def classifier(reducer):
    return make_pipeline(
        MinMaxScaler(), reducer, StandardScaler(), LogisticRegression(max_iter=1000)
    )


sizes = [2, 4, 8, 16]
folds = StratifiedKFold(3, shuffle=True, random_state=0)
accuracy = {"PCA": [], "VAE": []}
for size in sizes:
    reducers = {
        "PCA": PCA(size, random_state=0),
        "VAE": VAETransformer(size, max_epochs=60, random_state=0),
    }
    for name, reducer in reducers.items():
        accuracy[name].append(cross_val_score(classifier(reducer), X, y, cv=folds))

# %%
# The accuracy of every fold
# --------------------------
#
# The folds are the same for both, so the difference is taken fold by fold.

mean = {name: np.mean(folds_of, axis=1) for name, folds_of in accuracy.items()}
difference = np.subtract(accuracy["VAE"], accuracy["PCA"])
print(f"{'n_components':>12}{'PCA':>8}{'VAE':>8}{'difference':>12}{'least':>8}{'greatest':>10}")
for place, size in enumerate(sizes):
    print(
        f"{size:12}{mean['PCA'][place]:8.3f}{mean['VAE'][place]:8.3f}"
        f"{difference[place].mean():12.3f}{difference[place].min():8.3f}"
        f"{difference[place].max():10.3f}"
    )

# %%
# With 2 and 4 components, the VAE's codes are the better features in every fold: they can be a
# nonlinear function of the pixels. With 8 there is no difference. With 16, the principal components
# are better on average. PCA needs no training, whereas the VAE is trained for 60 epochs here.

figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
for place, (name, folds_of) in enumerate(accuracy.items()):
    axes.plot(sizes, mean[name], color=f"C{place}", label=name)
    axes.plot(sizes, folds_of, "o", color=f"C{place}", markersize=4, alpha=0.5)
axes.set_xscale("log", base=2)
axes.set_xticks(sizes, sizes)
axes.set(xlabel="components", ylabel="accuracy", title="Each point is a fold, each line their mean")
axes.legend(frameon=False)
axes.spines[["top", "right"]].set_visible(False)
