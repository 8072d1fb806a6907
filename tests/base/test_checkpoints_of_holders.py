"""Checkpoints of estimators that hold a transformer: of tables, and of the imputer."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from killed_steps import always_written, assert_same, resumed_in_every_epoch
from sklearn.base import clone

from skvae import SavingError, VAEImputer, VAETransformer
from skvae.tabular import TableEncoder, TableTransformer

SMALL = {"hidden_layer_sizes": (4,), "max_epochs": 3, "batch_size": 30, "lr": 0.01}
MASK = {"missing": "mask", **SMALL}
N = 80
RNG = np.random.RandomState(0)
COLUMNS = {
    "income": np.exp(RNG.normal(size=N)).tolist(),
    "job": RNG.choice(["nurse", "smith", "judge"], N).tolist(),
    "since": pd.date_range("2020-01-01", periods=N).to_pydatetime().tolist(),
}
FRAME = pd.DataFrame(COLUMNS)
STOPS = {"early_stopping": True, "tol": 0.0, "n_iter_no_change": 3}
TABLE = TableTransformer(VAETransformer(2, **MASK), random_state=0)

_always_written = pytest.fixture(autouse=True)(always_written)


def trained(holder):
    return holder.estimator_ if isinstance(holder, VAEImputer) else holder.pipeline_[1]


@pytest.mark.parametrize("library", [pd, pl])
@pytest.mark.parametrize("stops", [False, True])
def test_a_table_killed_in_every_epoch_ends_as_if_it_had_not_been(stops, library, tmp_path):
    frame = library.DataFrame(COLUMNS)
    table = TableTransformer(VAETransformer(2, **MASK, **(STOPS if stops else {})), random_state=0)
    options = {"X_val": frame[60:]} if stops else {}
    rows = frame[:60]
    whole = clone(table).fit(rows, **options)
    options["checkpoint"] = tmp_path / "fit"
    resumed = resumed_in_every_epoch(lambda: clone(table).fit(rows, **options), trained)
    codes = [one.pipeline_[0].transform(frame) for one in (resumed, whole)]
    assert_same(resumed.pipeline_[1], whole.pipeline_[1], codes[0])
    np.testing.assert_array_equal(*codes)
    assert resumed.sample(5, random_state=0).equals(whole.sample(5, random_state=0))


def test_an_imputer_killed_in_every_epoch_ends_as_if_it_had_not_been(table, tmp_path):
    X = np.where(RNG.random(table[:90].shape) < 0.2, np.nan, table[:90])
    imputer = VAEImputer(VAETransformer(2, **MASK, **STOPS), add_indicator=True, random_state=0)
    whole = clone(imputer).fit(X[:70], X_val=X[70:])
    resumed = resumed_in_every_epoch(
        lambda: clone(imputer).fit(X[:70], X_val=X[70:], checkpoint=tmp_path / "fit"), trained
    )
    assert_same(resumed.estimator_, whole.estimator_, X)
    np.testing.assert_array_equal(resumed.transform(X), whole.transform(X))


@pytest.mark.parametrize("kind", ["table", "imputer"])
def test_without_a_seed_a_fit_goes_on_with_the_one_it_drew(kind, table, tmp_path):
    estimator = VAETransformer(2, **MASK)
    holder, X = (
        (TableTransformer(estimator), FRAME)
        if kind == "table"
        else (VAEImputer(estimator), table[:60])
    )
    path = tmp_path / "fit"
    resumed = resumed_in_every_epoch(lambda: clone(holder).fit(X, checkpoint=path), trained)
    again = clone(holder).fit(X, checkpoint=path)
    np.testing.assert_array_equal(again.transform(X), resumed.transform(X))


def test_a_validation_table_is_that_of_the_estimator_behind_the_encoder():
    stopping = VAETransformer(2, **MASK, **STOPS)
    fitted = TableTransformer(stopping, random_state=0).fit(FRAME[:60], X_val=FRAME[60:])
    encoder = TableEncoder(missing="keep").fit(FRAME[:60])
    seed = fitted.pipeline_[1].random_state
    likelihood = encoder.likelihoods_
    by_hand = clone(stopping).set_params(likelihood=likelihood, random_state=seed)
    by_hand.fit(encoder.transform(FRAME[:60]), X_val=encoder.transform(FRAME[60:]))
    np.testing.assert_array_equal(
        fitted.pipeline_[1].history_["valid_loss"], by_hand.history_["valid_loss"]
    )


def test_x_val_without_early_stopping_is_refused_by_the_estimator():
    sentence = (
        "X_val is for early stopping. Got X_val with early_stopping=False instead. Set "
        "early_stopping=True, or leave X_val out."
    )
    for holder, X in ((TABLE, FRAME), (VAEImputer(VAETransformer(2, **MASK)), np.eye(9))):
        with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
            clone(holder).fit(X, X_val=X)


# ------------------------------------------------------------------ of another table

OTHERS = {
    "a cell": FRAME.assign(income=FRAME["income"].where(FRAME.index > 0, 7.0)),
    "a unit": FRAME.assign(income=100 * FRAME["income"]),  # of which the codes are the same
    "a level": FRAME.assign(job=FRAME["job"].replace("judge", "joker")),
    "a name": FRAME.rename(columns={"job": "work"}),
    "a dtype": FRAME.astype({"job": "category"}),
    "a zone": FRAME.assign(since=FRAME["since"].dt.tz_localize("UTC")),
    "a row": FRAME[1:],
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    path = tmp_path_factory.mktemp("fit") / "fit"
    clone(TABLE).fit(FRAME, checkpoint=path)
    return path


@pytest.mark.parametrize("name", OTHERS)
def test_the_checkpoint_of_another_table_is_refused(name, kept):
    before = kept.read_bytes()
    with pytest.raises(SavingError, match=r"^checkpoint= can continue only the .* now table\.X=\("):
        clone(TABLE).fit(OTHERS[name], checkpoint=kept)
    assert kept.read_bytes() == before


def test_the_checkpoint_of_another_encoder_is_refused(kept):
    other = clone(TABLE).set_params(encoder=TableEncoder(numeric="asinh", missing="keep"))
    with pytest.raises(SavingError, match=r"^checkpoint= can continue only") as refused:
        other.fit(FRAME, checkpoint=kept)
    before, _, now = str(refused.value).partition(", and now table.encoder=")
    assert "'numeric': 'auto'" in before  # the parts that differ, of two long texts
    assert "'numeric': 'asinh'" in now


def test_what_is_no_path_is_refused(tmp_path):
    sentence = (
        "checkpoint= takes the path of a file in a folder that exists. Got 3 instead. Make the "
        "folder, or give another path."
    )
    with pytest.raises(SavingError, match=f"^{re.escape(sentence)}$"):
        clone(TABLE).fit(FRAME, checkpoint=3)
