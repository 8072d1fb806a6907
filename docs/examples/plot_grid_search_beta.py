"""
A grid search over beta
=======================

Which beta does a grid search choose? This depends on the criterion, which you must give to the
search. Here four criteria judge the same models on the same folds of scikit-learn's digits.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold

from skvae import BetaVAETransformer
from skvae.model_selection import downstream_scorer, elbo_scorer, reconstruction_scorer

X, y = load_digits(return_X_y=True)
X = X / 16  # pixels in [0, 1]
betas = [0.125, 0.25, 0.5, 1.0, 2.0, 4.0]

# %%
# Four criteria
# -------------
#
# The first criterion is a mistake. Minus the training objective, log p(x|z) - beta KL, has a
# different scale for every beta, and a smaller beta makes it larger for any model. The second is
# ``score``, the evidence lower bound at beta 1. It is the same quantity for all models. Training at
# beta 1 maximises it, so it favours a beta near 1. It says which model generalises, not which codes
# are useful. The other two measure one thing each: the squared error, and the accuracy of a simple
# classifier on the codes.


def minus_objective(estimator, X, y=None):
    log_prob, kl = estimator.elbo_terms(X)
    return np.mean(log_prob.sum(axis=1) - estimator.beta * kl)


scorers = {
    "minus the training objective, nats": minus_objective,
    "ELBO (beta 1), nats": elbo_scorer,
    "minus the squared error": reconstruction_scorer,
    "accuracy on the codes": downstream_scorer(LogisticRegression(max_iter=1000), cv=2),
}
search = GridSearchCV(
    BetaVAETransformer(10, max_epochs=30, random_state=0),
    {"beta": betas},
    scoring=scorers,
    refit="accuracy on the codes",
    cv=KFold(3, shuffle=True, random_state=0),
).fit(X, y)

# %%
# ``refit`` names the criterion that decides. The others are in ``cv_results_``. A band shows one
# standard deviation over the folds. For the accuracy, it is wider than the difference between most
# betas, so these digits do not decide that choice.

results = search.cv_results_
print(f"{'criterion':38}beta taken")
for name in scorers:
    print(f"{name:38}{betas[np.argmax(results[f'mean_test_{name}'])]:10g}")
print(f"Fitted again to all rows: {search.best_estimator_}")

figure, panels = plt.subplots(4, 1, figsize=(5, 7.6), sharex=True, layout="constrained")
for panel, name in zip(panels, scorers, strict=True):
    mean, std = results[f"mean_test_{name}"], results[f"std_test_{name}"]
    panel.fill_between(betas, mean - std, mean + std, alpha=0.2, linewidth=0)
    panel.plot(betas, mean, marker="o", markersize=4)
    best = np.argmax(mean)
    panel.plot(betas[best], mean[best], "o", color="C1", markersize=10, fillstyle="none")
    panel.set_title(name)
    panel.set_xscale("log")
    panel.set_xticks(betas, [f"{beta:g}" for beta in betas])
    panel.minorticks_off()
    panel.spines[["top", "right"]].set_visible(False)
panels[-1].set_xlabel("beta")
