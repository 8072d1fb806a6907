import copy
import os
import pickle
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Freezer

from skvae import (
    AutoencoderTransformer,
    BetaTCVAETransformer,
    BetaVAETransformer,
    VAETransformer,
)
from skvae.nn import BetaObjective

ESTIMATORS = [
    AutoencoderTransformer,
    VAETransformer,
    BetaVAETransformer,
    BetaTCVAETransformer,
]
every_estimator = pytest.mark.parametrize("Estimator", ESTIMATORS)


def small(Estimator, **parameters):
    settings = {"n_components": 2, "hidden_layer_sizes": (8,), "max_epochs": 2, "random_state": 0}
    return Estimator(**{**settings, **parameters})


class Doubler(torch.nn.Module):
    """A user's module: a linear map, computed in an odd way."""

    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.linear = torch.nn.Linear(n_inputs, n_outputs)
        self.dropout = torch.nn.Dropout(0.1)
        self.gain = torch.nn.Parameter(torch.tensor(2.0))

    def forward(self, x):
        return self.gain * self.linear(self.dropout(x))


def message(sentence):
    return f"^{re.escape(sentence)}$"


# ------------------------------------------------------------------ verbs


@every_estimator
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_verbs_keep_the_dtype_and_have_their_shapes(Estimator, dtype, table):
    X = table.astype(dtype)
    fitted = small(Estimator).fit(X)
    codes = fitted.transform(X)
    assert (codes.shape, codes.dtype) == ((400, 2), dtype)
    decoded = fitted.inverse_transform(codes)
    assert (decoded.shape, decoded.dtype) == ((400, 6), dtype)
    assert fitted.reconstruct(X).dtype == dtype
    np.testing.assert_allclose(fitted.reconstruct(X), decoded, rtol=1e-4, atol=1e-5)
    errors = fitted.reconstruction_error(X)
    assert (errors.shape, errors.dtype) == ((400,), dtype)
    np.testing.assert_allclose(errors, ((X - decoded) ** 2).mean(1), rtol=1e-3)
    by_feature = fitted.reconstruction_error(X, per_feature=True)
    assert by_feature.shape == (400, 6)
    np.testing.assert_allclose(by_feature.mean(1), errors, rtol=1e-5)
    scores = fitted.score_samples(X)
    assert (scores.shape, scores.dtype) == ((400,), np.float64)
    assert type(fitted.score(X)) is float
    assert fitted.score(X) == scores.mean()
    assert (fitted.sample(3).shape, fitted.sample(3).dtype) == ((3, 6), dtype)


@every_estimator
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, bool])
def test_one_byte_types_are_computed_in_float32(Estimator, dtype, table):
    X = (table > 5).astype(dtype)
    fitted = small(Estimator).fit(X)
    assert fitted.transform(X).dtype == np.float32
    np.testing.assert_array_equal(fitted.transform(X), fitted.transform(X.astype(np.float32)))


@every_estimator
def test_float64_results_depend_on_neither_row_order_nor_chunks(Estimator, table, monkeypatch):
    fitted = small(Estimator).fit(table)
    order = np.random.RandomState(0).permutation(400)
    verbs = ["transform", "reconstruct", "reconstruction_error", "score_samples"]
    whole = {verb: getattr(fitted, verb)(table) for verb in verbs}
    for verb in verbs:
        result = getattr(fitted, verb)(table[order])
        np.testing.assert_allclose(result, whole[verb][order], rtol=1e-10)
    monkeypatch.setattr("skvae.training.batches.CHUNK_BYTES", 1)
    for verb in verbs:
        np.testing.assert_allclose(getattr(fitted, verb)(table), whole[verb], rtol=1e-10)


@every_estimator
def test_y_is_ignored_whatever_it_is(Estimator, table):
    y = np.array(["a", "b"] * 200)
    plain = small(Estimator).fit(table)
    labelled = small(Estimator).fit(table, y)
    np.testing.assert_array_equal(plain.transform(table), labelled.transform(table))
    assert labelled.score(table, y) == plain.score(table)


