"""A table's encoder and an autoencoder as one: what it is equal to, folds, frames, refusals."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from saved_files import kept
from sentences import exactly
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.estimator_checks import parametrize_with_checks

import skvae
from skvae import AutoencoderOutlierDetector, SavingError, VAETransformer
from skvae.metrics import kl_decomposition
from skvae.model_selection import elbo_scorer
from skvae.tabular import TableEncoder, TableTransformer, sample_frame
from skvae.tabular.estimators import model_of_codes

RNG = np.random.RandomState(0)
N = 90
CITY = np.array(["Rom", "Oslo", "Bern"])[np.arange(N) % 3].astype(object)
CITY[:3] = ["Kyiv", "Riga", "Vaduz"]  # of the first fold alone
FRAME = pd.DataFrame(
    {
        "city": CITY,
        "rent": np.exp(RNG.standard_normal(N)),
        "rooms": pd.array(RNG.randint(1, 6, N), dtype="Int64"),
        "let": pd.array(RNG.uniform(size=N) < 0.5, dtype="boolean"),
        "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(RNG.randint(0, 900, N), "D"),
    },
    index=np.arange(N) + 1000,
)
HOLES = FRAME.mask(RNG.uniform(size=FRAME.shape) < 0.15)


def as_polars(frame):
    columns = {name: [None if pd.isna(x) else x for x in frame[name]] for name in frame}
    return pl.DataFrame(columns)


TABLES = {"pandas": HOLES, "polars": as_polars(HOLES)}
SMALL = {"hidden_layer_sizes": (8,), "max_epochs": 3, "random_state": 0}


def model(**params):
    return TableTransformer(VAETransformer(2, **{"missing": "mask", **SMALL, **params}))


@pytest.fixture(params=TABLES)
def table(request):
    return TABLES[request.param]


def test_it_is_the_pipeline_with_the_likelihoods_of_the_fitted_encoder(table):
    fitted = model().fit(table)
    encoder = TableEncoder(missing="keep").fit(table)
    vae = VAETransformer(2, likelihood=encoder.likelihoods_, missing="mask", **SMALL)
    pipeline = make_pipeline(encoder, vae).fit(table)
    codes = fitted.transform(table)
    np.testing.assert_array_equal(codes, pipeline.transform(table))
    np.testing.assert_array_equal(fitted.score_samples(table), pipeline.score_samples(table))
    assert fitted.score(table) == pipeline.score(table)
    assert fitted.inverse_transform(codes).equals(pipeline.inverse_transform(codes))
    drawn = fitted.sample(5, random_state=0)
    assert drawn.equals(sample_frame(pipeline, 5, random_state=0, observation_noise=True))
    means = fitted.sample(5, random_state=0, observation_noise=False)
    assert means.equals(sample_frame(fitted, 5, random_state=0))
    assert list(drawn.dtypes) == list(table.dtypes)


def test_folds_with_other_levels_are_scored_and_searched(table):
    y = np.arange(N) % 2
    folds = KFold(3)
    parts = [_safe_indexing(table, train) for train, _ in folds.split(y)]
    assert len({TableEncoder().fit(part)._n_features_out for part in parts}) > 1
    assert np.isfinite(cross_val_score(model(), table, cv=folds, error_score="raise")).all()
    pipeline = make_pipeline(model(), LogisticRegression())
    grid = {"tabletransformer__estimator__n_components": [1, 2]}
    search = GridSearchCV(pipeline, grid, cv=folds, error_score="raise").fit(table, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_clone_knows_nothing_of_a_fit_and_a_fit_changes_no_parameter():
    fitted = model().fit(FRAME)
    assert fitted.estimator.likelihood == "gaussian"
    assert not hasattr(fitted.estimator, "net_")
    again = clone(fitted)
    assert not hasattr(again, "pipeline_")
    np.testing.assert_array_equal(again.fit_transform(FRAME), fitted.transform(FRAME))


@pytest.mark.parametrize(("output", "kind"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
def test_features_are_frames_if_asked(table, output, kind):
    plain = model().fit(table).transform(table)
    features = model().set_output(transform=output).fit(table).transform(table)
    assert isinstance(features, kind)
    assert list(features.columns) == ["vaetransformer0", "vaetransformer1"]
    np.testing.assert_array_equal(features.to_numpy(), plain)
    inside = TableTransformer(
        VAETransformer(2, missing="mask", **SMALL),
        encoder=TableEncoder(missing="keep").set_output(transform=output),
    )
    np.testing.assert_array_equal(inside.fit_transform(table), plain)


@pytest.mark.parametrize("output", ["default", "pandas", "polars"])
@pytest.mark.parametrize("inner", ["default", "pandas", "polars"])
def test_features_come_back_as_the_table_fitted_whatever_set_output_asks_for(output, inner):
    estimator = VAETransformer(2, missing="mask", **SMALL).set_output(transform=inner)
    fitted = TableTransformer(estimator).fit(FRAME)
    features = fitted.transform(FRAME)
    expected = fitted.inverse_transform(features)
    assert expected.index.equals(pd.RangeIndex(N))
    fitted.set_output(transform=output)
    pd.testing.assert_frame_equal(fitted.inverse_transform(features), expected)
    framed = pd.DataFrame(features, index=FRAME.index)
    expected.index = FRAME.index
    pd.testing.assert_frame_equal(fitted.inverse_transform(framed), expected)
    assert list(fitted.sample(3, random_state=0).index) == [0, 1, 2]


def test_holes_are_filled_and_nothing_else_is_changed():
    fitted = model().fit(HOLES)
    filled = fitted.impute(HOLES)
    assert not filled.isna().any(axis=None)
    pd.testing.assert_frame_equal(filled.where(HOLES.notna()), HOLES)
    codes = fitted.pipeline_[-1].impute(fitted.pipeline_[0].transform(HOLES))
    expected = fitted.pipeline_[0].inverse_transform(codes).set_index(HOLES.index)
    pd.testing.assert_frame_equal(filled.mask(HOLES.notna()), expected.mask(HOLES.notna()))
    in_polars = model().fit(TABLES["polars"]).impute(TABLES["polars"])
    np.testing.assert_array_equal(in_polars["city"], filled["city"])
    assert in_polars.schema == TABLES["polars"].schema


def test_draws_are_tables_that_differ_in_the_holes_alone():
    one, two = model().fit(HOLES).impute(HOLES, n_draws=2, random_state=0)
    assert not one.equals(two)
    pd.testing.assert_frame_equal(one.where(HOLES.notna()), two.where(HOLES.notna()))


@pytest.mark.parametrize("dtype", [object, "category"])
def test_a_level_that_is_new_stays_where_others_are_filled(dtype):
    new = HOLES[:6].astype({"city": object})
    new.loc[new.index[:2], "city"] = ["Lima", None]
    new = new.astype({"city": dtype})
    filled = model().fit(HOLES.astype({"city": dtype})).impute(new)
    assert filled["city"].iloc[0] == "Lima"
    assert not filled.isna().any(axis=None)
    assert filled["city"].dtype == dtype


def test_holes_in_columns_that_had_none_are_filled_and_an_empty_column_stays_empty():
    frame = FRAME.assign(nothing=np.nan)
    fitted = model().fit(frame)
    row = frame[:1].assign(rent=np.nan, since=pd.NaT)
    filled = fitted.impute(row)
    assert filled.notna().to_numpy().tolist() == [[True] * 5 + [False]]
    assert np.isfinite(fitted.score_samples(row)).all()


@pytest.mark.parametrize(
    ("dtype", "new", "expected"),
    [
        ("int64", [3.0, np.nan, 2.0], "int64"),
        ("int64", [3.0, np.nan, 2.5], "float64"),
        ("int8", [3.0, np.nan, 300.0], "float64"),
        ("float32", [3.0, np.nan, 0.1], "float64"),
        ("bool", [True, None, False], "bool"),
        ("category", [1, None, 77], "float64"),
        ("category", [1, None, 0], "category"),
        ("Sparse[float64]", pd.arrays.SparseArray([3.0, np.nan, 0.0]), "Sparse[float64]"),
    ],
)
def test_what_was_there_stays_whatever_dtype_was_fitted(dtype, new, expected):
    values = np.resize(np.array([0, 1], dtype=bool if dtype == "bool" else int), N)
    frame = FRAME.assign(rooms=values).astype({"rooms": dtype})
    row = frame[:3].assign(rooms=pd.Series(new, index=frame.index[:3]))
    filled = model().fit(frame).impute(row)["rooms"]
    assert filled.notna().all()
    assert filled.dtype == expected
    assert filled.iloc[[0, 2]].tolist() == [new[0], new[2]]


def test_arrays_are_tables_too():
    X = RNG.standard_normal((40, 3))
    X[::5, 1] = np.nan
    filled = model().fit(X).impute(X)
    np.testing.assert_array_equal(filled[~np.isnan(X)], X[~np.isnan(X)])
    assert not np.isnan(filled).any()


def test_it_goes_wherever_a_pipeline_goes():
    fitted = model().fit(HOLES)
    pipeline = fitted.pipeline_
    assert kl_decomposition(fitted, HOLES).kl == kl_decomposition(pipeline, HOLES).kl
    assert elbo_scorer(fitted, HOLES) == elbo_scorer(pipeline, HOLES)
    detector = AutoencoderOutlierDetector(model(), random_state=0).fit(HOLES)
    explained = detector.explain(HOLES[:2], n_features=2)
    assert set(explained["column"]) <= set(FRAME)


@pytest.mark.parametrize("name", TABLES)
def test_a_file_keeps_it(name, tmp_path):
    fitted = model().set_output(transform="pandas").fit(TABLES[name])
    loaded = kept(fitted, tmp_path)
    assert loaded.transform(TABLES[name]).equals(fitted.transform(TABLES[name]))
    assert loaded.impute(TABLES[name]).equals(fitted.impute(TABLES[name]))
    assert repr(loaded) == repr(fitted)


def without_a_column(fitted):
    fitted.pipeline_.steps[0] = ("encoder", TableEncoder(missing="keep").fit(HOLES[["rent"]]))


def without_a_code(fitted):
    fitted.pipeline_.steps[0] = ("encoder", TableEncoder().fit(HOLES))


def without_a_fit(fitted):
    fitted.pipeline_.steps[1] = ("estimator", VAETransformer(2))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (without_a_column, "an encoder of 5 columns as estimator.pipeline_. Got one of 1"),
        (without_a_code, "an estimator of 16 codes as estimator.pipeline_. Got one of 11"),
        (without_a_fit, "a fitted encoder and a fitted variational autoencoder as estimator.pipe"),
    ],
)
def test_a_file_whose_parts_do_not_fit_together_is_refused(change, text, tmp_path):
    fitted = model().fit(HOLES)
    change(fitted)
    skvae.save(fitted, tmp_path / "changed")
    with pytest.raises(SavingError, match=f"^The file must hold {re.escape(text)}"):
        skvae.load(tmp_path / "changed")


def test_by_default_it_is_a_model_that_knows_of_holes_with_a_seed_of_its_own():
    vae = model_of_codes(None, 0)
    assert (vae.missing, vae.noise_variance) == ("mask", "per-feature")
    assert vae.random_state == model_of_codes(VAETransformer(), 0).random_state
    assert model_of_codes(VAETransformer(random_state=5), 0).random_state == 5


def test_a_model_that_knows_of_no_holes_has_them_indicated_and_fills_none():
    fitted = model(missing=None).fit(HOLES)
    assert fitted.pipeline_[0].missing == "indicator"
    assert not hasattr(fitted, "impute")


def test_holes_that_codes_do_not_show_are_not_filled():
    table = model().set_params(encoder=TableEncoder()).fit(HOLES)
    text = (
        "impute needs an encoder that keeps missing values as NaN. Got TableEncoder() instead. "
        "Set its missing='keep', and fit."
    )
    with pytest.raises(AttributeError) as raised:
        table.impute(HOLES)
    assert str(raised.value.__cause__) == text


def test_a_further_fit_goes_on_where_it_starts_warm():
    table = model(warm_start=True, max_epochs=2).fit(HOLES)
    first = table.pipeline_[-1]
    table.fit(HOLES)
    vae = clone(first)
    codes = table.pipeline_[0].transform(HOLES)
    again = vae.fit(codes).fit(codes)
    np.testing.assert_array_equal(table.transform(HOLES), again.transform(codes))
    assert first.n_iter_ == 2
    text = (
        "With warm_start=True, a table must have the columns and levels of the last fit. Got a "
        "table with other codes instead. Set warm_start=False."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        table.fit(HOLES.assign(city="Rom"))
    assert not hasattr(table, "pipeline_")


@pytest.mark.parametrize(
    ("estimator", "text"),
    [
        (
            PCA(2),
            "TableTransformer needs a variational autoencoder, which has a likelihood for every "
            "column. Got PCA instead. Put it after a TableEncoder in a Pipeline.",
        ),
        (
            VAETransformer(2, likelihood="bernoulli"),
            "TableTransformer takes the likelihood from its encoder. Got an estimator with "
            "likelihood='bernoulli' instead. Leave it at the default.",
        ),
    ],
)
def test_other_estimators_are_refused_in_a_sentence(estimator, text):
    with pytest.raises(ValueError, match=exactly(text)):
        TableTransformer(estimator).fit(FRAME)


@parametrize_with_checks([TableTransformer(VAETransformer(2, **SMALL))])
def test_scikit_learn_check_passes(estimator, check):
    check(estimator)
