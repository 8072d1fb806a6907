import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skvae import ReconstructionOutlierDetector, VAETransformer
from skvae.outlier.robust_vae import NARROW, WIDE, RobustVAE


@pytest.fixture(scope="module")
def model(table):
    return RobustVAE(3, n_steps=40, random_state=0).fit(table)


# Some checks have two columns of independent noise, of which there is nothing to code.
@pytest.mark.filterwarnings("ignore:The codes must vary:sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks([RobustVAE(2, n_steps=10, random_state=0)])
def test_scikit_learn_check_passes(estimator, check):
    check(estimator)


def test_a_score_is_the_mean_of_both_bounds_the_wide_one_counting_five_times(model, table):
    X = StandardScaler().fit_transform(table)
    expected = (5 * model.wide_.score_samples(X) + model.narrow_.score_samples(X)) / 6
    assert_allclose(model.score_samples(table), expected, rtol=1e-10)
    log_prob, kl = model.elbo_terms(table)
    assert_allclose(log_prob.sum(axis=1) - kl, expected, rtol=1e-10)


def test_codes_are_those_of_both_and_decode_to_the_mean(model, table):
    scaler = StandardScaler().fit(table)
    X = scaler.transform(table)
    codes = model.transform(table)
    assert_allclose(codes[:, :3], model.wide_.transform(X), rtol=1e-10)
    assert_allclose(codes[:, 3:], model.narrow_.transform(X), rtol=1e-10)
    rows = (5 * model.wide_.reconstruct(X) + model.narrow_.reconstruct(X)) / 6
    decoded = model.inverse_transform(codes)
    assert_allclose(decoded, scaler.inverse_transform(rows), rtol=1e-10)


def test_scores_do_not_depend_on_units(model, table):
    scaled = RobustVAE(3, n_steps=40, random_state=0).fit(1e3 * table - 7.0)
    scores = scaled.score_samples(1e3 * table - 7.0)
    assert_allclose(scores, model.score_samples(table), rtol=1e-3, atol=1e-3)


def test_each_model_is_trained_on_the_rows_that_the_narrow_one_finds_probable(model, table):
    assert model.wide_.hidden_layer_sizes == WIDE["hidden_layer_sizes"]
    assert model.narrow_.hidden_layer_sizes == NARROW["hidden_layer_sizes"]
    assert model.narrow_.n_samples_seen_ == 0.8 * 400
    assert model.wide_.n_samples_seen_ == 0.97 * 400
    X = StandardScaler().fit_transform(table)
    probable = np.sort(np.argsort(model.narrow_.score_samples(X))[12:])
    alone = clone(model.wide_).fit(X[probable])
    assert_array_equal(alone.score_samples(X), model.wide_.score_samples(X))


def test_outliers_are_not_learned_by_the_narrow_model():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((300, 4)) @ rng.standard_normal((4, 4))
    X[:15] = X[0] + 20.0  # a tight group far away
    model = RobustVAE(2, n_steps=300, random_state=0).fit(X)
    assert_array_equal(np.sort(np.argsort(model.score_samples(X))[:15]), np.arange(15))


def test_sparse_rows_are_scaled_and_not_centred(digits):
    X = csr_array(digits)
    model = RobustVAE(3, n_steps=10, random_state=0).fit(X)
    assert model.scaler_.mean_ is None or not model.scaler_.with_mean
    assert_allclose(model.score_samples(X[:9]), model.score_samples(digits[:9]), rtol=1e-9)


def test_it_is_what_a_detector_uses_by_itself(table):
    fitted = ReconstructionOutlierDetector(random_state=0).fit(table[:60])
    assert isinstance(fitted.transformer_, RobustVAE)
    assert fitted.transformer is None
    assert isinstance(fitted.transformer_.wide_, VAETransformer)
    explained = fitted.explain(table[:60])
    total = explained.contributions.sum(axis=1) - explained.kl
    assert_allclose(total, fitted.score_samples(table[:60]), rtol=1e-10)


def test_what_it_refuses_is_said_in_a_sentence(model, table):
    sentence = (
        r"^The codes passed to RobustVAE.inverse_transform must have 6 columns, those of both "
        r"models. Got 5 instead.$"
    )
    with pytest.raises(ValueError, match=sentence):
        model.inverse_transform(np.zeros((2, 5)))
    with pytest.raises(NotFittedError):
        RobustVAE().transform(table)


def test_seeds_give_other_models_and_both_are_seeded_apart(table):
    models = [RobustVAE(2, n_steps=5, random_state=seed).fit(table) for seed in (0, 0, 1)]
    one, again, other = (model.score_samples(table) for model in models)
    assert_array_equal(one, again)
    assert (one != other).all()
    assert models[0].wide_.random_state != models[0].narrow_.random_state


def test_the_narrow_model_goes_on_where_it_was(table):
    model = RobustVAE(2, n_steps=5, random_state=0).fit(table)
    assert model.narrow_.n_iter_ == 20 // 2 + 40 // 2  # epochs of two steps
    assert model.wide_.n_iter_ == round(5 / 2)


def test_at_least_two_rows_are_kept():
    X = np.array([[0.0, 1.0], [1.0, 3.0]])
    model = RobustVAE(1, n_steps=2, trimmed_fraction=0.9, random_state=0).fit(X)
    assert np.isfinite(model.score_samples(X)).all()


def test_frames_that_a_scaler_makes_are_scaled_as_arrays(table):
    frame = pd.DataFrame(table, columns=list("abcdef"))
    expected = RobustVAE(2, n_steps=5, random_state=0).fit(frame).score_samples(frame)
    with config_context(transform_output="pandas"):
        model = RobustVAE(2, n_steps=5, random_state=0).fit(frame)
        assert_array_equal(model.score_samples(frame), expected)
        assert isinstance(model.transform(frame), pd.DataFrame)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_fit_that_fails_leaves_nothing(model, table):
    again = RobustVAE(2, n_steps=5, random_state=0).fit(table)
    with pytest.raises(ValueError, match=r"^Every column of X must have a finite variance\. Got"):
        again.fit(np.c_[table, table] * 1e200)
    assert not [name for name in vars(again) if name.endswith("_")]