@every_estimator
def test_methods_change_neither_the_estimator_nor_x(Estimator, table):
    fitted = small(Estimator).fit(table)
    before, X = dict(vars(fitted)), table.copy()
    weights = {k: v.clone() for k, v in fitted.net_.module_.state_dict().items()}
    for verb in ("transform", "reconstruct", "reconstruction_error", "score_samples", "score"):
        getattr(fitted, verb)(X)
    fitted.inverse_transform(X[:, :2])
    fitted.sample(2)
    assert vars(fitted) == before
    for name, value in fitted.net_.module_.state_dict().items():
        assert torch.equal(value, weights[name])
    np.testing.assert_array_equal(X, table)


@every_estimator
@pytest.mark.parametrize(("scale", "shift"), [(1000, -4096), (1e-5, 1e-4)])
def test_a_fit_does_not_depend_on_the_units_of_x(Estimator, scale, shift, table):
    settings = {"max_epochs": 5, "n_components": 3}
    one = small(Estimator, **settings).fit(table)
    other = small(Estimator, **settings).fit(scale * table + shift)
    np.testing.assert_allclose(
        other.transform(scale * table + shift), one.transform(table), atol=5e-3
    )


def test_names_out_and_frames(table):
    frame = pd.DataFrame(table, columns=list("abcdef"))
    fitted = small(BetaVAETransformer).set_output(transform="pandas").fit(frame)
    assert list(fitted.transform(frame).columns) == ["betavaetransformer0", "betavaetransformer1"]
    assert list(fitted.feature_names_in_) == list("abcdef")


def test_codes_are_features_of_a_pipeline_with_string_labels(table):
    labels = np.where(table[:, 0] > 5, "high", "low")
    pipeline = make_pipeline(StandardScaler(), small(VAETransformer), LogisticRegression())
    search = GridSearchCV(pipeline, {"vaetransformer__n_components": [1, 2]}, cv=2)
    assert set(search.fit(table, labels).predict(table)) <= {"high", "low"}


def test_a_pipeline_decodes_samples_through_its_other_steps(table):
    pipeline = make_pipeline(StandardScaler(), small(VAETransformer)).fit(table)
    drawn = pipeline[:-1].inverse_transform(pipeline[-1].sample(5, random_state=0))
    assert drawn.shape == (5, 6)


# ------------------------------------------------------------------ sample


@every_estimator
def test_an_int_repeats_a_sample_and_none_draws_afresh(Estimator, table):
    fitted = small(Estimator).fit(table)
    np.testing.assert_array_equal(
        fitted.sample(4, random_state=3), fitted.sample(4, random_state=3)
    )
    assert not np.array_equal(fitted.sample(4), fitted.sample(4))


@every_estimator
def test_standard_normal_samples_decode_the_prior(Estimator, table):
    fitted = small(Estimator).fit(table)
    codes = np.random.RandomState(1).standard_normal((5, 2))
    drawn = fitted.sample(5, random_state=1, latent="standard-normal")
    np.testing.assert_array_equal(drawn, fitted.inverse_transform(codes))


@every_estimator
def test_any_density_with_a_sample_method_gives_the_codes(Estimator, table):
    fitted = small(Estimator).fit(table)
    codes = fitted.transform(table)
    mixture = GaussianMixture(2, random_state=0).fit(codes)
    expected = fitted.inverse_transform(mixture.sample(5)[0])
    drawn = fitted.sample(5, latent=mixture)
    np.testing.assert_allclose(np.sort(drawn, axis=0), np.sort(expected, axis=0), rtol=1e-6)
    assert fitted.sample(5, latent=KernelDensity().fit(codes)).shape == (5, 6)


def test_sample_refuses_what_is_no_density(table):
    fitted = small(VAETransformer).fit(table)
    sentence = "latent must be None, 'standard-normal' or a density with a sample method. "
    with pytest.raises(ValueError, match=message(sentence + "Got 'normal' instead.")):
        fitted.sample(latent="normal")
    sentence = (
        "The codes passed to VAETransformer.sample must have n_components=2 columns. Got 3 instead."
    )
    with pytest.raises(ValueError, match=message(sentence)):
        fitted.sample(latent=GaussianMixture(1).fit(table[:, :3]))
    with pytest.raises(ValueError, match="The 'n_samples' parameter of sample must be an int"):
        fitted.sample(0)


