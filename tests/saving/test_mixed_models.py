"""Models of mixed columns and of holes, and the imputer, in files."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from own_modules import all_columns
from saved_files import kept, must_hold, resealed
from sklearn.compose import make_column_selector
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

import skvae
from skvae import SavingError, VAEImputer, VAETransformer

SMALL = {"hidden_layer_sizes": (6,), "max_epochs": 2, "random_state": 0}
KINDS = [
    ("gaussian", ["age", "size"]),
    ("bernoulli", "owner"),
    ("poisson", "claims"),
    ("negative-binomial", [4]),
    ("categorical", "region"),
]


def table():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": rng.normal(size=80),
            "size": rng.normal(size=80),
            "owner": rng.integers(2, size=80),
            "claims": rng.poisson(2.0, size=80),
            "visits": rng.negative_binomial(2, 0.3, size=80),
            "region": rng.integers(4, size=80) * 3,
        }
    ).astype(float)


def holes():
    frame = table()
    return frame.mask(np.random.default_rng(1).random(frame.shape) < 0.2)


MODELS = {
    "mixed": VAETransformer(2, likelihood=KINDS, **SMALL),
    "per-feature": VAETransformer(2, likelihood=KINDS, noise_variance="per-feature", **SMALL),
    "slices and selectors": VAETransformer(
        2,
        likelihood=[
            ("gaussian", slice("age", "owner")),
            ("poisson", make_column_selector("claims|visits")),
            ("categorical", slice(-1, None)),
        ],
        **SMALL,
    ),
    "warm": VAETransformer(2, likelihood=KINDS, missing="mask", warm_start=True, **SMALL),
    "counts": VAETransformer(2, likelihood="poisson", **SMALL),
    "mask": VAETransformer(2, missing="mask", **SMALL),
    "functions": VAETransformer(2, likelihood=[("gaussian", all_columns)], **SMALL),
}


def rows_for(model):
    rows = table() if model.missing is None else holes()
    return rows.abs().round() if model.likelihood == "poisson" else rows


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_several_kinds_or_holes_is_the_same_when_loaded(name, tmp_path):
    X = rows_for(MODELS[name])
    fitted = MODELS[name].fit(X)
    loaded = kept(fitted, tmp_path, trusted=["own_modules.all_columns"])
    for again in (loaded, pickle.loads(pickle.dumps(loaded))):
        for method in ("transform", "score_samples", "reconstruct", "log_likelihood"):
            options = {"random_state": 0} if method == "log_likelihood" else {}
            found, expected = (getattr(one, method)(X, **options) for one in (again, fitted))
            np.testing.assert_array_equal(found, expected)
        if fitted.missing:
            np.testing.assert_array_equal(again.impute(X), fitted.impute(X))
    draws = [one.sample(5, random_state=0, observation_noise=True) for one in (loaded, fitted)]
    np.testing.assert_array_equal(*draws)
    assert vars(loaded).keys() == vars(fitted).keys()
    assert loaded._parts_ == fitted._parts_
    found, expected = (re.sub("0x[0-9a-f]+", "", repr(one)) for one in (loaded, fitted))
    assert found == expected
    if fitted.warm_start:
        loaded.fit(X), fitted.fit(X)
        loaded.partial_fit(X[:40]), fitted.partial_fit(X[:40])
        np.testing.assert_array_equal(loaded.score_samples(X), fitted.score_samples(X))


def test_a_column_without_any_value_stays_one(tmp_path):
    X = holes().assign(age=np.nan)
    fitted = VAETransformer(2, missing="mask", **SMALL).fit(X)
    np.testing.assert_array_equal(kept(fitted, tmp_path).impute(X), fitted.impute(X))


@pytest.mark.parametrize("keep_empty_features", [False, True])
@pytest.mark.parametrize("add_indicator", [False, True])
def test_an_imputer_is_the_same_when_loaded(keep_empty_features, add_indicator, tmp_path):
    X = holes().assign(size=np.nan)
    X["owner"] = table()["owner"]
    options = {"keep_empty_features": keep_empty_features, "add_indicator": add_indicator}
    fitted = VAEImputer(VAETransformer(2, missing="mask", **SMALL), **options)
    fitted.set_output(transform="pandas").fit(X)
    loaded = kept(fitted, tmp_path)
    assert vars(loaded).keys() == vars(fitted).keys()
    for again in (loaded, pickle.loads(pickle.dumps(loaded))):
        pd.testing.assert_frame_equal(again.transform(X), fitted.transform(X))
    if add_indicator:
        found, expected = vars(loaded.indicator_), vars(fitted.indicator_)
        assert repr(found) == repr(expected)


def test_an_imputer_is_a_step_of_a_pipeline_when_loaded(tmp_path):
    X = holes()
    pipe = make_pipeline(VAEImputer(random_state=0), LinearRegression())
    pipe.set_params(vaeimputer__estimator=VAETransformer(2, missing="mask", **SMALL))
    fitted = pipe.fit(X, np.arange(80.0))
    np.testing.assert_array_equal(kept(fitted, tmp_path).predict(X), fitted.predict(X))


# ------------------------------------------------------------------ what is refused


def fill(array, place, value):
    def edit(document, arrays):
        arrays[array] = arrays[array].copy()
        arrays[array].flat[place] = value

    return edit


def cut(array):
    return lambda document, arrays: arrays.update({array: arrays[array][:-1]})


def fitted_as(name, value):
    return lambda document, arrays: document["estimator"]["fitted"].update({name: value})


def without(name):
    return lambda document, arrays: document["estimator"]["fitted"].pop(name)


def without_parts(document, arrays):
    document["estimator"]["fitted"].pop("_parts_")
    for name in ("sizes", "columns", "levels"):
        arrays.pop(f"{PARTS}.{name}")


PARTS = "estimator._parts_"
EACH_ONCE = ("every one of 6 columns once, and levels", PARTS, "others")
SIZES = ("columns and levels of the sizes that it tells", PARTS, "others")
ORDERED = ["gaussian", "bernoulli", "poisson", "negative-binomial", "categorical"]
REFUSED = [
    (without_parts, "kinds of columns where there are several, or holes", PARTS, "others"),
    (fitted_as("_parts_", "gaussian"), "kinds of columns", PARTS, "gaussian"),
    (fitted_as("_parts_", ORDERED[:-1]), *SIZES),
    (fitted_as("_parts_", []), *SIZES),
    (fill(f"{PARTS}.sizes", 0, 2**62), *SIZES),
    (fill(f"{PARTS}.sizes", 0, -1), *SIZES),
    (cut(f"{PARTS}.levels"), *SIZES),
    (fitted_as("_parts_", [*ORDERED[:-1], "os.system"]), *EACH_ONCE),
    (fitted_as("_parts_", [*ORDERED[:-1], "poisson"]), *EACH_ONCE),  # which has no levels
    (fill(f"{PARTS}.columns", 0, 1), *EACH_ONCE),
    (fill(f"{PARTS}.columns", 0, 6), *EACH_ONCE),
    (fill(f"{PARTS}.levels", 0, 3.0), *EACH_ONCE),
    (fill(f"{PARTS}.levels", 0, np.nan), *EACH_ONCE),
    (fill(f"{PARTS}.levels", 0, -np.inf), *EACH_ONCE),
    (fill(f"{PARTS}.levels", 0, 0.5), *EACH_ONCE),
    (
        fitted_as("_parts_", ["gaussian", "poisson", "bernoulli", *ORDERED[3:]]),
        "the columns that the likelihood names",
        PARTS,
        "others",
    ),
    (
        without("noise_variance_"),
        "noise_variance_ where columns are gaussian",
        "estimator",
        "another thing",
    ),
    (
        lambda document, arrays: arrays.update({"estimator.dispersion_": np.ones(2)}),
        "n_dispersions=2 as elsewhere",
        "estimator",
        "1",
    ),
]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    path = tmp_path_factory.mktemp("mixed") / "model"
    skvae.save(MODELS["mixed"].fit(table()), path)
    return path.read_bytes()


@pytest.mark.parametrize(("edit", "expected", "place", "got"), REFUSED, ids=range(len(REFUSED)))
def test_parts_that_do_not_fit_together_are_refused(edit, expected, place, got, original, tmp_path):
    path = tmp_path / "changed"
    path.write_bytes(original)
    resealed(path, edit)
    with pytest.raises(SavingError, match=f"^{re.escape(must_hold(expected, place, got))}$"):
        skvae.load(path)


def test_more_levels_than_there_are_weights_for_are_refused_before_a_table_of_them(
    original, tmp_path
):
    n = 2100  # columns of one level each: the table of which level is of which column has n**2

    def edit(document, arrays):
        fitted = document["estimator"]["fitted"]
        del fitted["feature_names_in_"]
        for name in ("utf8", "lengths"):
            del arrays[f"estimator.feature_names_in_.{name}"]
        fitted.update(n_features_in_=n, _parts_=["categorical"] * n)
        arrays[f"{PARTS}.sizes"] = np.ones((n, 2), dtype=np.int64)
        arrays[f"{PARTS}.columns"] = np.arange(n)
        arrays[f"{PARTS}.levels"] = np.zeros(n)

    path = tmp_path / "changed"
    path.write_bytes(original)
    resealed(path, edit)
    sentence = must_hold("as many categories as its weights are of", PARTS, "more")
    with pytest.raises(SavingError, match=f"^{re.escape(sentence)}$"):
        skvae.load(path)


INDICATED = ("columns below 6 in order", "estimator.indicator_", "others")


def of_fewer_columns(document, arrays):
    document["estimator"]["fitted"]["n_features_in_"] = 5
    arrays["estimator._empty_"] = arrays["estimator._empty_"][:5]


@pytest.mark.parametrize(
    ("edit", "expected", "place", "got"),
    [
        (fill("estimator.indicator_", -1, 6), *INDICATED),
        (fill("estimator.indicator_", 0, -1), *INDICATED),
        (fill("estimator.indicator_", 0, 1), *INDICATED),
        (cut("estimator._empty_"), "n_columns=5 as elsewhere", "estimator", "6"),
        (
            of_fewer_columns,
            "an estimator of 5 columns",
            "estimator.estimator_",
            "one of 6",
        ),
    ],
)
def test_an_imputer_that_does_not_fit_together_is_refused(edit, expected, place, got, tmp_path):
    X = holes().to_numpy()
    imputer = VAEImputer(VAETransformer(2, missing="mask", **SMALL), add_indicator=True).fit(X)
    path = tmp_path / "changed"
    skvae.save(imputer, path)
    resealed(path, edit)
    with pytest.raises(SavingError, match=f"^{re.escape(must_hold(expected, place, got))}$"):
        skvae.load(path)


def test_an_imputer_whose_estimator_imputes_nothing_is_refused(tmp_path):
    imputer = VAEImputer(VAETransformer(2, missing="mask", **SMALL)).fit(holes())
    imputer.estimator_ = VAETransformer(2)
    skvae.save(imputer, tmp_path / "changed")
    with pytest.raises(
        SavingError, match=r"a fitted estimator with impute as estimator\.estimator_"
    ):
        skvae.load(tmp_path / "changed")
