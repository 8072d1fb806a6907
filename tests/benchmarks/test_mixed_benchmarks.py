"""The parts of the benchmarks of mixed tables: what is planted, drawn and judged."""

import numpy as np
import pandas as pd
import pytest
from _mixed_rows import cell, differences, labelled, mixed_vae, one_hot
from _synthetic_measures import (
    copied,
    distance_of_levels,
    distance_of_numbers,
    nearer_to,
    pair_distance,
)
from _synthetic_sources import SOURCES, gaussian_copula
from scipy.stats import chi2_contingency, spearmanr
from synthetic_tables import JUDGES, LABEL, auc
from table_anomalies import SHARE, planted
from table_epochs import contenders, seconds_of_epoch

from skvae import AutoencoderOutlierDetector


def made_up(n_samples, seed=0):
    """Return numbers that follow each other, a category that follows them, holes in both kinds."""
    rng = np.random.default_rng(seed)
    x = rng.normal(50, 10, n_samples)
    y = np.exp(0.1 * x + rng.normal(0, 0.3, n_samples))
    level = np.where(x > 55, "high", np.where(x > 40, "middle", "low")).astype(object)
    table = pd.DataFrame({"x": x, "y": y, "level": level})
    table.loc[::10, "y"] = np.nan
    table.loc[5::20, "level"] = None
    return table


@pytest.fixture(scope="module")
def table():
    return made_up(400)


def test_a_table_has_its_class_apart(tmp_path, table):
    table.assign(price=np.arange(400)).to_csv(tmp_path / "automobile.csv.gz", index=False)
    X, y = labelled("automobile", tmp_path, 100, seed=1)
    assert X.shape == (100, 3)
    assert set(y) == {0, 1}
    assert abs(y.mean() - 0.5) < 0.02
    again, _ = labelled("automobile", tmp_path, 100, seed=1)
    pd.testing.assert_frame_equal(X, again)
    other, _ = labelled("automobile", tmp_path, 100, seed=2)
    assert not X.equals(other)
    assert X["level"].dtype == object


def test_one_hot_columns_have_no_holes(table):
    Z = one_hot(table).fit_transform(table)
    assert Z.shape == (400, 2 + 4)  # three levels and missing
    assert np.isfinite(Z).all()
    np.testing.assert_array_equal(Z[:, 2:].sum(1), 1)


def test_a_model_of_few_rows_has_a_place_for_every_level(table):
    """The encoder is of all rows, so members of a detector that miss a level have it too."""
    table = table.assign(level=table["level"].mask(np.arange(400) == 7, "seen once"))
    pipeline = mixed_vae(table, max_epochs=2, hidden_layer_sizes=(4,), n_components=1)
    scores = AutoencoderOutlierDetector(pipeline, random_state=0).fit(table).oob_scores_
    assert np.isfinite(scores).all()
    width = pipeline.fit(table.iloc[20:60])[0].transform(table).shape[1]
    assert sum(map(len, dict(pipeline[-1].likelihood).values())) <= width


@pytest.mark.parametrize(("share", "n_columns"), [(1.0, 3), (0.4, 1)])
def test_planted_rows_have_values_of_other_rows(share, n_columns):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.standard_normal((400, 3)), columns=list("abc"))
    found, odd = planted(table, share, seed=0)
    assert odd.sum() == round(SHARE * 400)
    pd.testing.assert_frame_equal(found[~odd], table[~odd])
    changed = (found != table)[odd].to_numpy()
    np.testing.assert_array_equal(changed.sum(1), n_columns)
    if n_columns == 1:
        assert changed.any(0).all()  # not the same column in every row
    for name in table:
        assert set(found[name][odd]) <= set(table[name])
    rows = table.reset_index().set_index("a")["index"]
    assert rows[found["a"][odd & changed_in(found, table, "a")]].isin(np.flatnonzero(~odd)).all()


def changed_in(found, table, name):
    return (found[name] != table[name]).to_numpy()


