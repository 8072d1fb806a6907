"""Claim: which beta a search picks depends on the scorer, and not on the training objective.

One search over beta uses all scorers at once, on held-out rows. For each scorer, the table shows
the beta with the best mean score. It also shows what the other criteria lose by this choice, as a
share of their range over the betas. "objective" is the negative training objective on the held-out
rows. A search without a scorer would use it if the estimator's ``score`` were the objective.

``--data`` is a file with ``X_train`` and ``y_train``, such as ``mnist.npz``, or with ``X`` (n,
height, width[, channels]) and ``factors``. 5,000 of its rows are used.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # the libraries read it when they are imported

from pathlib import Path

import numpy as np
from _common import make_parser, print_machine, print_table, save
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import BetaVAETransformer
from skvae.metrics import latent_summary, mutual_information_gap
from skvae.model_selection import (
    active_units_scorer,
    downstream_scorer,
    elbo_scorer,
    latent_scorer,
    log_likelihood_scorer,
    reconstruction_scorer,
    total_correlation_scorer,
)

BETAS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
N_ROWS = 5_000
N_SPLITS = 3


def objective(estimator, X, y=None):
    """Return the negative training objective of the estimator for rows that it has not seen."""
    kl = latent_summary(estimator, X)["kl"].sum()
    return estimator.score(X) - (estimator.beta - 1) * kl


OF_ALL = {
    "objective": objective,
    "elbo": elbo_scorer,
    "log-likelihood": log_likelihood_scorer,
    "reconstruction": reconstruction_scorer,
    "active units": active_units_scorer,
    "total correlation": total_correlation_scorer,
}


def load(path):
    """Return rows, their known labels or factors, and a scorer of how well codes predict these."""
    with np.load(path) as content:
        of_factors = "factors" in content
        X, y = (
            content[key] for key in (("X", "factors") if of_factors else ("X_train", "y_train"))
        )
    rows = np.random.default_rng(0).permutation(len(X))[:N_ROWS]
    if of_factors:
        return X[rows], y[rows], latent_scorer(mutual_information_gap)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return X[rows], y[rows], downstream_scorer(classifier, cv=3)


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--data", required=True, type=Path, help=".npz file")
    parser.add_argument("--epochs", type=int, default=60, help="epochs of a fit (default 60)")
    parser.add_argument("--jobs", type=int, default=2, help="fits at a time (default 2)")
    arguments = parser.parse_args()
    print_machine()
    X, y, scorer = load(arguments.data)
    known = "gap" if y.ndim == 2 else "accuracy"
    vae = BetaVAETransformer(
        10, input_scale=1 / 255, max_epochs=arguments.epochs, random_state=0, noise_variance="pca"
    )
    scoring = {**OF_ALL, known: scorer}
    search = GridSearchCV(
        vae,
        {"beta": BETAS},
        scoring=scoring,
        refit=False,
        cv=ShuffleSplit(N_SPLITS, test_size=0.2, random_state=0),
        n_jobs=arguments.jobs,
    ).fit(X.reshape(len(X), -1), y)

    means = {name: search.cv_results_[f"mean_test_{name}"] for name in scoring}
    print_table(
        ["beta", *scoring],
        [
            [f"{beta:g}", *(f"{means[name][place]:.4g}" for name in scoring)]
            for place, beta in enumerate(BETAS)
        ],
    )
    criteria = [name for name in scoring if name != "objective"]
    rows = []
    for name in scoring:
        place = int(np.argmax(means[name]))
        lost = {
            other: float((means[other].max() - means[other][place]) / np.ptp(means[other]))
            for other in criteria
            if np.ptp(means[other]) > 0
        }
        rows.append({"scorer": name, "beta": BETAS[place], "lost": lost})
    print_table(
        ["scored by", "beta", *(f"lost: {name}" for name in criteria)],
        [
            [
                row["scorer"],
                f"{row['beta']:g}",
                *(f"{row['lost'][n]:.0%}" if n in row["lost"] else "" for n in criteria),
            ]
            for row in rows
        ],
    )
    save(
        f"selection-{arguments.data.stem}",
        rows,
        betas=BETAS,
        means={name: values.tolist() for name, values in means.items()},
        n_rows=len(X),
        n_splits=N_SPLITS,
        epochs=arguments.epochs,
    )


if __name__ == "__main__":
    main()