# ------------------------------------------------------------------ errors


@every_estimator
def test_nothing_works_before_fit(Estimator, table):
    for verb in ("transform", "inverse_transform", "reconstruct", "score_samples", "score"):
        with pytest.raises(NotFittedError):
            getattr(Estimator(), verb)(table)
    with pytest.raises(NotFittedError):
        Estimator().sample()


@every_estimator
def test_wrong_widths_are_named(Estimator, table):
    fitted = small(Estimator).fit(table)
    name = Estimator.__name__
    sentence = (
        f"The codes passed to {name}.inverse_transform must have n_components=2 columns. "
        "Got 3 instead."
    )
    with pytest.raises(ValueError, match=message(sentence)):
        fitted.inverse_transform(table[:, :3])
    sentence = f"X has 5 features, but {name} is expecting 6 features as input."
    with pytest.raises(ValueError, match=message(sentence)):
        fitted.transform(table[:, :5])


@every_estimator
def test_data_that_cannot_be_fitted_is_refused(Estimator, table):
    name = Estimator.__name__
    X = table.copy()
    X[3, 1] = np.nan
    sentence = (
        f"Input X contains NaN, which {name} accepts only with missing='mask'. Got missing=None "
        f"instead. Set it and fit, or fill in the missing values, as a VAEImputer does."
        if hasattr(Estimator, "missing")
        else f"Input X contains NaN.\n{name} does not accept missing"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        small(Estimator).fit(X)
    sentence = (
        f"Found array with 1 sample(s) (shape=(1, 6)) while a minimum of 2 is required by {name}."
    )
    with pytest.raises(ValueError, match=message(sentence)):
        small(Estimator).fit(table[:1])


def test_x_val_without_early_stopping_is_refused(table):
    sentence = (
        "X_val is for early stopping. Got X_val with early_stopping=False instead. "
        "Set early_stopping=True, or leave X_val out."
    )
    with pytest.raises(ValueError, match=message(sentence)):
        small(VAETransformer).fit(table, X_val=table)


def test_too_few_rows_to_split_are_refused(table):
    sentence = (
        "Early stopping needs at least two rows to train on and two to validate. Got n_samples=3 "
        "with validation_fraction=0.1 instead. Give more rows, or set early_stopping=False."
    )
    with pytest.raises(ValueError, match=message(sentence)):
        small(VAETransformer, early_stopping=True).fit(table[:3])


@pytest.mark.parametrize("scale", [1e18, 1e-20])
def test_data_out_of_the_range_of_float32_are_refused(scale, table):
    got = f"{scale * np.sqrt(table.var(0).mean()):.3g}"
    sentence = (
        "X must have a root mean variance in [1e-15, 1e+15], the range of float32 training. "
        f"Got {got} instead. Scale X."
    )
    with pytest.raises(ValueError, match=message(sentence)):
        small(VAETransformer).fit(scale * table)


def test_a_column_that_float32_cannot_resolve_is_named(table):
    with pytest.warns(
        UserWarning, match=r"^Column \d of X has a standard deviation of .* Centre X"
    ):
        small(VAETransformer).fit(table + 1e7)


def test_a_module_that_returns_no_tensor_is_refused(table):
    sentence = (
        "The module that encoder= returns must map rows of 6 values to rows of 4. Got no tensor "
        "for 2 rows instead. Use the widths that encoder(n_inputs, n_outputs) is called with."
    )
    with pytest.raises(ValueError, match=message(sentence)):
        small(VAETransformer, encoder=torch.nn.LSTM).fit(table)


@pytest.mark.parametrize("sizes", [(8, 0), (-1,), (2.5,)])
def test_layers_of_no_size_are_refused(sizes, table):
    sentence = f"hidden_layer_sizes must hold integers of at least 1. Got {sizes} instead."
    with pytest.raises(ValueError, match=message(sentence)):
        small(VAETransformer, hidden_layer_sizes=sizes).fit(table)


def test_users_modules_of_the_wrong_kind_are_refused(table):
    sentence = (
        "The module that encoder= returns must map rows of 6 values to rows of 4. Got an output "
        "of shape (2, 2) for 2 rows instead. Use the widths that encoder(n_inputs, n_outputs) is "
        "called with."
    )
    with pytest.raises(ValueError, match=message(sentence)):
        small(VAETransformer, encoder=lambda n, m: torch.nn.Linear(n, 2)).fit(table)
    sentence = (
        "The callable decoder= must return an nn.Module. Got int instead. Return an instance of "
        "the module, not its output."
    )
    with pytest.raises(TypeError, match=message(sentence)):
        small(AutoencoderTransformer, decoder=lambda n, m: 3).fit(table)


def test_a_module_in_place_of_a_callable_is_refused(table):
    sentence = (
        "encoder= must be a callable that returns an nn.Module, so that every fit has its own. "
        "Got a Linear module instead. Pass a function of (n_inputs, n_outputs) that makes it."
    )
    with pytest.raises(TypeError, match=message(sentence)):
        small(VAETransformer, encoder=torch.nn.Linear(6, 4)).fit(table)


def test_a_module_of_the_wrong_input_width_is_refused(table):
    start = "The module that decoder= returns must map rows of 2 values to rows of 6. Got an error "
    end = "Use the widths that decoder(n_inputs, n_outputs) is called with."
    with pytest.raises(ValueError, match=f"^{re.escape(start)}.*{re.escape(end)}$"):
        small(VAETransformer, decoder=lambda n, m: torch.nn.Linear(3, m)).fit(table)


@pytest.mark.parametrize(
    ("parameters", "X", "error"),
    [
        ({}, np.full((4, 6), np.nan), "NaN"),
        ({"lr": -1.0}, np.ones((4, 6)), "'lr' parameter"),
        ({"hidden_layer_sizes": (0,)}, np.ones((4, 6)), "hidden_layer_sizes"),
    ],
)
def test_a_fit_that_fails_leaves_nothing_of_the_one_before(parameters, X, error, table):
    fitted = small(VAETransformer).fit(table).set_params(**parameters)
    with pytest.raises(ValueError, match=error):
        fitted.fit(X)
    assert [name for name in vars(fitted) if name.endswith("_")] == []


# ------------------------------------------------------------------ warm start


@every_estimator
def test_warm_starts_add_up_to_one_long_fit(Estimator, table):
    # The learned variance of two fits is that of one from the third epoch on: it is set
    # exactly between them, and the running one kept.
    long = small(Estimator, max_epochs=4, batch_size=100).fit(table)
    short = small(Estimator, max_epochs=2, batch_size=100, warm_start=True)
    short.fit(table).fit(table)
    assert short.n_iter_ == 4
    for name in long.history_:
        np.testing.assert_allclose(short.history_[name], long.history_[name], rtol=1e-6)
    np.testing.assert_allclose(short.transform(table), long.transform(table), rtol=1e-6)


def test_a_warm_start_that_fails_leaves_the_state_before_it(table):
    fitted = small(VAETransformer, warm_start=True).fit(table)
    expected = fitted.transform(table)
    for X, error in ((np.full((4, 6), np.nan), "NaN"), (table[:, :3], "features")):
        with pytest.raises(ValueError, match=error):
            fitted.fit(X)
    with pytest.raises(ValueError, match="finite"):
        fitted.set_params(lr=1e20).fit(table)
    np.testing.assert_array_equal(fitted.transform(table), expected)
    assert fitted.n_iter_ == 2


def test_a_warm_start_cannot_change_the_network(table):
    fitted = small(VAETransformer, warm_start=True).fit(table).set_params(n_components=3)
    sentence = (
        "Further training needs n_components=2, with which the network was built. Got 3 instead. "
        "Set it back, or call fit with warm_start=False."
    )
    with pytest.raises(ValueError, match=message(sentence)):
        fitted.fit(table)
    assert fitted.transform(table).shape == (400, 2)


def test_a_pickled_warm_start_goes_on_as_if_never_pickled(table):
    fitted = small(VAETransformer, warm_start=True).fit(table)
    copied = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(
        fitted.fit(table).transform(table), copied.fit(table).transform(table)
    )


def test_a_warm_start_with_early_stopping_keeps_its_validation_rows_and_its_best(table):
    settings = {"early_stopping": True, "warm_start": True, "max_epochs": 3}
    fitted = small(VAETransformer, **settings).fit(table)
    seed, score = fitted._split_seed_, fitted.score(table)
    fitted.set_params(lr=3.0).fit(table)  # far too large: every epoch is worse than the start
    assert fitted._split_seed_ == seed
    assert fitted.score(table) > score - 1


def test_a_warm_start_with_another_optimizer_starts_without_state(table):
    for before, after in (("adam", "sgd"), ("sgd", "adam"), ("adam", torch.optim.Adagrad)):
        fitted = small(VAETransformer, warm_start=True, optimizer=before).fit(table)
        assert fitted.set_params(optimizer=after).fit(table).n_iter_ == 4


def test_what_a_callback_froze_is_free_in_the_next_fit(table):
    fitted = small(VAETransformer, warm_start=True, callbacks=[Freezer("encoder.*")]).fit(table)
    frozen = fitted.net_.module_.encoder.layers[0].weight.detach().clone()
    fitted.set_params(callbacks=None).fit(table)
    assert not torch.equal(fitted.net_.module_.encoder.layers[0].weight, frozen)


# ------------------------------------------------------------------ randomness


CODES = """
import sys
import numpy as np
import skvae
X = np.random.RandomState(0).standard_normal((300, 6))
for name in sys.argv[2:]:
    estimator = getattr(skvae, name)(2, max_epochs=3, random_state=7)
    np.save(f"{sys.argv[1]}/{name}.npy", estimator.fit_transform(X))
"""


def codes_of(Estimator):
    X = np.random.RandomState(0).standard_normal((300, 6))
    return Estimator(2, max_epochs=3, random_state=7).fit_transform(X)


@pytest.mark.usefixtures("two_threads")
@every_estimator
def test_an_int_gives_the_same_codes_everywhere(Estimator):
    expected = codes_of(Estimator)
    torch.manual_seed(99)
    np.random.seed(99)
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()
    np.testing.assert_array_equal(codes_of(Estimator), expected)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert np.random.get_state()[2] == numpy_state[2]
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state[1])
    for backend, n_jobs in (("threading", 4), ("loky", 2)):
        results = joblib.Parallel(n_jobs=n_jobs, backend=backend)(
            joblib.delayed(codes_of)(Estimator) for _ in range(4)
        )
        for codes in results:
            np.testing.assert_array_equal(codes, expected)


