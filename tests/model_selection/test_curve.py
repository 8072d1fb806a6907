"""A curve along beta is a loop of fits, and of linear networks its closed form."""

import warnings

import joblib
import numpy as np
import pytest
from curves import BETAS, NUMBERS, SMALL, assert_equal, assert_measures
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import LRScheduler
from torch.optim.lr_scheduler import CosineAnnealingLR

from skvae import BetaTCVAETransformer, BetaVAETransformer, VAETransformer
from skvae.model_selection import beta_curve


def elbo(estimator, X, y=None):
    return estimator.score(X)


def test_without_warm_starts_it_is_a_loop_of_fits(vae, table):
    curve = beta_curve(vae, table, betas=BETAS, warm_start=False)
    for place, beta in enumerate(BETAS):
        assert_measures(curve, place, clone(vae).set_params(beta=beta).fit(table), table)


def test_with_warm_starts_it_is_a_loop_up_along_beta(vae, table):
    vae.set_params(kl_warmup_epochs=2)
    curve = beta_curve(vae, table, betas=BETAS, warm_epochs=0.5)
    warm = clone(vae).set_params(warm_start=True)
    for epochs, place in ((4, 1), (2, 2), (2, 0)):
        warm.set_params(beta=BETAS[place], max_epochs=epochs).fit(table)
        assert_measures(curve, place, warm, table)


def test_the_bound_is_minus_distortion_and_rate_and_the_rate_has_three_parts(vae, table):
    curve = beta_curve(vae, table, betas=BETAS)
    np.testing.assert_allclose(curve.elbo, -curve.reconstruction - curve.kl, rtol=1e-12)
    np.testing.assert_allclose(curve.kl_per_dimension.sum(1), curve.kl, rtol=1e-12)
    parts = curve.mutual_information + curve.total_correlation + curve.dimension_wise_kl
    np.testing.assert_allclose(parts, curve.kl, rtol=1e-9)


