"""Whether a claim holds: its margin beside the errors of what it is of."""

import re

import numpy as np
import pytest
from _paper_claims import Claim
from _paper_errors import N_GROUPS, WITHIN, kept, replicated, standard_error
from _paper_verdicts import (
    FAILS,
    HOLDS,
    UNTOLD,
    Judged,
    judge,
    merged,
    over_seeds,
    print_claims,
    verdict,
)
from made_up_rows import rows_of, run_of
from scipy.stats import ttest_rel
from sklearn.metrics import roc_auc_score

FEATURES = ["any glasses"]


def claim_of(*steps, numbers=(1.0, 2.0)):
    return Claim("Larger is worse", "error", numbers, steps, 1)


def test_groups_are_a_tenth_each_and_every_image_is_in_one():
    left_out = [set(range(105)) - set(kept(105, group)) for group in range(N_GROUPS)]
    assert sorted(row for group in left_out for row in group) == list(range(105))
    assert {len(group) for group in left_out} == {10, 11}
    np.testing.assert_array_equal(kept(105, None), np.arange(105))


def test_the_error_of_a_mean_is_that_of_groups_and_near_that_of_rows():
    values = np.random.default_rng(0).standard_normal(4_000)
    errors = standard_error([values[kept(4_000, group)].mean() for group in range(N_GROUPS)])
    of_groups = values.reshape(-1, N_GROUPS).mean(0)
    assert errors == pytest.approx(of_groups.std(ddof=1) / np.sqrt(N_GROUPS))
    # Of nine degrees of freedom: within four of its own standard errors, 1 / sqrt(18).
    assert errors == pytest.approx(values.std() / np.sqrt(4_000), rel=4 / np.sqrt(18))


def test_pairs_of_the_same_images_have_a_smaller_error_than_two_samples():
    shared, one, other = np.random.default_rng(0).standard_normal((3, 1_000))
    parts = [kept(1_000, group) for group in range(N_GROUPS)]
    paired = standard_error([(shared + 0.1 * one - shared)[part].mean() for part in parts])
    apart = standard_error([(shared + 0.1 * one - other)[part].mean() for part in parts])
    assert paired < apart / 5


@pytest.mark.long
def test_intervals_have_an_area_under_the_curve_as_often_as_they_say():
    rng = np.random.default_rng(0)
    true, found = 0.7602, 0  # of unit Gaussians one apart: Phi(1 / sqrt(2))
    for _ in range(150):
        has = rng.random(500) < 0.2
        values = rng.standard_normal(500) + has
        areas = [roc_auc_score(has[rows], values[rows]) for rows in _parts(500)]
        half = WITHIN * standard_error(areas)
        found += abs(roc_auc_score(has, values) - true) < half
    # 0.95, within three standard errors of a share of 150.
    assert found / 150 == pytest.approx(0.95, abs=0.053)


def _parts(n_rows):
    return [kept(n_rows, group) for group in range(N_GROUPS)]


def test_a_row_has_what_its_parts_give_without_each_group():
    asked = []

    def part(left_out):
        asked.append(left_out)
        return {"x": 1 / 3, "of": [None, {"dimension": 3, "auc": 2 / 3}]}

    row = replicated([part, lambda left_out: {"y": float(left_out or 0), "legible": {}}])
    assert asked == [None, *range(N_GROUPS)]
    assert row.keys() == {"x", "of", "y", "legible", "without"}
    assert row["x"] == 1 / 3
    assert row["without"][7] == {"x": 0.33333, "of": [None, {"auc": 0.66667}], "y": 7.0}