@pytest.mark.usefixtures("two_threads")
def test_another_process_gives_the_same_codes(tmp_path):
    names = [Estimator.__name__ for Estimator in ESTIMATORS]
    command = [sys.executable, "-c", CODES, str(tmp_path), *names]
    subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    for Estimator in ESTIMATORS:
        codes = np.load(tmp_path / f"{Estimator.__name__}.npy")
        np.testing.assert_array_equal(codes, codes_of(Estimator))


def test_none_follows_numpys_seed_and_a_random_state_moves_on(table):
    np.random.seed(3)
    first = small(VAETransformer, random_state=None).fit_transform(table)
    second = small(VAETransformer, random_state=None).fit_transform(table)
    np.random.seed(3)
    again = small(VAETransformer, random_state=None).fit_transform(table)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, second)
    moving = small(VAETransformer, random_state=np.random.RandomState(0))
    assert not np.array_equal(moving.fit_transform(table), moving.fit_transform(table))


def test_defaults_of_torch_are_left_alone(table):
    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    small(VAETransformer).fit(table).score_samples(table)
    assert torch.get_num_threads() == threads
    assert torch.get_default_dtype() == dtype


def test_a_callers_default_dtype_changes_nothing(table):
    expected = small(VAETransformer).fit_transform(table)
    torch.set_default_dtype(torch.float64)
    try:
        np.testing.assert_array_equal(small(VAETransformer).fit_transform(table), expected)
    finally:
        torch.set_default_dtype(torch.float32)


