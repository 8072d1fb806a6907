"""What the methods of every transformer return, and what they leave as it is."""

import numpy as np
import pandas as pd
import pytest
import torch
from sentences import exactly
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from small_transformers import every_estimator, small

from skvae import BetaVAETransformer, VAETransformer


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
    with pytest.raises(ValueError, match=exactly(sentence)):
        fitted.inverse_transform(table[:, :3])
    sentence = f"X has 5 features, but {name} is expecting 6 features as input."
    with pytest.raises(ValueError, match=exactly(sentence)):
        fitted.transform(table[:, :5])


def test_a_memory_map_gives_what_the_array_does(table, tmp_path):
    np.save(tmp_path / "X.npy", table)
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    fitted = small(VAETransformer).fit(X)
    np.testing.assert_array_equal(
        fitted.transform(X), small(VAETransformer).fit(table).transform(table)
    )
