"""The tables and claims of the paper's experiment, of made-up rows."""

import numpy as np
import pytest
from _paper_claims import Claim, claims_of, of_learned, of_rare, print_claims, verdict
from _paper_fits import Model, Setting
from _paper_runs import Run
from _paper_tables import (
    halves,
    label,
    over_seeds,
    print_factors,
    print_features,
    print_models,
    print_rare,
    print_sweep,
    value,
)

SETTING = Setting("made-up", "0", 40, 10, "hybrid", "cpu", "float32", 4, 1e-3, 0.5, 0)
FEATURES = ["any glasses"]


def run_of(seeds=(0,), betas=(5.0, 2.0), **options):
    return Run(SETTING, seeds, 32, list(betas), [20.0], **options)


def row_of(model, worse):
    """Return a row in which everything is worse by this, and grows so with beta."""
    beta = model.beta or 0.5
    less, more = 1 / (worse + beta), worse * beta
    samples = {"mmd": 1 / beta, "coverage": less, "spread": less, "sharpness": less, "frechet": 1.0}
    return {
        "test_mse": more,
        "sharpness": less,
        "trustworthiness": less,
        "total_correlation": less,
        "gaussian_tc": less * model.n_components,
        "samples": {"N(0, I)" if model.name == "AE" else "prior": samples},
        "auc": {"reconstructions": [0.8 + 0.1 * less, 0.5 + 0.4 * less]},  # rare ones lose more
        "mig": more,
        "n_found": int(more),
        "mig_per_factor": {"skin": more},
        "interventions": {
            name: {"others": less, "alone": more} for name in ("skin", "any glasses")
        },
        "legible_features": {"any glasses": {"auc": less, "recall": less}},
        "legible": {"skin": less},
        "warnings": ["UserWarning: Look here. More of it."] if model.name == "AE" else [],
        "seconds": 1.0,
    }


def rows_of(run, worse=(1.0,)):
    return {model: [row_of(model, factor) for factor in worse] for model in run.models}


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
    assert label(Model("VAE", 1.0, 32, learned=True)) == "VAE, learned"


def test_the_rarer_half_is_that_far_from_a_half():
    prevalence = np.array([0.5, 0.99, 0.4, 0.02])
    assert halves([0.6, 0.7, 0.8, None], prevalence) == pytest.approx([0.7, 0.7, 0.7])
    assert halves([0.5, 1.0, 0.7, 0.8], prevalence) == pytest.approx([0.75, 0.9, 0.6])


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
    print_sweep(run.beta_sweep, rows_of(run), {"test_mse": 0.25}, None)
    assert "AUC" not in capsys.readouterr().out
    pca = {"test_mse": 0.25, "auc": {"reconstructions": [0.5, 0.6]}}
    print_sweep(run.beta_sweep, rows_of(run), pca, np.array([0.5, 0.1]))
    header, _, *lines = capsys.readouterr().out.splitlines()
    assert header.endswith("AUC recon.  recon., rare  recon., common")
    assert lines[-2].split() == ["PCA", "0.25000", "-", "-", "0.550", "0.600", "0.500"]


def test_what_is_lost_to_rarity_is_compared_seed_by_seed(capsys):
    run = run_of(seeds=(0, 1))
    common, rare = rows_of(run, (1.0, 2.0)), rows_of(run, (3.0, 2.0))
    print_rare(run.four[1:2], common, rare)
    cells = "any glasses  VAE    0.42 [0.33, 0.50]  0.29 [0.25, 0.33]  0.12 [0.00, 0.25]"
    assert cells in capsys.readouterr().out


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
    assert vae.endswith("1.50 [1.00, 2.00]  0.42 [0.33, 0.50]")
    assert components.split() == ["any", "glasses", "PCA", "0.750", "-", "-", "-", "-"]