def test_concurrent_calls_equal_serial_ones(table):
    fitted = small(VAETransformer).fit(table)
    inputs = [table[:50].astype(np.float32), table[50:120]]
    expected = [fitted.transform(X) for X in inputs]
    with ThreadPoolExecutor(4) as pool:
        for index, codes in enumerate(pool.map(fitted.transform, inputs * 1000)):
            np.testing.assert_array_equal(codes, expected[index % 2])


# ------------------------------------------------------------------ the user's modules


@pytest.mark.filterwarnings("ignore:The divergence must be below")  # of random weights
@every_estimator
def test_users_modules_are_trained_and_seeded(Estimator, table):
    settings = {"encoder": Doubler, "decoder": Doubler}
    state = torch.get_rng_state()
    fitted = small(Estimator, **settings).fit(table)
    assert fitted.net_.module_.encoder.linear.weight.shape == (
        2 if Estimator is AutoencoderTransformer else 4,
        6,
    )
    assert not fitted.net_.module_.encoder.training
    np.testing.assert_array_equal(fitted.transform(table), fitted.transform(table))
    start = small(Estimator, lr=1e-30, max_epochs=1, **settings).fit(table)
    torch.set_rng_state(state)
    other = small(Estimator, lr=1e-30, max_epochs=1, **settings).fit(table)
    np.testing.assert_array_equal(start.transform(table), other.transform(table))
    assert not np.allclose(fitted.transform(table), start.transform(table))


