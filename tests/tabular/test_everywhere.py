"""Models of mixed columns, of holes and of tables, wherever fitted models go."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sentences import exactly
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skvae import (
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
    BetaTCVAETransformer,
    BetaVAETransformer,
    VAETransformer,
)
from skvae.metrics import (
    active_units,
    gaussian_total_correlation,
    kl_decomposition,
    latent_loadings,
    latent_summary,
    sap_score,
)
from skvae.model_selection import (
    active_units_scorer,
    beta_curve,
    downstream_scorer,
    elbo_scorer,
    latent_scorer,
    log_likelihood_scorer,
    rank_unsupervised,
    reconstruction_scorer,
    suggest_beta,
    total_correlation_scorer,
)
from skvae.plotting import (
    LatentSpaceDisplay,
    LatentSummaryDisplay,
    LatentTraversalDisplay,
    ReconstructionDisplay,
    ReconstructionErrorDisplay,
    SampleDisplay,
    TrainingCurveDisplay,
)
from skvae.tabular import TableEncoder, TableTransformer

RNG = np.random.default_rng(0)
N = 60
AGE = RNG.normal(size=N)
WHOLE = pd.DataFrame(
    {
        "age": AGE,
        "income": 2 * AGE + RNG.normal(size=N),
        "owner": (AGE > 0).astype(float),
        "claims": RNG.poisson(np.exp(AGE)).astype(float),
        "region": RNG.integers(3, size=N).astype(float),
        "is_a": (AGE > 0.5).astype(float),
        "is_b": (AGE <= 0.5).astype(float),
    }
)
KINDS = [
    ("gaussian", ["age", "income"]),
    ("bernoulli", "owner"),
    ("poisson", "claims"),
    ("categorical", "region"),
    ("categorical", ["is_a", "is_b"]),
]
HOLES = WHOLE.mask(RNG.uniform(size=WHOLE.shape) < 0.15)
HOLES.loc[HOLES[["is_a", "is_b"]].isna().any(axis=1), ["is_a", "is_b"]] = np.nan
TABLE = HOLES[["age", "claims"]].assign(city=np.where(AGE > 0, "Rom", None), flag=AGE > 1)
GROUPS = (AGE > 0).astype(int)
SMALL = {"hidden_layer_sizes": (4,), "max_epochs": 2, "random_state": 0}
MASK = {"missing": "mask", **SMALL}
CASES = {
    "mixed": (VAETransformer(2, likelihood=KINDS, **SMALL), WHOLE),
    "mask": (VAETransformer(2, **MASK), HOLES),
    "both": (BetaVAETransformer(2, likelihood=KINDS, **MASK), HOLES),
    "tc": (BetaTCVAETransformer(2, likelihood=KINDS, **MASK), HOLES),
    "table": (TableTransformer(VAETransformer(2, **MASK)), TABLE),
}


@pytest.fixture(scope="module", params=CASES)
def fitted(request):
    estimator, X = CASES[request.param]
    return clone(estimator).fit(X), X


@pytest.mark.parametrize(
    "scorer",
    [
        elbo_scorer,
        log_likelihood_scorer,
        reconstruction_scorer,
        active_units_scorer,
        total_correlation_scorer,
    ],
)
def test_scorers_are_numbers(fitted, scorer):
    assert np.isfinite(scorer(*fitted))


def test_scorers_of_codes_are_numbers(fitted):
    assert np.isfinite(latent_scorer(sap_score)(*fitted, GROUPS[:, None]))
    assert 0 <= downstream_scorer(LogisticRegression())(*fitted, GROUPS) <= 1


@pytest.mark.filterwarnings("ignore:The mean divergence should be below")
def test_metrics_are_numbers(fitted):
    parts = kl_decomposition(*fitted)
    assert parts.kl == pytest.approx(latent_summary(*fitted)["kl"].sum(), rel=1e-6)
    assert np.isfinite([active_units(*fitted), gaussian_total_correlation(*fitted)]).all()
    assert np.isfinite(latent_loadings(*fitted)).all()


def test_rankings_are_numbers(fitted):
    model, X = fitted
    other = clone(model)
    other.set_params(**{name: 1 for name in other.get_params() if name.endswith("random_state")})
    ranking = rank_unsupervised([model, other.fit(X)], X)
    assert np.isfinite(ranking.scores).all()


@pytest.mark.parametrize("case", ["both", "tc"])
def test_curves_along_beta_are_numbers(case):
    estimator, X = CASES[case]
    curve = beta_curve(estimator, X, betas=[1.0, 2.0], warm_epochs=1)
    assert np.isfinite([curve.elbo, curve.kl, curve.reconstruction]).all()


@pytest.mark.parametrize("options", [{"warm_epochs": 1}, {"warm_start": False}, {"cv": 2}])
def test_a_curve_of_a_table_is_that_of_the_pipeline(options):
    vae, encoder = BetaVAETransformer(2, **MASK), TableEncoder(missing="keep")
    options = {"betas": [4.0, 1.0], "random_state": 0, "return_estimators": True, **options}
    kinds = clone(encoder).fit(TABLE).likelihoods_
    pipe = make_pipeline(encoder, clone(vae).set_params(likelihood=kinds))
    expected = beta_curve(pipe, TABLE, param_name="betavaetransformer__beta", **options)
    table = TableTransformer(vae)
    curve = beta_curve(table, TABLE, param_name="estimator__beta", **options)
    np.testing.assert_array_equal(curve.elbo, expected.elbo)
    np.testing.assert_array_equal(curve.kl_per_dimension, expected.kl_per_dimension)
    first = curve.estimators.flat[0]
    assert (first.estimator.beta, first.estimator.warm_start) == (4.0, False)
    text = (
        "param_name must be a parameter of TableTransformer. Got 'beta' instead. Use one of its "
        "get_params(), such as 'estimator__beta'."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        beta_curve(table, TABLE, **options)


def test_loadings_are_means_over_what_was_observed():
    model, X = CASES["both"][0], HOLES
    fitted = clone(model).fit(X)
    loadings = latent_loadings(fitted, X)
    for place in (0, 3):
        observed = X[X.iloc[:, place].notna()]
        np.testing.assert_allclose(
            latent_loadings(fitted, observed)[:, place], loadings[:, place], rtol=1e-5
        )
    assert (loadings[:, 4] == 0).all()
    step = pd.DataFrame(0.0, HOLES.index, HOLES.columns).assign(claims=1e-3)
    rows = WHOLE.assign(claims=WHOLE["claims"] + 1)
    slopes = (fitted.transform(rows + step) - fitted.transform(rows - step)) / 2e-3
    expected = np.abs(slopes).mean(axis=0)
    np.testing.assert_allclose(latent_loadings(fitted, rows)[:, 3], expected, rtol=1e-3)


def test_displays_draw_numbers(fitted):
    model, X = fitted
    SampleDisplay.from_estimator(model, X, n_samples=20, random_state=0)
    LatentSpaceDisplay.from_estimator(model, X, GROUPS)
    LatentSummaryDisplay.from_estimator(model, X)
    errors = ReconstructionErrorDisplay.from_estimator(model, X, GROUPS, row=3)
    assert np.isfinite(errors.errors).all()
    widths = [bar.get_width() for bar in errors.axes_[1].patches]
    assert np.isfinite(widths).all()
    assert len(widths) == np.isfinite(errors.contributions).sum()
    if not isinstance(model, TableTransformer):
        TrainingCurveDisplay.from_estimator(model)


@pytest.mark.parametrize("case", ["mixed", "mask", "both", "tc"])
def test_lines_are_in_units_of_what_was_observed_and_have_gaps_where_nothing_was(case):
    estimator, X = CASES[case]
    model = clone(estimator).fit(X)
    shown = ReconstructionDisplay.from_estimator(model, X)
    np.testing.assert_allclose(shown.form.mean, X.mean())
    np.testing.assert_allclose(shown.form.std, X.std(ddof=0))
    (rows,) = shown.reconstructions.values()
    assert np.isfinite(rows).all()
    moved = LatentTraversalDisplay.from_estimator(model, X, x=X[:1])
    assert np.isfinite(moved.form.values(moved.rows)).all()


def test_a_column_that_was_never_observed_is_drawn_at_zero():
    empty = HOLES.assign(income=np.nan)
    shown = ReconstructionDisplay.from_estimator(VAETransformer(2, **MASK).fit(empty), empty)
    assert (shown.form.mean[1], shown.form.std[1]) == (0, 1)


@pytest.mark.parametrize("display", [ReconstructionDisplay, LatentTraversalDisplay])
def test_text_has_no_lines_and_its_codes_have(display):
    model = clone(CASES["table"][0]).fit(TABLE)
    text = (
        "Rows are drawn as lines over numbers. Got a table with other columns instead. Give the "
        "model behind its encoder and the codes, as in pipe[-1] and pipe[:-1].transform(X), where "
        "pipe is the Pipeline, or pipeline_ of a TableTransformer."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        display.from_estimator(model, TABLE)
    pipe = model.pipeline_
    display.from_estimator(pipe[-1], pipe[:-1].transform(TABLE))


def test_numbers_and_booleans_beside_each_other_have_lines():
    frame = TABLE[["age", "flag"]].fillna(0)
    pipe = make_pipeline(TableEncoder(), VAETransformer(1, **SMALL)).fit(frame)
    shown = ReconstructionDisplay.from_estimator(pipe, frame)
    np.testing.assert_array_equal(shown.X, frame[:4].astype(float))


def test_a_detector_of_each_is_drawn(fitted):
    model, X = fitted
    detector = AutoencoderOutlierDetector(clone(model), n_refits=0, random_state=0).fit(X)
    shown = ReconstructionErrorDisplay.from_estimator(detector, X, row=3)
    assert np.isfinite(shown.errors).all()
    assert np.isfinite(shown.contributions).all()


@pytest.mark.parametrize("noise_variance", ["learned", "pca", 0.5])
def test_no_beta_is_suggested_for_rows_with_holes(noise_variance):
    text = (
        "suggest_beta needs rows in which everything was observed. Got NaN instead. Fill it, as a "
        "VAEImputer does, or leave such rows out."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        suggest_beta(HOLES, 2, noise_variance=noise_variance)


FRAMES = {
    "text": (pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": ["x", "1", "y"]}), None),
    "category": (
        pd.DataFrame({"a": [0.0, 1, 2], "b": pd.Categorical(["x", "y", "x"])}),
        "category",
    ),
    "date": (pd.DataFrame({"a": [0.0, 1, 2], "b": pd.Timestamp("2020").as_unit("ns")}), None),
    "polars": (pl.DataFrame({"a": [0.0, 1.0, 2.0], "b": ["x", "1", "y"]}), "String"),
}


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("Estimator", [AutoencoderTransformer, VAETransformer])
def test_frames_with_other_columns_are_told_of_the_encoder(name, Estimator):
    frame, dtype = FRAMES[name]
    text = (
        f"X must be rows of numbers. Got a column 'b' of {dtype or frame['b'].dtype} instead. "
        f"Encode it, as a TableTransformer does, or a TableEncoder in a Pipeline."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        Estimator(1, **SMALL).fit(frame)


def test_a_detector_has_no_transformer_of_its_own_for_text():
    text = (
        "The default transformer of a detector needs rows of numbers. Got a table with other "
        "columns instead. Pass a transformer that accepts them, such as a TableTransformer."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        AutoencoderOutlierDetector().fit(TABLE)