@pytest.mark.parametrize(
    ("steps", "errors", "told"),
    [
        ((2.0, 1.0), (0.1, 0.1), HOLDS),
        ((2.0, 0.2), (0.1, 0.1), UNTOLD),  # the least may be below 0
        ((2.0, 0.3), (0.9, 0.1), UNTOLD),  # the other may be below 0
        ((9.0, -1.0), (5.0, 0.1), FAILS),  # one is, whatever the other is
        ((2.0, -0.2), (0.1, 0.1), UNTOLD),
        ((0.0, 0.0), (0.0, 0.0), UNTOLD),
        ((np.nan, np.nan), (np.nan, np.nan), UNTOLD),
        ((2.0, np.nan), (0.1, np.nan), HOLDS),  # what is no evidence is left out
        ((np.nan, -2.0), (np.nan, 0.1), FAILS),
    ],
)
def test_a_claim_holds_or_fails_beyond_its_errors_and_else_cannot_be_told(steps, errors, told):
    assert verdict(Judged(claim_of(*steps), errors).interval) == told


def test_the_errors_of_a_claim_are_those_of_its_steps_without_each_group():
    rng = np.random.default_rng(0)
    steps = rng.standard_normal((N_GROUPS, 2))
    judged = judge(claim_of(1.0, 2.0), [claim_of(*row) for row in steps])
    np.testing.assert_allclose(judged.errors, standard_error(steps))
    low, high = judged.interval
    half = WITHIN * np.array(judged.errors)
    assert (low, high) == (min(np.array([1, 2]) - half), min(np.array([1, 2]) + half))


def test_over_three_seeds_the_interval_is_that_of_paired_differences():
    one, other = np.random.default_rng(0).standard_normal((2, 5))
    other += 1
    seeds = [Judged(claim_of(difference), (9.0,)) for difference in other - one]
    expected = ttest_rel(other, one).confidence_interval(0.95)
    assert over_seeds(seeds) == pytest.approx((expected.low, expected.high))
    two = [Judged(claim_of(1.0), (0.1,)), Judged(claim_of(2.0), (0.2,))]
    assert over_seeds(two) == pytest.approx((1 - 0.1 * WITHIN, 2 + 0.2 * WITHIN))


def test_claims_are_printed_for_any_run(capsys):
    for options in ({"betas": (1.0,)}, {"whole": False, "learned": False}, {}):
        run = run_of(seeds=(0, 1), **options)
        print_claims(run, rows_of(run, (1.0, 2.0)), FEATURES, None, {})
        table, _, note = capsys.readouterr().out.partition("\n\n")
        header, _, *lines = table.splitlines()
        assert re.split("  +", header) == [
            *("the paper says", "measured", "medians", "margin, 95 %", "verdict, by seed")
        ]
        told = {re.split("  +", line)[-1] for line in lines}
        assert told >= {"2 holds", "2 cannot be told"}
        assert note.startswith("margin: ")


def test_what_needs_no_error_stays_in_a_row_without_a_group():
    row = {"a": {"b": {"auc": 1.0, "chance": 0.5}}, "c": [1, 2], "d": None}
    part = {"a": {"b": {"auc": 0.9}}, "c": [3]}
    assert merged(row, part) == {"a": {"b": {"auc": 0.9, "chance": 0.5}}, "c": [3], "d": None}


def test_a_row_that_differs_by_chance_tells_nothing(capsys):
    run = run_of(whole=False, learned=False)
    rows = rows_of(run, (1.0,))
    for seeds in rows.values():
        (row,) = seeds
        row["without"] = [
            part | {"test_mse": part["test_mse"] * (1 + 0.1 * (-1) ** group)}
            for group, part in enumerate(row["without"])
        ]
    print_claims(run, rows, FEATURES, None, {})
    lines = [line for line in capsys.readouterr().out.splitlines() if "test MSE" in line]
    assert len(lines) == 2
    # Errors of 0.3 of 4 and of 19: all without a group are off by a tenth, and in the same way.
    assert all(line.endswith("holds") for line in lines)
    (row,) = rows[run.four[2]]
    row["without"] = row["without"][1:] + row["without"][:1]
    for part in row["without"]:
        part["test_mse"] *= 5
    print_claims(run, rows, FEATURES, None, {})
    lines = [line for line in capsys.readouterr().out.splitlines() if "test MSE" in line]
    assert [line.endswith("cannot be told") for line in lines] == [True, False]
