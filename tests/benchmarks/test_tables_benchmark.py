"""The parts of tables.py: what is taken away, and how what was filled in is judged."""

import numpy as np
import pandas as pd
import pytest
from _tables_codes import OneHotCodes, OrdinalCodes
from _tables_data import CHOSEN_ON, TABLES, categories_of, load, numbers_of
from _tables_holes import MECHANISMS, accuracy, removed_entries, rmse, with_holes
from _tables_methods import METHODS, fill, removed_nats
from _tables_summary import folded, over_tables, with_ratios
from scipy.special import ndtri


@pytest.fixture(scope="module")
def table():
    """Numbers that follow each other, a category that follows them, holes in the first."""
    rng = np.random.default_rng(0)
    x = rng.normal(50, 10, 200)
    table = pd.DataFrame({"x": x, "y": 3 * x + rng.normal(0, 5, 200)})
    table["level"] = np.where(x > 55, "high", np.where(x > 40, "middle", "low")).astype(object)
    table.loc[::10, "x"] = np.nan
    return table


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5])
def test_the_share_of_every_column_is_taken_of_what_is_there(table, rate, mechanism):
    removed = removed_entries(table, rate, mechanism, seed=0)
    assert not removed[table.isna()].any()
    expected = [round(rate * n) for n in table.notna().sum()]
    assert removed.sum(0).tolist() == expected
    assert with_holes(table, removed).isna().sum().tolist() == [
        n + before for n, before in zip(expected, table.isna().sum(), strict=True)
    ]


