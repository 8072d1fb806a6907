import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from skvae import BetaVAETransformer


def minus_objective(estimator, X, y=None):
    """What training minimises, as a scorer: it depends on beta by its own weight."""
    mean, std = estimator.posterior(X)
    kl = 0.5 * (mean**2 + std**2 - 1 - 2 * np.log(std)).sum(1).mean()
    return estimator.score(X) - (estimator.beta - 1) * kl


def test_the_default_scoring_picks_beta_one_and_the_objective_the_smallest(table):
    estimator = BetaVAETransformer(
        2, noise_variance=0.5, max_epochs=100, batch_size=100, lr=3e-3, random_state=0
    )
    grid = {"beta": [0.1, 1.0, 10.0]}
    fair = GridSearchCV(estimator, grid, cv=3).fit(table)
    assert fair.best_params_ == {"beta": 1.0}
    naive = GridSearchCV(estimator, grid, cv=3, scoring=minus_objective).fit(table)
    assert naive.best_params_ == {"beta": 0.1}


def test_at_a_fixed_variance_beta_is_that_much_more_variance(table):
    # Linear optimum: a direction of variance lambda keeps the share 1 - beta sigma^2 / lambda.
    vae = BetaVAETransformer(
        2,
        beta=4.0,
        noise_variance=0.25,
        hidden_layer_sizes=(),
        max_epochs=800,
        batch_size=100,
        lr=1e-2,
        random_state=0,
    ).fit(table)
    values = np.linalg.eigvalsh(np.cov(table, rowvar=False, ddof=0))[::-1][:2]
    spread = np.sort(vae.posterior(table)[1].mean(0) ** 2)
    np.testing.assert_allclose(spread, 4 * 0.25 / values, rtol=0.05)


def test_a_negative_beta_is_refused(table):
    message = r"^The 'beta' parameter of BetaVAETransformer must be a float in the range \[0.0, inf"
    with pytest.raises(ValueError, match=message):
        BetaVAETransformer(beta=-1).fit(table)
