"""What functions return: a small table when it is printed, and a frame by ``to_frame``."""

import importlib
import inspect

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from skvae import metrics
from skvae._results import Result, printed
from skvae.metrics import DetailedScore, DisentanglementReport, KLDecomposition, LatentSummary
from skvae.model_selection import BetaCurve, UnsupervisedRanking
from skvae.outlier.explanations import Explanation
from skvae.plotting.figures import Display
from skvae.tabular import LikelihoodProposal

ROOMS = ["skvae", *(f"skvae.{room}" for room in ("metrics", "model_selection", "tabular"))]


def many(n):
    return np.random.RandomState(n).standard_normal(n)


def of_size(n):
    """Return one of each kind of results, of n codes, columns, values or factors."""
    names, matrix = [f"name {place}" for place in range(n)], many(n * 2).reshape(n, 2)
    parts = dict.fromkeys(["elbo", "reconstruction", "kl", "mutual_information"], many(n))
    parts |= dict.fromkeys(["total_correlation", "dimension_wise_kl"], many(n))
    return [
        DetailedScore(score=0.5, per_code=many(n), information=matrix, per_level=[many(3)] * n),
        DisentanglementReport({"mig": 0.5, "sap": 0.25}, {"mig": many(n)}, tuple(names), 9),
        KLDecomposition(1.0, 0.5, 0.25, 0.25, many(n), many(n), 0.1, 0.1, 0.1, many(n), True),
        LatentSummary(latent=names, kl=many(n), active=many(n) > 0),
        UnsupervisedRanking(tuple(names), many(n), many(n), tuple(matrix), tuple(matrix)),
        BetaCurve(
            "beta",
            np.arange(n),
            **parts,
            saturated=many(n) > 0,
            kl_per_dimension=matrix,
            active_units=np.arange(n),
            scores={"score": many(n)},
            estimators=None,
        ),
        LikelihoodProposal(names, ["gaussian"] * n, ["numbers from 0 to 1 " * 5] * n),
        Explanation(row=np.arange(n), column=names, value=np.array([1.0, "a"] * n)[:n]),
    ]


@pytest.mark.parametrize("n", [1, 2, 30, 1_000])
def test_any_result_is_of_at_most_twenty_lines_of_a_hundred_characters(n):
    for result in of_size(n):
        lines = repr(result).splitlines()
        assert str(result) == repr(result)
        assert 2 <= len(lines) <= 20, type(result)
        assert max(map(len, lines)) <= 100
        assert n < 30 or "..." in repr(result)


@pytest.mark.parametrize("n", [1, 30])
def test_any_result_turns_into_a_frame_with_all_that_it_prints(n):
    for result in of_size(n):
        frame = result.to_frame()
        assert isinstance(frame, pd.DataFrame)
        labels, columns = result._table()
        assert list(frame.columns) == [name for name, _ in columns]
        assert list(frame.index) == list(range(len(frame)) if labels is None else labels)
        header, first = (line.split() for line in repr(result).splitlines()[:2])
        assert frame.columns[-1].split()[-1] == header[-1]
        assert labels is None or str(labels[0]).split()[0] == first[0]


def test_every_public_kind_of_result_is_one():
    kinds = set()
    for room in ROOMS:
        module = importlib.import_module(room)
        kinds |= {getattr(module, name) for name in module.__all__}
    kinds = {kind for kind in kinds if inspect.isclass(kind)}
    others = (BaseEstimator, Display, Exception)
    found = {kind for kind in kinds if not issubclass(kind, others)}
    assert found == {type(result) for result in of_size(1)} - {Explanation}
    assert all(issubclass(kind, Result) for kind in found)


FACTORS = np.indices((3, 4, 5, 2)).reshape(4, -1).T


@pytest.mark.parametrize(
    "score", [name for name in metrics.__all__ if name.endswith(("_score", "_gap"))]
)
def test_the_details_of_every_score_are_one(score):
    rows = FACTORS + 0.0
    options = {"details": True}
    if score == "udr_score":
        details = metrics.udr_score([rows, rows[:, ::-1]], **options)
    else:
        details = getattr(metrics, score)(FACTORS, rows, **options)
    assert isinstance(details, DetailedScore)
    assert len(repr(details).splitlines()) <= 20
    frame = details.to_frame()
    assert frame.loc["score", "value"] == details.score == details["score"]
    for name, part in details.items():
        if not isinstance(part, list) and np.ndim(part) == 1:
            np.testing.assert_array_equal(frame.loc[name].iloc[1 : 1 + len(part)], part)
        elif not isinstance(part, float):
            for place, row in enumerate(part):
                values = frame.loc[f"{name} {place}"].iloc[1 : 1 + len(row)]
                np.testing.assert_array_equal(values, row)


def test_values_stand_by_their_kind():
    columns = [
        ("number", [0.25, np.nan, -1e-9]),
        ("small", [1e-5, 2.5e-7, np.nan]),
        ("large", [1.5e9, 1.0, -np.inf]),
        ("count", [1, 20, 300]),
        ("mixed", [0.5, None, "text\nin two lines"]),
        ("flag", [True, False, True]),
    ]
    assert printed(["a", "b", 2.5], columns).splitlines() == [
        "     number    small    large  count  mixed               flag",
        "a     0.250    1e-05  1.5e+09      1  0.500               True",
        "b       nan  2.5e-07        1     20                     False",
        "2.5  -0.000      nan     -inf    300  text in two lines   True",
    ]


def test_the_middle_of_many_rows_and_columns_is_left_out():
    columns = [(f"c{place}", np.arange(100) + 100 * place) for place in range(50)]
    lines = printed(None, columns).splitlines()
    names = lines[0].split()
    assert names == [*(f"c{p}" for p in range(9)), "...", *(f"c{p}" for p in range(42, 50))]
    assert [line.split()[0] for line in lines[1:]] == [
        *map(str, range(9)),
        "...",
        *map(str, range(91, 100)),
    ]
    assert [line.split()[-1] for line in lines[1:3]] == ["4900", "4901"]


def test_a_long_name_is_cut_at_its_end():
    (header, row) = printed(["l" * 90], [("n" * 90, ["v" * 90])]).splitlines()
    assert header.split() == ["n" * 35 + "..."]
    assert row.split() == ["l" * 35 + "...", "v" * 35 + "..."]
