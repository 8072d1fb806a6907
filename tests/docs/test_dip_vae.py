"""docs/examples/dip_vae.py, the model that the guide builds: it is what the guide says."""

from pathlib import Path

import dip_vae
import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.utils.estimator_checks import parametrize_with_checks

from skvae import VAETransformer
from skvae.nn.distributions import Gaussian


@parametrize_with_checks(
    [dip_vae.DIPVAETransformer(2, hidden_layer_sizes=(8,), max_epochs=2, random_state=0)]
)
def test_scikit_learn_check_passes(estimator, check):
    check(estimator)


def test_it_has_under_40_lines():
    assert len(Path(dip_vae.__file__).read_text().splitlines()) < 40


def test_the_penalty_is_the_one_worked_out_by_hand():
    # Means (1, 0), (-1, 2), (0, 1): covariance [[2/3, -2/3], [-2/3, 2/3]]. Mean variances: 1/2 and
    # (1 + 1 + 4) / 3 = 2. So C - I = [[1/6, -2/3], [-2/3, 5/3]].
    mean = torch.tensor([[1.0, 0.0], [-1.0, 2.0], [0.0, 1.0]])
    scale = torch.tensor([[0.5, 1.0], [0.5, 1.0], [1.0, 2.0]])
    terms = dip_vae.DIPObjective(3.0).penalties(Gaussian(mean, scale.log()), mean)
    assert terms["covariance"].item() == pytest.approx(1 / 36 + 4 / 9 + 4 / 9 + 25 / 9)
    by_row = (mean**2 + scale**2 - 1 - 2 * scale.log()).sum(1) / 2
    torch.testing.assert_close(terms["kl"], by_row)


def test_the_objective_is_the_weighted_sum_of_its_terms():
    X = load_digits().data[:200] / 16
    fitted = dip_vae.DIPVAETransformer(
        3, strength=7.0, batch_size=200, max_epochs=3, random_state=0
    ).fit(X)
    history = fitted.history_
    summed = history["reconstruction"] + history["kl"] + 7.0 * history["covariance"]
    np.testing.assert_allclose(history["train_loss"], summed, rtol=1e-5)


def test_without_its_penalty_it_is_the_vae():
    X = load_digits().data[:200] / 16
    settings = {"hidden_layer_sizes": (16,), "max_epochs": 3, "random_state": 0}
    codes = VAETransformer(3, **settings).fit_transform(X)
    of_dip = dip_vae.DIPVAETransformer(3, strength=0.0, **settings).fit_transform(X)
    # Derivatives of an objective of one's own are autograd's: the same to float rounding.
    np.testing.assert_allclose(of_dip, codes, rtol=0, atol=1e-6)


def distance(estimator, X):
    """Return the squared Frobenius distance of the covariance of q(z) from the identity."""
    mean, std = estimator.posterior(X)
    covariance = np.cov(mean.T, bias=True) + np.diag((std**2).mean(axis=0))
    return ((covariance - np.eye(covariance.shape[0])) ** 2).sum()


@pytest.mark.parametrize("seed", [0, 1])
def test_the_penalty_brings_the_covariance_to_the_identity(seed):
    X = load_digits().data / 16
    settings = {"max_epochs": 20, "random_state": seed}
    plain = distance(VAETransformer(5, **settings).fit(X), X)
    penalised = distance(dip_vae.DIPVAETransformer(5, strength=100.0, **settings).fit(X), X)
    assert penalised < plain / 2