def test_a_seed_decides_what_is_planted(table):
    first, again, other = (planted(table, 1.0, seed)[1] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_distances_of_marginals_are_those_known():
    real = pd.DataFrame({"n": np.arange(100.0), "c": ["a"] * 60 + ["b"] * 40})
    other = pd.DataFrame({"n": np.arange(100.0) + 30, "c": ["a"] * 50 + ["b"] * 30 + ["new"] * 20})
    assert distance_of_numbers(real, real) == distance_of_levels(real, real) == 0
    assert distance_of_numbers(real, other) == pytest.approx(0.3)
    assert distance_of_levels(real, other) == pytest.approx(0.2)  # half of 0.1, 0.1 and 0.2
    holes = real.copy()
    holes.loc[90:, :] = None
    assert distance_of_numbers(real, holes) == pytest.approx(0.1)
    assert distance_of_levels(real, holes) == pytest.approx(0.1)


def test_distances_of_pairs_are_those_of_spearman_and_cramer():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(300)
    real = pd.DataFrame({"x": x, "y": x + rng.standard_normal(300)})
    broken = real.assign(y=rng.permutation(real["y"]))
    rhos = [spearmanr(frame["x"], frame["y"]).statistic for frame in (real, broken)]
    assert pair_distance(real, real) == 0
    assert pair_distance(real, broken) == pytest.approx(abs(rhos[0] - rhos[1]))
    levels = pd.DataFrame({"a": rng.choice(["1", "2", "3"], 300)})
    levels["b"] = np.where(rng.random(300) < 0.7, levels["a"], "1")
    apart = levels.assign(b=rng.permutation(levels["b"]))
    vs = []
    for frame in (levels, apart):
        chi2 = chi2_contingency(pd.crosstab(frame["a"], frame["b"]), correction=False).statistic
        vs.append(np.sqrt(chi2 / 300 / 2))
    assert pair_distance(levels, apart) == pytest.approx(abs(vs[0] - vs[1]))


def test_pairs_of_a_number_and_a_category_count(table):
    broken = table.assign(level=np.random.default_rng(0).permutation(table["level"]))
    columns = ["x", "level"]
    assert pair_distance(table[columns], table[columns]) == 0
    assert pair_distance(table[columns], broken[columns]) > 0.4


def test_copies_are_rows_that_are_the_same_cell_by_cell(table):
    training, other = table[:200], table[200:].reset_index(drop=True)
    assert copied(training, training) == 1  # with holes, too
    assert copied(other, training) == 0
    half = pd.concat([training[:100], other[:100]])
    assert copied(half, training) == 0.5
    near = training.assign(level=training["level"].map({"high": "low"}))
    assert copied(near, training) < 0.1


def test_rows_from_neither_are_as_near_to_both():
    training, held_out, fresh = (made_up(300, seed) for seed in (0, 1, 2))
    assert nearer_to(training, training, held_out) > 0.9
    assert nearer_to(held_out, training, held_out) < 0.1
    assert nearer_to(fresh, training, held_out) == pytest.approx(0.5, abs=0.08)
    assert nearer_to(fresh, training, training) == 0.5


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_draws_rows_of_the_kind(source, table):
    if "VAE" in source:
        table = table[:60]
    drawn = SOURCES[source](table, 150, seed=0)
    assert drawn.shape == (150, 3)
    pd.testing.assert_series_equal(drawn.dtypes, table.dtypes)
    assert set(drawn["level"].dropna()) <= {"low", "middle", "high"}
    pd.testing.assert_frame_equal(drawn, SOURCES[source](table, 150, seed=0))
    assert not drawn.equals(SOURCES[source](table, 150, seed=1))


def test_a_number_of_few_values_comes_back_as_these_values(table):
    table = table[:60].assign(rooms=np.tile([1.0, 2.0, 4.0], 20))
    drawn = SOURCES["VAE, few values"](table, 150, seed=0)
    assert set(drawn["rooms"]) <= {1.0, 2.0, 4.0}
    assert drawn["rooms"].dtype == float
    assert not set(SOURCES["VAE"](table, 150, seed=0)["rooms"]) <= {1.0, 2.0, 4.0}


@pytest.mark.parametrize("make", JUDGES.values(), ids=JUDGES)
def test_a_judge_tells_classes_from_rows_where_columns_go_with_them(make):
    table = made_up(400)
    table[LABEL] = np.where(table["x"] > 50, "yes", "no")
    training, held_out = table[:200], table[200:]
    assert auc(make, training, held_out) > 0.97
    apart = SOURCES["independent columns"](training, 200, seed=0)
    assert 0.2 < auc(make, apart, held_out) < 0.8
    assert auc(make, training.assign(**{LABEL: "no"}), held_out) == 0.5


def test_differences_are_to_the_reference_of_the_same_case():
    rows = [
        {"seed": seed, "source": source, "auc": value}
        for seed, source, value in (
            (0, "real", 0.9),
            (0, "VAE", 0.8),
            (1, "real", 0.7),
            (1, "VAE", 1.0),
        )
    ]
    found = differences(rows, ["auc"], "source", "real", ["seed"])
    assert [round(row["auc"], 9) for row in found] == [0, -0.1, 0, 0.3]
    assert [row["seed"] for row in found] == [0, 0, 1, 1]


def test_a_copula_keeps_marginals_and_the_correlation_of_a_gaussian():
    rng = np.random.default_rng(0)
    x, noise = rng.standard_normal((2, 3000))
    table = pd.DataFrame({"x": np.exp(x), "y": (0.8 * x + 0.6 * noise) ** 3})
    drawn = gaussian_copula(table, 3000, seed=0)
    assert distance_of_numbers(table, drawn) < 0.05
    assert pair_distance(table, drawn) < 0.03
    apart = SOURCES["independent columns"](table, 3000, seed=0)
    assert pair_distance(table, apart) > 0.7


def test_a_copula_keeps_shares_of_levels_and_holes(table):
    drawn = gaussian_copula(table, 4000, seed=0)
    assert distance_of_levels(table, drawn) < 0.04
    assert drawn["y"].isna().mean() == pytest.approx(table["y"].isna().mean(), abs=0.03)


def test_a_cell_is_the_median_and_the_ends():
    rows = [{"who": "a", "auc": value} for value in (0.5, 0.7, 0.9)] + [{"who": "b", "auc": None}]
    assert cell(rows, "auc", 2, who="a") == "0.70 (0.50 to 0.90)"
    assert cell(rows, "auc", 2, who="b") == ""


def test_epochs_are_of_the_same_rows_at_equal_width():
    entrants = contenders(40)
    shapes = {X.shape for X, _ in entrants.values()}
    assert shapes == {(4000, 40)}
    X, _ = entrants["mixed"]
    holes, settings = entrants["both"]
    np.testing.assert_array_equal(holes[~np.isnan(holes)], X[~np.isnan(holes)])
    assert np.isnan(holes).mean() == pytest.approx(0.1, abs=0.01)
    (_, numbers), *blocks = settings["likelihood"]
    assert sorted([*numbers, *(place for _, block in blocks for place in block)]) == list(range(40))
    for _, block in blocks:
        np.testing.assert_array_equal(X[:, block].sum(1), 1)
        assert np.isin(np.isnan(holes[:, block]).sum(1), (0, len(block))).all()


def test_an_epoch_has_a_time():
    X = np.random.default_rng(0).standard_normal((60, 4))
    assert seconds_of_epoch(X, {}, 0) > 0