def test_users_modules_share_no_random_numbers_with_ours(table):
    fitted = small(
        VAETransformer,
        n_components=4,
        hidden_layer_sizes=(),
        encoder=torch.nn.Linear,
        lr=1e-30,
        max_epochs=1,
    ).fit(table)
    encoder = fitted.net_.module_.encoder.weight.detach().ravel()
    decoder = fitted.net_.module_.decoder.output.weight.detach().ravel()
    assert abs(np.corrcoef(encoder[:24], decoder[:24])[0, 1]) < 0.7


def test_fitting_users_modules_leaves_the_global_generators_alone(table):
    torch.manual_seed(5)
    state = torch.get_rng_state()
    small(VAETransformer, encoder=torch.nn.Linear, decoder=torch.nn.Linear).fit(table)
    assert torch.equal(torch.get_rng_state(), state)


class Keeper(torch.nn.Linear):
    """A user's module that keeps its output, which cannot be deep-copied."""

    def forward(self, x):
        self.kept = super().forward(x)
        return self.kept


@pytest.mark.filterwarnings("ignore:The divergence must be below")  # of random weights
@every_estimator
def test_modules_that_keep_tensors_are_fitted_and_copied(Estimator, table):
    fitted = small(Estimator, encoder=Keeper, decoder=Keeper).fit(table)
    copied = copy.deepcopy(fitted)
    np.testing.assert_array_equal(copied.transform(table), fitted.transform(table))


class Narrow(VAETransformer):
    """A subclass in scikit-learn's style, with a constructor of its own."""

    def __init__(self, n_components=3, *, random_state=None):
        super().__init__(n_components, random_state=random_state, max_epochs=2)


def test_a_subclass_with_a_narrower_constructor_works(table):
    fitted = Narrow(2, random_state=0).fit(table)
    assert set(fitted.get_params()) == {"n_components", "random_state"}
    copied = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copied.transform(table), fitted.transform(table))


class Weighted(VAETransformer):
    """A subclass in scikit-learn's style, with a parameter of its own that the objective needs."""

    def __init__(self, n_components=10, *, max_epochs=100, warm_start=False, strength=3.0):
        super().__init__(n_components, max_epochs=max_epochs, warm_start=warm_start, random_state=0)
        self.strength = strength

    def _objective(self, n_samples):
        return BetaObjective(self.strength)


def test_a_subclass_whose_objective_has_a_parameter_lives_as_long_as_ours(table, tmp_path):
    fitted = Weighted(2, max_epochs=2, warm_start=True).fit(table)
    fitted.strength = 50.0  # set since: the fitted model is of the one before
    for _, copied in copies(fitted, tmp_path):
        np.testing.assert_array_equal(copied.transform(table), fitted.transform(table))
        assert copied.net_.criterion_.beta == 3.0
        assert copied.strength == 50.0
    other = Weighted(2, max_epochs=1).fit(table)
    other.load_weights(fitted.net_.module_.state_dict(), table)
    np.testing.assert_array_equal(other.transform(table), fitted.transform(table))
    again = copy.deepcopy(fitted).fit(table)
    assert again.n_iter_ == 4
    assert again.net_.criterion_.beta == 50.0
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(again)).fit(table).transform(table),
        again.fit(table).transform(table),
    )


