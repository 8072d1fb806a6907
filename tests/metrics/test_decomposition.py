"""The parts of the divergence: their values, their laws and their standard errors."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from linear_vae import probabilistic_pca, write_optimum
from posteriors import Posterior, whitened
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import AutoencoderTransformer, VAETransformer
from skvae.metrics import KLDecomposition, gaussian_total_correlation, kl_decomposition
from skvae.metrics.decomposition import _standard_errors
from skvae.nn.aggregate import log_mixture

PARTS = ("mutual_information", "total_correlation", "dimension_wise_kl")
# A mixture of three, by quadrature.
MIXTURE_MEAN = [[-1.0, 0.0], [1.0, 0.5], [0.5, -1.2]]
MIXTURE_STD = [[0.5, 0.6], [0.4, 0.7], [0.8, 0.3]]
MIXTURE_PARTS = (0.94524535, 0.10541489, 0.23902471)
# q(z|x) = N(LOADINGS x, diag(NOISE)) over x ~ N(0, I).
LOADINGS = np.array([[0.8, 0.3], [0.1, 0.7]])
NOISE = np.array([0.16, 0.36])
GAUSSIAN_PARTS = (1.235240, 0.058198, 0.008678)
saturates = pytest.mark.filterwarnings("ignore:The mean divergence should")


def parts_of(result):
    return np.array([getattr(result, part) for part in PARTS])


def errors_of(result):
    return np.array([getattr(result, f"{part}_se") for part in PARTS])


def gaussian_aggregate(n_rows):
    return Posterior(whitened(n_rows, 2) @ LOADINGS.T, np.sqrt(NOISE))


def uneven(n_rows, n_components=3):
    rng = np.random.RandomState(0)
    mean = rng.standard_normal((n_rows, n_components)) * rng.exponential(size=(n_rows, 1))
    return Posterior(mean, np.exp(0.7 * rng.standard_normal((n_rows, n_components)) - 1))


def test_collapsed_posteriors_have_no_part():
    collapsed = Posterior(np.zeros((500, 3)), 1.0)
    result = collapsed.decompose(random_state=0, n_samples=1000)
    np.testing.assert_allclose(parts_of(result), 0, atol=1e-9)
    np.testing.assert_allclose(errors_of(result), 0, atol=1e-9)
    assert result.kl == 0
    assert not result.saturated
    assert collapsed.gaussian_total_correlation() == 0


@saturates
def test_disjoint_posteriors_hold_log_n_nats():
    disjoint = Posterior(1e3 * np.arange(40.0).reshape(20, 2), 0.1)
    result = disjoint.decompose(n_samples=1000, random_state=0)
    assert result.mutual_information == pytest.approx(math.log(20), abs=1e-6)
    assert result.saturated


@saturates
def test_the_parts_of_a_mixture_are_those_of_quadrature():
    result = Posterior(MIXTURE_MEAN, MIXTURE_STD).decompose(n_samples=100_000, random_state=0)
    deviation = np.abs(parts_of(result) - MIXTURE_PARTS)
    assert (deviation < 0.01).all()
    assert (deviation < 4 * errors_of(result)).all()
    assert (errors_of(result) < 0.003).all()
    assert result.kl == pytest.approx(1.28968495, abs=1e-8)


def test_the_parts_of_a_gaussian_aggregate_are_its_closed_form():
    aggregate = gaussian_aggregate(5000)
    result = aggregate.decompose(n_samples=20_000, random_state=0)
    # x has the moments of N(0, I) exactly; that its rows are finitely many shows at 1e-3.
    deviation = np.abs(parts_of(result) - GAUSSIAN_PARTS)
    assert (deviation < 4 * errors_of(result) + 3e-3).all()
    assert result.kl == pytest.approx(1.302116, abs=1e-6)
    assert aggregate.gaussian_total_correlation() == pytest.approx(0.058198, abs=1e-6)


def test_a_linear_vae_at_its_optimum_is_all_information():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((3000, 5)) @ rng.standard_normal((5, 5))
    vae = VAETransformer(2, hidden_layer_sizes=(), max_epochs=1, random_state=0).fit(X)
    write_optimum(vae, X, 2)
    values, _, noise = probabilistic_pca(X, 2)
    result = kl_decomposition(vae, X, n_samples=2000, random_state=0)
    np.testing.assert_allclose(
        np.sort(result.kl_per_dimension)[::-1], 0.5 * np.log(values / noise), rtol=1e-10
    )
    assert gaussian_total_correlation(vae, X) == pytest.approx(0, abs=1e-10)
    # X is a sample of a Gaussian, hence q(z) is N(0, I) but for 3000 rows: 0.05 nats at most.
    np.testing.assert_allclose(parts_of(result), [result.kl, 0, 0], atol=0.05)


@saturates
@pytest.mark.parametrize(
    ("posterior", "n_samples"),
    [
        (uneven(300), 200),
        (uneven(300), 700),
        (uneven(1), 100),
        (Posterior([[1.0, 0.0], [0.0, -1.0]], 0.5), 100),  # two rows of one divergence
        (Posterior([[9.0]] + [[0.3]] * 999, 0.5), 100),  # of the drawn rows likewise
        (Posterior(1e3 * np.arange(20.0).reshape(10, 2), 0.1), 150),
    ],
)
def test_the_parts_sum_to_the_whole_and_the_shares_to_the_parts(posterior, n_samples):
    for seed in range(3):
        result = posterior.decompose(n_samples=n_samples, random_state=seed)
        assert parts_of(result).sum() == pytest.approx(result.kl, rel=1e-12, abs=1e-9)
        shares = result.dimension_wise_kl_per_dimension
        assert shares.sum() == pytest.approx(result.dimension_wise_kl, rel=1e-12, abs=1e-12)
        assert result.kl_per_dimension.sum() == pytest.approx(result.kl, rel=1e-12)
        assert np.isfinite([*parts_of(result), *errors_of(result)]).all()
        assert np.isfinite(result.dimension_wise_kl_per_dimension_se).all()


@pytest.mark.parametrize("n_samples", [100, 1000])
def test_standard_errors_are_the_spread_over_seeds(n_samples):
    aggregate = gaussian_aggregate(200)
    results = [aggregate.decompose(n_samples=n_samples, random_state=seed) for seed in range(40)]
    spread = np.std([parts_of(result) for result in results], axis=0, ddof=1)
    reported = np.mean([errors_of(result) for result in results], axis=0)
    assert (reported / spread > 0.6).all()
    assert (reported / spread < 1.6).all()
    shares = [result.dimension_wise_kl_per_dimension for result in results]
    reported = np.mean([result.dimension_wise_kl_per_dimension_se for result in results], axis=0)
    assert (reported / np.std(shares, axis=0, ddof=1) > 0.6).all()


def two_clusters(n_rows):
    """Nine rows in ten at one place, one at another, and the same divergence in all."""
    return Posterior(np.where(np.arange(n_rows) < 0.9 * n_rows, 1.0, -1.0)[:, None], 0.05)


@pytest.mark.parametrize("n_samples", [1000, 2500, 400])
def test_standard_errors_do_not_count_the_spread_over_rows_that_are_all_used(n_samples):
    clusters = two_clusters(1000)
    results = [clusters.decompose(n_samples=n_samples, random_state=seed) for seed in range(40)]
    spread = np.std([result.mutual_information for result in results], ddof=1)
    reported = np.mean([result.mutual_information_se for result in results])
    assert 0.7 < reported / spread < 1.4
    if n_samples >= 1000:
        assert reported < 0.002  # the rows' spread over 1000 rows would be 0.02


def test_standard_errors_are_those_of_two_stage_sampling():
    draws = np.random.RandomState(0).standard_normal((50, 4, 1)) + np.arange(50.0)[:, None, None]
    within = draws.var(axis=1, ddof=1).mean()
    between = draws.mean(1).var(ddof=1)
    whole, part = (_standard_errors(draws, share).item() for share in (1.0, 0.25))
    assert whole == pytest.approx(np.sqrt(within / 200), rel=1e-12)
    assert part == pytest.approx(np.sqrt((0.75 * between + 0.25 * within / 4) / 50), rel=1e-12)


def test_every_row_used_has_as_many_draws(monkeypatch):
    drawn = []

    def watch(posterior, z):
        drawn.append(z)
        return log_mixture(posterior, z)

    monkeypatch.setattr("skvae.metrics.decomposition.log_mixture", watch)
    apart = Posterior(np.arange(200.0)[:, None], 1e-3)
    for n_samples, counts in (
        (150, {0: 125, 2: 75}),
        (250, {2: 200}),
        (450, {2: 200}),
        (650, {3: 200}),
    ):
        with pytest.warns(UserWarning, match="mean divergence"):
            apart.decompose(n_samples=n_samples, random_state=0)
        rows = drawn[-1].round().long().ravel()
        found = np.unique(np.bincount(rows, minlength=200), return_counts=True)
        assert dict(zip(*found, strict=True)) == counts


def test_a_collapsed_model_of_few_rows_is_not_saturated():
    result = Posterior(np.zeros((5, 2)), 1.0).decompose(random_state=0)
    assert not result.saturated
    np.testing.assert_allclose(parts_of(result), 0, atol=1e-12)


def test_too_few_rows_are_said_and_show_as_total_correlation():
    variance = math.exp(-2 * 6.9 / 10)
    independent = Posterior(math.sqrt(1 - variance) * whitened(1000, 10), math.sqrt(variance))
    sentence = (
        "The mean divergence should be below log N - 3. Got 6.9 nats for N = 1000 rows, where "
        "log N is 6.908, instead: mutual information above log N cannot be measured, and counts as "
        "total correlation. Give more rows, or compare by gaussian_total_correlation."
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(sentence)}$"):
        result = independent.decompose(n_samples=1000, random_state=0)
    assert result.saturated
    assert result.total_correlation > 1
    assert independent.gaussian_total_correlation() == pytest.approx(0, abs=1e-12)


def test_an_int_reproduces_the_draws_and_leaves_numpy_alone():
    aggregate = gaussian_aggregate(100)
    before = np.random.get_state()[1].copy()
    first, second, other = (
        aggregate.decompose(n_samples=100, random_state=seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    np.testing.assert_array_equal(parts_of(first), parts_of(second))
    assert first.mutual_information != other.mutual_information


def test_the_result_reads_well():
    shares = np.array([1.25, 0.25]), np.array([0.2, 0.05])
    result = KLDecomposition(1.5, 1.0, 0.25, 0.25, *shares, 0.1, 0.02, 0.003, None, True)
    assert repr(result).splitlines() == [
        "                     nats  standard_error     z0     z1",
        "kl                  1.500           0.000  1.250  0.250",
        "mutual_information  1.000           0.100",
        "total_correlation   0.250           0.020",
        "dimension_wise_kl   0.250           0.003  0.200  0.050",
        "saturated: too few rows",
    ]
    assert repr(replace(result, saturated=False)) == repr(result).rpartition("\n")[0]
    frame = result.to_frame()
    assert frame["nats"].iloc[1:].sum() == frame.loc["kl", "nats"]
    assert frame["standard_error"].tolist() == [0, 0.1, 0.02, 0.003]
    np.testing.assert_array_equal(frame.loc["kl", ["z0", "z1"]], shares[0])
    np.testing.assert_array_equal(frame.loc["dimension_wise_kl", ["z0", "z1"]], shares[1])


@saturates
def test_a_pipeline_transforms_the_rows_first(table):
    scaler = StandardScaler().fit(table)
    vae = VAETransformer(2, max_epochs=2, random_state=0).fit(scaler.transform(table))
    for pipeline in (make_pipeline(scaler, vae), make_pipeline(scaler, make_pipeline(vae))):
        ours = kl_decomposition(pipeline, table, n_samples=100, random_state=0)
        plain = kl_decomposition(vae, scaler.transform(table), n_samples=100, random_state=0)
        np.testing.assert_array_equal(parts_of(ours), parts_of(plain))
        expected = gaussian_total_correlation(vae, scaler.transform(table))
        assert gaussian_total_correlation(pipeline, table) == expected


@pytest.mark.parametrize("metric", [kl_decomposition, gaussian_total_correlation])
@pytest.mark.parametrize("estimator", [AutoencoderTransformer(), PCA()])
def test_an_estimator_without_posterior_is_refused(metric, estimator, table):
    sentence = (
        f"{metric.__name__} needs an estimator with a posterior method, or a Pipeline that ends in "
        f"one. Got {type(estimator).__name__} instead. Use a VAE, such as VAETransformer."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        metric(make_pipeline(estimator), table)


@pytest.mark.parametrize("metric", [kl_decomposition, gaussian_total_correlation])
def test_an_unfitted_estimator_is_refused(metric, table):
    for unfitted in (VAETransformer(), make_pipeline(StandardScaler(), VAETransformer())):
        with pytest.raises(NotFittedError):
            metric(unfitted, table)


@pytest.mark.parametrize("n_samples", [99, 100.0])
def test_too_few_draws_are_refused(n_samples):
    sentence = (
        "The 'n_samples' parameter of kl_decomposition must be an int in the range [100, inf). "
        f"Got {n_samples} instead."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        gaussian_aggregate(100).decompose(n_samples=n_samples)