def test_a_seed_decides_what_is_taken(table):
    first, again, other = (removed_entries(table, 0.3, MECHANISMS[1], s) for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_not_at_random_larger_numbers_go(table):
    y = table["y"].to_numpy()
    at_random, not_at_random = (
        np.mean([y[removed_entries(table, 0.3, how, s)[:, 1]].mean() for s in range(20)])
        for how in MECHANISMS
    )
    assert abs(at_random - y.mean()) < 0.1 * y.std()
    assert not_at_random > y.mean() + 0.5 * y.std()


def test_not_at_random_the_odds_grow_by_the_slope(table):
    """Of few drawn one by one, weights are e to the 1.5 times the normal score."""
    n_times = 150
    gone = sum(removed_entries(table, 0.01, MECHANISMS[1], s)[:, 1] for s in range(n_times))
    ranks = table["y"].rank().to_numpy()
    weights = np.exp(1.5 * ndtri((ranks - 0.5) / 200))
    upper = ranks > 100
    assert gone[upper].sum() / gone.sum() == pytest.approx(
        weights[upper].sum() / weights.sum(), abs=0.05
    )


def test_not_at_random_some_levels_go(table):
    """Shares of the levels differ more than by chance, in a direction of the seed."""
    codes = table["level"].to_numpy()
    shares = np.array(
        [
            [removed[codes == level].mean() for level in ("low", "middle", "high")]
            for seed in range(12)
            for removed in [removed_entries(table, 0.3, MECHANISMS[1], seed)[:, 2]]
        ]
    )
    assert (np.ptp(shares, axis=1) > 0.3).all()
    assert len(set(shares.argmax(1))) > 1


def test_errors_are_in_standard_deviations_of_what_was_taken(table):
    removed = removed_entries(table, 0.3, MECHANISMS[0], seed=0)
    filled = table.copy()
    assert rmse(table, filled, removed) == 0
    filled["y"] += 2 * table["y"].std(ddof=0)
    filled["x"] += 2 * table["x"].std(ddof=0)
    assert rmse(table, filled, removed) == pytest.approx(2)
    filled.loc[~removed[:, 1], "y"] = 0.0  # what was left is not judged
    assert rmse(table, filled, removed) == pytest.approx(2)
    assert np.isnan(rmse(table[["level"]], filled[["level"]], removed[:, 2:]))


def test_accuracy_is_of_the_categories_taken(table):
    removed = removed_entries(table, 0.5, MECHANISMS[0], seed=0)
    filled = table.copy()
    assert accuracy(table, filled, removed) == 1
    filled.loc[removed[:, 2], "level"] = "low"
    assert accuracy(table, filled, removed) == (table["level"][removed[:, 2]] == "low").mean()
    assert np.isnan(accuracy(table[["x"]], filled[["x"]], removed[:, :1]))


@pytest.mark.parametrize("Codes", [OneHotCodes, OrdinalCodes])
def test_codes_come_back(table, Codes):
    removed = removed_entries(table, 0.3, MECHANISMS[0], seed=0)
    holes = with_holes(table, removed)
    codes, whole = Codes(holes), Codes(table).encode()
    assert np.isnan(codes.encode()).any()
    assert np.nanmean(codes.encode()[:, :2], axis=0) == pytest.approx([0, 0])
    back = Codes(table).decode(whole)
    pd.testing.assert_frame_equal(back[table.notna()], table, check_dtype=False)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("columns", [["x", "y"], ["x", "y", "level"]])
def test_every_method_fills_holes_and_leaves_the_rest(table, method, columns):
    table = table[columns].iloc[:60]
    holes = with_holes(table, removed_entries(table, 0.3, MECHANISMS[0], seed=0))
    filled, seconds, log_prob = fill(method, holes, 0)
    assert not filled.isna().any(axis=None)
    assert seconds > 0
    left = holes.notna()
    assert (log_prob is not None) == (method == "VAEImputer")
    numbers = numbers_of(table)
    np.testing.assert_allclose(
        filled[numbers].to_numpy()[left[numbers]], table[numbers].to_numpy()[left[numbers]]
    )
    for name in categories_of(table):
        assert (filled[name] == table[name])[left[name]].all()


def test_nats_are_of_what_was_taken():
    table = pd.DataFrame({"a": [1.0, 2.0, 7.0, np.nan], "b": [3.0, 4.0, 5.0, 6.0]})
    removed = np.zeros((4, 2), dtype=bool)
    removed[0, 0] = removed[2, 1] = removed[3, 1] = True

    def log_prob(rows):
        """Minus 1.5 nats for a value of a, and 0.5 for one of b."""
        return rows.notna().to_numpy() @ [-1.5, -0.5]

    holes = with_holes(table, removed)
    assert removed_nats(log_prob, table, holes, removed) == pytest.approx(-2.5 / 3)


def test_nats_are_not_of_a_column_of_which_one_value_is_left():
    table = pd.DataFrame({"a": [1.0, 1.0, 7.0], "b": [3.0, 4.0, 5.0]})
    removed = np.array([[False, False], [False, True], [True, False]])

    def log_prob(rows):
        assert rows["a"].isna().all()
        return -0.5 * rows["b"].notna().to_numpy()

    assert removed_nats(log_prob, table, with_holes(table, removed), removed) == -0.5


def test_nats_of_numbers_do_not_depend_on_their_units(table):
    table = table[["x", "y"]].iloc[:60]
    nats = []
    for unit in (1.0, 1e3):
        removed = removed_entries(table, 0.3, MECHANISMS[0], seed=0)
        holes = with_holes(unit * table, removed)
        _, _, log_prob = fill("VAEImputer", holes, 0)
        nats.append(removed_nats(log_prob, unit * table, holes, removed))
    assert nats[0] == pytest.approx(nats[1], abs=0.01)
    assert -2 < nats[0] < 0.5  # a normal column by itself has -1.42, its neighbour tells of it


def test_ratios_are_to_the_reference_on_the_same_holes():
    rows = [
        {
            "table": "t",
            "rate": 0.1,
            "mechanism": "at random",
            "seed": seed,
            "method": method,
            "rmse": scale * (1 + seed),
            "accuracy": 0.5,
            "seconds": 1.0,
            "nats": None,
        }
        for seed in (0, 1, 2)
        for method, scale in (("KNNImputer", 1.0), ("VAEImputer", 0.5 + 0.1 * seed))
    ]
    rows = with_ratios(rows)
    line = folded(rows)[1]
    assert line["rmse_ratio"] == pytest.approx(0.6)
    assert line["rmse_ratio, range"] == pytest.approx([0.5, 0.7])
    assert line["error_ratio"] == 1
    assert line["nats"] is None
    found = over_tables(rows, "rmse_ratio", ["t"], method="VAEImputer")
    assert found == pytest.approx((0.6, 0.5, 0.7))
    assert over_tables(rows, "nats", ["t"], method="VAEImputer") is None


def test_bundled_tables_are_numbers_without_holes():
    for name in ("diabetes", "wine", "breast_cancer", "iris"):
        table = load(name, None)
        assert table.notna().all(axis=None)
        assert numbers_of(table) == list(table)
        assert (table.nunique() > 1).all()
    assert set(CHOSEN_ON) < set(TABLES)
    assert 2 * len(CHOSEN_ON) == len(TABLES)