class Blocks(VAETransformer):
    """A subclass with a parameter that can be changed in place."""

    def __init__(self, n_components=2, *, blocks=(8,)):
        super().__init__(n_components, max_epochs=1, random_state=0)
        self.blocks = blocks

    def _network(self, n_features):
        self_with_blocks = copy.copy(self)
        self_with_blocks.hidden_layer_sizes = self.blocks
        return VAETransformer._network(self_with_blocks, n_features)


def test_a_list_that_changes_after_fit_and_what_is_no_parameter_do_not_matter(table):
    blocks = [8, 4]
    fitted = Blocks(blocks=blocks)
    fitted.cache = table.repeat(100, 0)  # neither a parameter nor fitted
    fitted.fit(table)
    del fitted.cache
    blocks.append(3)
    pickled = pickle.dumps(fitted)
    assert len(pickled) < table.nbytes
    np.testing.assert_array_equal(pickle.loads(pickled).transform(table), fitted.transform(table))


# ------------------------------------------------------------------ persistence


def copies(fitted, folder):
    yield "pickle", pickle.loads(pickle.dumps(fitted))
    yield "deepcopy", copy.deepcopy(fitted)
    joblib.dump(fitted, folder / "fitted.joblib")
    yield "joblib", joblib.load(folder / "fitted.joblib")
    yield "mmap", joblib.load(folder / "fitted.joblib", mmap_mode="r")


@pytest.mark.parametrize(
    "estimator",
    [
        *(small(Estimator) for Estimator in ESTIMATORS),
        small(VAETransformer, noise_variance="per-feature"),
        small(VAETransformer, likelihood="bernoulli"),
        small(VAETransformer, encoder=Doubler, decoder=Doubler),
    ],
    ids=lambda e: type(e).__name__,
)
def test_copies_give_the_same_results(estimator, table, tmp_path):
    X = (table - table.min()) / np.ptp(table)
    fitted = clone(estimator).fit(X)
    fitted.set_params(n_components=5, hidden_layer_sizes=(3, 3))  # not those it was fitted with
    for _, copied in copies(fitted, tmp_path):
        for data in (X, X.astype(np.float32)):
            np.testing.assert_array_equal(copied.transform(data), fitted.transform(data))
            np.testing.assert_array_equal(copied.score_samples(data), fitted.score_samples(data))
        np.testing.assert_array_equal(
            copied.sample(3, random_state=0), fitted.sample(3, random_state=0)
        )
        np.testing.assert_array_equal(copied.net_.predict(X), fitted.net_.predict(X))
        assert copied.net_.history[-1, "train_loss"] == fitted.net_.history[-1, "train_loss"]
        assert copied.get_params() == fitted.get_params()
    assert not hasattr(clone(fitted), "net_")


@pytest.mark.filterwarnings("ignore:The divergence must be below")  # after an epoch
@every_estimator
def test_a_pickle_holds_little_more_than_the_weights(Estimator, digits):
    fitted = Estimator(max_epochs=3, random_state=np.random.RandomState(0)).fit(digits)
    n_weights = sum(weights.numel() for weights in fitted.net_.module_.parameters())
    assert len(pickle.dumps(fitted)) <= 1.3 * 4 * n_weights


def test_a_pickle_of_another_version_warns(table):
    fitted = small(VAETransformer).fit(table)
    state = fitted.__getstate__()
    state["_skvae_version"] = "0.0.1"
    with pytest.warns(UserWarning, match=r"^VAETransformer was pickled by skvae 0\.0\.1 and is "):
        VAETransformer.__new__(VAETransformer).__setstate__(state)


def test_a_memory_map_gives_what_the_array_does(table, tmp_path):
    np.save(tmp_path / "X.npy", table)
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    fitted = small(VAETransformer).fit(X)
    np.testing.assert_array_equal(
        fitted.transform(X), small(VAETransformer).fit(table).transform(table)
    )