def test_a_verdict_counts_the_seeds_in_which_a_claim_holds():
    claims = [
        Claim("Larger is worse", "error", (1.0, 3.0), 2.0, 1),
        Claim("Larger is worse", "error", (1.5, 1.0), -0.5, 1),
        Claim("Larger is worse", "error", (2.0, 2.0), 0.0, 1),
    ]
    assert verdict(claims) == ["Larger is worse", "error", "1.5, 2.0", "-0.5 +2.0", "1 of 3"]


def test_claims_hold_where_they_should():
    run = run_of(betas=(5.0, 2.0))
    rows = {model: row_of(model, 1.0) for model in run.models}
    claims = claims_of(run, rows, FEATURES, np.array([0.5, 0.01]), {})
    holding = {(claim.says, claim.of.partition(":")[0]) for claim in claims if claim.margin > 0}
    failing = {(claim.says, claim.of.partition(":")[0]) for claim in claims if claim.margin <= 0}
    varied = "beta-VAE and beta-TCVAE sample a more varied spectrum than VAE"
    assert failing == {
        (varied, "coverage"),
        (varied, "spread"),
        ("The AE's samples from N(0, I) are the worst", "Frechet"),  # all are as far
        ("VAEs keep near images near each other, the AE does not", "trustworthiness"),
        ("Small codes with much regularisation reconstruct the worst", "test MSE"),  # as others
        *(("(Not in the paper) A learned variance is a remedy for the blur", of) for of in BLUR),
    }
    assert ("The AE's samples from N(0, I) are the worst", "MMD") in holding
    assert ("beta-TCVAE disentangles more than beta-VAE, and that more than VAE", "MIG") in holding
    assert ("A larger beta loses any glasses", "legible AUC") in holding
    assert len(claims) == len(set(claims)) >= 20


BLUR = (
    "sharpness of reconstructions",
    "sharpness of samples",
    "spread of samples",
    "coverage of samples",
    "Frechet of samples",
    "test MSE",
)


def test_a_learned_variance_is_a_remedy_where_it_is_better_whatever_better_is():
    vae, learned = Model.of("VAE", 1.0, 32), Model("VAE", 1.0, 32, learned=True)
    rows = {vae: row_of(vae, 2.0), learned: row_of(learned, 1.0)}
    rows[learned]["samples"]["prior"]["frechet"] = 0.5
    assert [claim.of.partition(":")[0] for claim in of_learned(vae, learned, rows)] == list(BLUR)
    assert all(claim.margin > 0 for claim in of_learned(vae, learned, rows))


def test_rare_features_go_first_where_more_of_them_is_lost():
    run = run_of()
    common = {model: row_of(model, 1.0) for model in run.four}
    rare = {model: row_of(model, 1.0) for model in run.four}
    rare[run.four[2]]["legible_features"]["any glasses"]["recall"] = 0.0
    beta, tcvae = of_rare(run.four, common, rare)
    assert beta.numbers == pytest.approx((1 / 2 - 1 / 6, 1 / 2))
    assert beta.margin == pytest.approx(1 / 6)
    assert tcvae.margin == 0.0


def test_claims_are_printed_for_any_run(capsys):
    for options in ({"betas": (1.0,)}, {"whole": False, "learned": False}, {}):
        run = run_of(seeds=(0, 1), **options)
        print_claims(run, rows_of(run, (1.0, 2.0)), FEATURES, None, {})
        header, _, *lines = capsys.readouterr().out.rstrip().splitlines()
        assert header.endswith("seeds")
        assert {line.split()[-3] for line in lines} <= {"0", "1", "2"}
        assert all(line.endswith(" of 2") for line in lines)


def test_images_of_which_nothing_is_known_have_fewer_claims():
    run = run_of()
    known = {"mig", "interventions", "legible_features", "auc"}
    rows = {
        model: {key: cell for key, cell in row_of(model, 1.0).items() if key not in known}
        for model in run.models
    }
    claims = claims_of(run, rows, [], None, {})
    assert not any("glasses" in claim.says or "feature" in claim.says for claim in claims)
    assert {"A larger beta blurs samples"} <= {claim.says for claim in claims}
