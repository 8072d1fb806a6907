import re

import numpy as np
import pytest
from sklearn.base import clone

from skvae import BetaTCVAETransformer


def gaussian_total_correlation(codes):
    covariance = np.cov(codes, rowvar=False)
    return 0.5 * (np.log(np.diag(covariance)).sum() - np.linalg.slogdet(covariance)[1])


@pytest.mark.parametrize("tc_sampling", ["mws", "mss"])
def test_beta_lowers_the_total_correlation_of_the_codes(tc_sampling, digits):
    estimator = BetaTCVAETransformer(
        4, noise_variance=0.1, tc_sampling=tc_sampling, max_epochs=40, random_state=0
    )
    codes = {
        beta: clone(estimator).set_params(beta=beta).fit_transform(digits) for beta in (1.0, 10.0)
    }
    assert gaussian_total_correlation(codes[10.0]) < gaussian_total_correlation(codes[1.0])


def test_a_divergence_past_the_logarithm_of_the_batch_size_is_told(table):
    X = table[:100]
    settings = {"noise_variance": 1e-3, "max_epochs": 1, "random_state": 0}
    sentence = (
        r"^The divergence must be below the logarithm of the batch size, so that its parts can be "
        r"separated\. Got a divergence of \d+\.\d\d nats and log\({}\) = {} instead: alpha, beta "
        r"and gamma act on nearly the whole divergence\. Use fewer n_components or a larger "
        r"noise_variance, or train for longer\.$"
    )
    for weight in ("alpha", "beta", "gamma"):
        weights = {"alpha": 1, "beta": 1, "gamma": 1, weight: 2.0}
        with pytest.warns(UserWarning, match=sentence.format(50, r"3\.91")):
            BetaTCVAETransformer(3, batch_size=50, **weights, **settings).fit(X)
    with pytest.warns(UserWarning, match=sentence.format(100, r"4\.61")):  # all rows are a batch
        BetaTCVAETransformer(3, **settings).fit(X)
    BetaTCVAETransformer(3, alpha=1, beta=1, gamma=1, **settings).fit(X)
    BetaTCVAETransformer(3, **settings).partial_fit(X)  # begins with more than it ends with
    BetaTCVAETransformer(3, **{**settings, "noise_variance": 1.0}).fit(X)


@pytest.mark.parametrize("tc_sampling", ["mws", "mss"])
def test_every_parameter_reaches_the_objective(tc_sampling, table):
    fitted = BetaTCVAETransformer(
        2, alpha=2.0, beta=4.0, gamma=8.0, tc_sampling=tc_sampling, max_epochs=1
    ).fit(table)
    assert fitted.net_.criterion_.sampling == tc_sampling
    history = {name: values[0] for name, values in fitted.history_.items()}
    expected = (
        history["reconstruction"]
        + history["kl"]
        + 1 * history["minibatch_mutual_information"]
        + 3 * history["minibatch_total_correlation"]
        + 7 * history["minibatch_dimension_wise_kl"]
    )
    assert history["train_loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("tc_sampling", ["mws", "mss"])
def test_a_single_left_over_row_is_trained_with_the_batch_before(tc_sampling, table):
    fitted = BetaTCVAETransformer(
        2, batch_size=19, max_epochs=2, tc_sampling=tc_sampling, random_state=0
    ).fit(table)  # 400 = 21 * 19 + 1
    assert all(np.isfinite(values).all() for values in fitted.history_.values())


@pytest.mark.parametrize("tc_sampling", ["mws", "mss"])
def test_a_batch_of_one_is_refused(tc_sampling, table):
    sentence = (
        "BetaTCVAETransformer estimates q(z) from the rows of a batch, and needs batch_size >= 2. "
        "Got batch_size=1 instead. Raise it."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        BetaTCVAETransformer(batch_size=1, tc_sampling=tc_sampling).fit(table)
