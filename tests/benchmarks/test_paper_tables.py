"""The tables of the paper's experiment, of made-up rows."""

import re

import pytest
from _paper_fits import Model
from _paper_tables import (
    label,
    over_seeds,
    print_factors,
    print_features,
    print_models,
    print_rare,
    print_resampled,
    print_sweep,
    value,
)
from made_up_rows import rows_of, run_of

FEATURES = ["any glasses"]


def test_a_value_is_found_by_keys_or_by_a_function():
    row = {"a": {"b.c": 1.0}, "d": 2.0, "e": None}
    assert value(row, "d") == 2.0
    assert value(row, ("a", "b.c")) == 1.0
    assert value(row, ("a", "x", "y")) is None
    assert value(row, ("e", "x")) is None
    assert value(row, lambda row: row["d"] + 1) == 3.0


@pytest.mark.parametrize(
    ("values", "cell"),
    [
        ([1.0], "1.00"),
        ([3.0, 1.0, 2.0], "2.00 [1.00, 3.00]"),
        ([None, 1.0, 2.0], "1.50 [1.00, 2.00]"),
        ([float("nan"), None], "-"),
    ],
)
def test_a_cell_is_the_median_and_the_range_over_seeds(values, cell):
    assert over_seeds([{"x": number} for number in values], "x", 2) == cell


def test_a_cell_of_one_seed_has_its_standard_error():
    row = {"x": 1.0, "x_se": 0.25}
    assert over_seeds([row], "x", 2) == "1.00 (0.25)"
    assert over_seeds([row, row], "x", 2) == "1.00 [1.00, 1.00]"


def test_models_have_names_of_their_own():
    models = run_of().models
    assert len({(label(model), model.n_components) for model in models}) == len(models)
    assert label(Model("VAE", 1.0, 32, learned=True)) == "VAE (learned)"


def test_a_table_leaves_out_columns_that_nobody_has_and_says_warnings_once(capsys):
    run = run_of(seeds=(0, 1))
    print_models(run.table, rows_of(run, (1.0, 2.0)), {"test_mse": 0.25})
    printed = capsys.readouterr().out
    header, _, autoencoder, *_ = printed.splitlines()
    assert header.split() == ["model", "test", "MSE", "TC", "Gauss.", "TC", "fit,", "s"]
    cells = ["AE", "0.75000", "[0.50000,", "1.00000]", "0.53", "[0.40,", "0.67]"]
    assert autoencoder.split()[:7] == cells
    assert ["PCA", "32", "0.25000", "-", "-", "-"] in [
        text.split() for text in printed.splitlines()
    ]
    assert printed.count("AE: UserWarning: Look here.\n") == 1
    assert "More of it" not in printed


def test_a_sweep_shows_features_where_there_are_any(capsys):
    run = run_of()
    rows = rows_of(run)
    halves = {"all": 0.55, "rarer": 0.6, "commoner": 0.5}
    pca = {"test_mse": 0.25, "mean_auc": {"reconstructions": halves}}
    print_sweep(run.beta_sweep, rows, pca)
    header, _, *lines = capsys.readouterr().out.splitlines()
    assert header.endswith("AUC recon.  recon., rare  recon., common")
    assert lines[-2].split() == ["PCA", "0.25000", "-", "-", "0.550", "0.600", "0.500"]
    for row in (pca, *(row for seeds in rows.values() for row in seeds)):
        del row["mean_auc"]
    print_sweep(run.beta_sweep, rows, pca)
    assert "AUC" not in capsys.readouterr().out


def test_what_is_lost_to_rarity_is_compared_seed_by_seed(capsys):
    run = run_of(seeds=(0, 1))
    common, rare = rows_of(run, (1.0, 2.0)), rows_of(run, (3.0, 2.0))
    print_rare(run.four[1:2], common, rare)
    header, _, line, *_ = capsys.readouterr().out.splitlines()
    assert re.split("  +", header)[2:] == [
        *("AUC, common", "AUC, rare", "AUC lost"),
        *("recall, common", "recall, rare", "false, common", "false, rare"),
    ]
    assert re.split("  +", line)[:5] == [
        *("any glasses", "VAE"),
        *("0.417 [0.333, 0.500]", "0.292 [0.250, 0.333]", "0.125 [0.000, 0.250]"),
    ]
    assert re.split("  +", line)[7:] == ["0.25 [0.25, 0.25]"] * 2


def test_the_images_of_rare_features_are_counted(capsys):
    reached = {"distinct": 2_108, "shares": {"any glasses": 0.0304, "baldness": 0.027}}
    print_resampled({"rare": reached})
    printed = "rare: 2,108 different images, repeated; shares: any glasses 3.0%, baldness 2.7%"
    assert capsys.readouterr().out == printed + "\n\n"


def test_features_are_shown_of_models_and_of_a_pca_that_moves_nothing(capsys):
    run = run_of(seeds=(0, 1))
    pca = {"mig": 0.5, "probe_auc": {"any glasses": 0.75}}
    print_factors(run.four[1:2], rows_of(run, (1.0, 2.0)), pca)
    printed = capsys.readouterr().out.splitlines()
    assert printed[2].split()[:4] == ["VAE", "1.500", "[1.000,", "2.000]"]
    assert printed[3].split() == ["PCA", "0.500", "-", "-", "-"]
    print_features(FEATURES, run.four[1:2], rows_of(run, (1.0, 2.0)), pca)
    header, _, vae, components, *_ = capsys.readouterr().out.splitlines()
    assert header.split()[:4] == ["feature", "model", "probe", "AUC"]
    assert vae.endswith("0.25 [0.25, 0.25]  1.50 [1.00, 2.00]  0.42 [0.33, 0.50]")
    assert components.split() == ["any", "glasses", "PCA", "0.750", "-", "-", "-", "-", "-"]
