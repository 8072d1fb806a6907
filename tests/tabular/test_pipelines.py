"""An encoder before a VAE: searches, frames out, the detector, and rows drawn as a table."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sentences import exactly
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from skvae import AutoencoderOutlierDetector, VAETransformer
from skvae.tabular import TableEncoder, sample_frame

RNG = np.random.RandomState(0)
CITY = RNG.choice(["Rom", "Oslo", "Bern"], 120)
FRAME = pd.DataFrame(
    {
        "city": pd.Categorical(CITY),
        "rent": np.exp(RNG.standard_normal(120)) * np.where(CITY == "Oslo", 3.0, 1.0),
        "rooms": RNG.randint(1, 6, 120),
        "let": RNG.uniform(size=120) < 0.5,
        "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(RNG.randint(0, 900, 120), "D"),
    }
)
FRAME.loc[::7, "rent"] = np.nan
POLARS = pl.DataFrame({name: FRAME[name].tolist() for name in FRAME})


def pipeline():
    return make_pipeline(TableEncoder(), VAETransformer(2, max_epochs=3, random_state=0))


@pytest.mark.parametrize("frame", [FRAME, POLARS], ids=["pandas", "polars"])
def test_a_pipeline_is_scored_and_searched(frame):
    scores = cross_val_score(pipeline(), frame, cv=2)
    assert np.isfinite(scores).all()
    search = GridSearchCV(pipeline(), {"tableencoder__numeric": ["standard", "asinh"]}, cv=2)
    assert np.isfinite(search.fit(frame).cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("frame", [FRAME, POLARS], ids=["pandas", "polars"])
@pytest.mark.parametrize(("output", "kind"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
def test_codes_of_a_pipeline_are_frames_if_asked(frame, output, kind):
    plain = pipeline().fit(frame).transform(frame)
    codes = pipeline().set_output(transform=output).fit(frame).transform(frame)
    assert isinstance(codes, kind)
    assert list(codes.columns) == ["vaetransformer0", "vaetransformer1"]
    np.testing.assert_array_equal(codes.to_numpy(), plain)


@pytest.mark.parametrize("frame", [FRAME, POLARS], ids=["pandas", "polars"])
def test_a_detector_takes_the_table_and_names_its_columns(frame):
    detector = AutoencoderOutlierDetector(pipeline(), random_state=0).fit(frame)
    assert np.isfinite(detector.score_samples(frame)).all()
    explained = detector.explain(frame[:3], n_features=2)
    assert set(explained["column"]) <= set(FRAME.columns)


def test_text_has_no_squared_error():
    detector = AutoencoderOutlierDetector(pipeline(), anomaly_score="reconstruction")
    text = (
        "anomaly_score='reconstruction' needs rows that are numbers. Got a table with other "
        "columns instead. Set anomaly_score='likelihood'."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        detector.fit(FRAME)


@pytest.mark.parametrize("frame", [FRAME, POLARS], ids=["pandas", "polars"])
def test_drawn_rows_are_a_table_of_the_dtypes_fitted(frame):
    fitted = pipeline().fit(frame)
    drawn = sample_frame(fitted, 50, random_state=0)
    assert type(drawn) is type(frame)
    assert list(drawn.dtypes) == list(frame.dtypes)
    assert set(drawn["city"]) <= {"Rom", "Oslo", "Bern"}
    expected = fitted[0].inverse_transform(fitted[1].sample(50, random_state=0))
    assert drawn.equals(expected)
    assert not sample_frame(fitted, 50, random_state=1).equals(drawn)


def test_rows_are_drawn_from_searches_nested_pipelines_and_models_before_the_end():
    fitted = pipeline().fit(FRAME)
    expected = sample_frame(fitted, 5, random_state=0, observation_noise=True)
    search = GridSearchCV(pipeline(), {"tableencoder__numeric": ["auto"]}, cv=2).fit(FRAME)
    ended = make_pipeline(*pipeline(), LogisticRegression()).fit(FRAME, FRAME["let"])
    nested = make_pipeline(TableEncoder(), make_pipeline(pipeline()[1])).fit(FRAME)
    for other in (search, ended, nested):
        drawn = sample_frame(other, 5, random_state=0, observation_noise=True)
        pd.testing.assert_frame_equal(drawn, expected)


def test_a_pipeline_without_a_model_to_draw_from_is_refused():
    text = (
        "sample_frame needs a pipeline with a model that has the method sample. Got PCA as the "
        "last step instead. Use a VAE as this step."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        sample_frame(make_pipeline(TableEncoder(), PCA(1)).fit(FRAME))
