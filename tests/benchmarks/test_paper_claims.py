"""The claims of the paper's experiment, of made-up rows."""

import numpy as np
import pytest
from _paper_claims import claims_of, of_learned, of_rare, of_sweep
from _paper_fits import Model
from made_up_rows import row_of, run_of

FEATURES = ["any glasses"]


def test_claims_hold_where_they_should():
    run = run_of(betas=(5.0, 2.0))
    rows = {model: row_of(model, 1.0) for model in run.models}
    claims = claims_of(run, rows, FEATURES, np.array([0.5, 0.01]), {})
    holding, failing = (
        {
            (claim.says, claim.of.partition(":")[0])
            for claim in claims
            if (min(claim.steps) > 0) is up
        }
        for up in (True, False)
    )
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
    assert all(min(claim.steps) > 0 for claim in of_learned(vae, learned, rows))


def test_rare_features_go_first_where_more_of_them_is_lost():
    run = run_of()
    common = {model: row_of(model, 1.0) for model in run.four}
    rare = {model: row_of(model, 1.0) for model in run.four}
    rare[run.four[2]]["legible_features"]["any glasses"]["auc"] = 0.0
    beta, tcvae = of_rare(run.four, common, rare)
    assert beta.numbers == pytest.approx((1 / 2 - 1 / 6, 1 / 2))
    assert beta.steps == pytest.approx((1 / 6, 1 / 2))
    assert min(tcvae.steps) == 0.0


def test_images_of_which_nothing_is_known_have_fewer_claims():
    run = run_of()
    known = {"mig", "interventions", "legible_features", "mean_auc"}
    rows = {
        model: {key: cell for key, cell in row_of(model, 1.0).items() if key not in known}
        for model in run.models
    }
    claims = claims_of(run, rows, [], None, {})
    assert not any("glasses" in claim.says or "feature" in claim.says for claim in claims)
    assert {"A larger beta blurs samples"} <= {claim.says for claim in claims}


def known(claims):
    """Return which claims have evidence, by what they say and are of."""
    return {
        (claim.says, claim.of.partition(":")[0]): bool(np.isfinite(claim.steps).any())
        for claim in claims
    }


def test_codes_of_a_collapsed_model_are_no_evidence_and_its_images_are():
    run = run_of(whole=False, learned=False)
    rows = {model: row_of(model, 1.0) for model in run.models}
    assert all(known(claims_of(run, rows, FEATURES, None, {})).values())
    rows[run.four[-1]]["collapsed"] = True
    told = known(claims_of(run, rows, FEATURES, None, {}))
    of_images = {"MMD", "Frechet", "coverage", "spread", "test MSE", "sharpness"}
    of_last_sweep = ("A larger beta loses any glasses", "legible AUC")
    assert {of for (_, of), evidence in told.items() if evidence} == of_images
    assert not told[of_last_sweep]


def test_a_sweep_is_told_of_where_it_has_not_collapsed():
    run = run_of(betas=(5.0, 2.0))
    rows = {model: row_of(model, 1.0) for model in run.models}
    rows[run.beta_sweep[-1]]["collapsed"] = True
    claims = {claim.says: claim for claim in of_sweep(run.beta_sweep, rows, FEATURES, None)}
    first, last = claims["A larger beta loses any glasses"].steps
    assert first == pytest.approx(1 / 2 - 1 / 3)
    assert np.isnan(last)
    assert np.isfinite(claims["A larger beta reconstructs worse"].steps).all()


def test_a_total_correlation_that_is_overstated_is_no_evidence():
    run = run_of()
    rows = {model: row_of(model, 1.0) for model in run.models}
    rows[run.four[1]]["saturated"] = True
    told = known(claims_of(run, rows, FEATURES, None, {}))
    says = "A more specialised regularisation entangles less"
    assert not told[says, "TC"]
    assert told[says, "Gaussian TC"]


def test_two_readings_by_chance_lose_nothing():
    run = run_of(betas=(5.0, 2.0))
    rows = {model: row_of(model, 1.0) for model in run.models}

    def steps_at(chance):
        for row in rows.values():
            row["legible_features"]["any glasses"]["chance"] = chance
        claims = {claim.says: claim for claim in of_sweep(run.beta_sweep, rows, FEATURES, None)}
        rare = next(of_rare(run.four, rows, rows))
        return np.isfinite([*claims["A larger beta loses any glasses"].steps, *rare.steps])

    # AUC are 1/2, 1/3, 1/6 at beta 1, 2, 5.
    assert steps_at(0.32).tolist() == [True, True, True, True]
    assert steps_at(0.4).tolist() == [True, False, True, True]
    assert steps_at(0.6).tolist() == [False, False, False, False]


def test_what_a_claim_is_of_names_each_of_its_models():
    run = run_of(betas=(0.5,), tc_betas=(20.0,))
    rows = {model: row_of(model, 1.0) for model in run.models}
    of = [claim.of for claim in claims_of(run, rows, FEATURES, None, {})]
    assert "test MSE: beta-VAE of beta 0.5, 1" in of
    assert "test MSE: beta-TCVAE of beta 1, 20" in of
    assert "test MSE: VAE, VAE (learned)" in of