@pytest.mark.parametrize("warm_start", [True, False])
def test_of_linear_networks_it_is_the_closed_form(warm_start, table):
    betas = np.array([1.0, 4.0, 12.0, 30.0])
    vae = BetaVAETransformer(
        4,
        hidden_layer_sizes=(),
        noise_variance=0.5,
        max_epochs=150,
        batch_size=100,
        lr=3e-2,
        callbacks=[LRScheduler(CosineAnnealingLR, T_max=150)],
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The codes must vary")  # beyond the last limit
        curve = beta_curve(vae, table, betas=betas, warm_start=warm_start, warm_epochs=1.0)
    values = np.linalg.eigvalsh(np.cov(table, rowvar=False, ddof=0))[:1:-1]
    variances = np.minimum(1, betas[:, None] * 0.5 / values)  # of the posterior
    shares = -0.5 * np.log(variances)
    found = np.sort(curve.kl_per_dimension)[:, ::-1]
    np.testing.assert_allclose(found, shares, atol=0.02)
    np.testing.assert_allclose(curve.kl, shares.sum(1), atol=0.03)
    np.testing.assert_array_equal(curve.active_units, (values > betas[:, None] * 0.5).sum(1))


@pytest.mark.parametrize("warm_start", [True, False])
def test_neither_jobs_nor_backend_change_it(warm_start, vae, table):
    def curve(n_jobs):
        return beta_curve(vae, table, betas=BETAS, cv=2, warm_start=warm_start, n_jobs=n_jobs)

    expected = curve(1)
    assert_equal(curve(2), expected)
    with joblib.parallel_config("threading"):
        assert_equal(curve(2), expected)


@pytest.mark.parametrize("warm_start", [True, False])
def test_the_order_of_betas_does_not_matter(warm_start, vae, table):
    curve = beta_curve(vae, table, betas=[4, 0.5, 1, 4], warm_start=warm_start)
    ordered = beta_curve(vae, table, betas=[0.5, 1.0, 4.0], warm_start=warm_start)
    np.testing.assert_array_equal(curve.betas, [4, 0.5, 1, 4])
    for name in NUMBERS:
        expected = getattr(ordered, name)[[2, 0, 1, 2]]
        np.testing.assert_array_equal(getattr(curve, name), expected, err_msg=name)


@pytest.mark.parametrize("warm_start", [True, False])
def test_the_estimator_stays_as_it_is(warm_start, vae, table):
    before = dict(vars(vae))
    beta_curve(vae, table, betas=BETAS, warm_start=warm_start, random_state=1)
    assert vars(vae) == before


def test_a_fit_begins_at_its_neighbours_weights(vae, table):
    def weights(estimator):
        values = estimator.net_.module_.parameters()
        return np.concatenate([value.detach().numpy().ravel() for value in values])

    curve = beta_curve(
        vae.set_params(lr=1e-4), table, betas=[1, 2], warm_epochs=1, return_estimators=True
    )
    one, two = map(weights, curve.estimators)
    assert 0 < np.abs(two - one).max() < 2e-3  # four steps of Adam
    assert np.abs(weights(clone(vae).set_params(random_state=1).fit(table)) - one).max() > 0.1
    assert [e.n_iter_ for e in curve.estimators] == [4, 5]


def test_a_schedule_does_not_begin_again(vae, table):
    vae.set_params(kl_warmup_epochs=4)
    curve = beta_curve(vae, table, betas=[1.0, 3.0], return_estimators=True)
    history = curve.estimators[1].history_
    full = history["reconstruction"][4:] + 3 * history["kl"][4:]
    np.testing.assert_allclose(history["train_loss"][4:], full, rtol=1e-6)


@pytest.mark.parametrize("warm_start", [True, False])
def test_the_estimators_come_with_the_parameters_of_the_one_given(warm_start, vae, table):
    curve = beta_curve(vae, table, betas=BETAS, warm_start=warm_start, return_estimators=True)
    assert curve.estimators.shape == (3,)
    for place, (beta, fitted) in enumerate(zip(BETAS, curve.estimators, strict=True)):
        assert fitted.get_params() == vae.set_params(beta=beta).get_params()
        assert_measures(curve, place, fitted, table)
        again = clone(fitted).fit(table)
        np.testing.assert_array_equal(fitted.fit(table).transform(table), again.transform(table))
    assert beta_curve(vae, table, betas=BETAS).estimators is None


@pytest.mark.parametrize("warm_start", [True, False])
def test_a_pipeline_is_fitted_whole_and_its_last_step_starts_warm(warm_start, vae, table):
    pipe = make_pipeline(StandardScaler(), PCA(5, random_state=0), vae)
    X = pipe[:-1].fit_transform(table)
    settings = {"betas": BETAS, "warm_start": warm_start}
    name = "betavaetransformer__beta"
    curve = beta_curve(pipe, table, param_name=name, return_estimators=True, **settings)
    assert_equal(curve, beta_curve(vae, X, **settings))
    for place, fitted in enumerate(curve.estimators):
        assert isinstance(fitted, Pipeline)
        np.testing.assert_array_equal(fitted[:-1].transform(table), X)
        assert fitted.score(table) == curve.elbo[place]
    nested = Pipeline([("inner", pipe)])
    assert_equal(beta_curve(nested, table, param_name=f"inner__{name}", **settings), curve)


def test_steps_without_a_seed_give_a_warm_start_the_same_columns(vae, table):
    class Signs(PCA):
        def fit_transform(self, X, y=None):
            seeds.append(self.random_state)
            return super().fit_transform(X)

    seeds = []
    pipe = Pipeline([("signs", Signs(5)), ("vae", vae)])
    beta_curve(pipe, table, betas=BETAS, param_name="vae__beta")
    assert seeds == [seeds[0]] * 3
    assert isinstance(seeds[0], int)
    beta_curve(pipe, table, betas=BETAS, param_name="vae__beta", warm_start=False)
    assert seeds[3:] == [None] * 3


def test_a_random_state_is_that_of_the_estimator(vae, table):
    expected = beta_curve(vae.set_params(random_state=3), table, betas=BETAS)
    vae.set_params(random_state=None)
    assert_equal(beta_curve(vae, table, betas=BETAS, random_state=3), expected)
    one, other = (
        beta_curve(vae, table, betas=BETAS, random_state=np.random.RandomState(0)) for _ in "12"
    )
    assert_equal(one, other)
    assert one.elbo[0] != expected.elbo[0]


@pytest.mark.parametrize(
    ("model", "param_name"),
    [
        (BetaTCVAETransformer(3, max_epochs=2, **SMALL), "alpha"),
        (BetaVAETransformer(3, max_epochs=2, beta=10.0, capacity_epochs=1, **SMALL), "capacity"),
        (VAETransformer(3, max_epochs=2, **SMALL), "free_bits"),
    ],
)
def test_any_number_may_be_varied(model, param_name, table):
    curve = beta_curve(model, table, betas=[0.0, 2.0], param_name=param_name)
    assert curve.param_name == param_name
    assert curve.elbo[0] == model.set_params(**{param_name: 0.0}).fit(table).score(table)


def test_what_the_network_is_made_from_is_varied_without_warm_starts(vae, table):
    curve = beta_curve(vae, table, betas=[3, 1], param_name="n_components", warm_start=False)
    np.testing.assert_array_equal(np.isnan(curve.kl_per_dimension), [[0, 0, 0], [0, 1, 1]])
    np.testing.assert_allclose(np.nansum(curve.kl_per_dimension, 1), curve.kl)


def test_saturation_is_told_and_warns_of_nothing(vae, table):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        curve = beta_curve(vae.set_params(max_epochs=40), table, betas=[0.01, 400.0])
    np.testing.assert_array_equal(curve.saturated, [True, False])


def test_it_turns_into_a_frame_with_a_row_for_each_value(vae, table):
    curve = beta_curve(vae, table, betas=BETAS, scoring={"mine": elbo})
    frame = curve.to_frame()
    shares = [f"kl_z{place}" for place in range(3)]
    ends = ["saturated", "active_units"]
    assert list(frame.columns) == ["beta", *NUMBERS[:6], *shares, *ends, "mine"]
    assert frame["beta"].tolist() == BETAS
    np.testing.assert_array_equal(frame[shares], curve.kl_per_dimension)
    np.testing.assert_array_equal(frame["mine"], curve.scores["mine"])
    for name in (*NUMBERS[:6], *ends):
        np.testing.assert_array_equal(frame[name], getattr(curve, name))
    assert len(repr(curve).splitlines()) == 4
