"""Rows of measures as a run has them, in which everything is known."""

from _paper_errors import N_GROUPS
from _paper_fits import Setting
from _paper_runs import Run

SETTING = Setting("made-up", "0", 40, 10, "hybrid", "cpu", "float32", 4, 1e-3, 0.5, 0)


def run_of(seeds=(0,), betas=(5.0, 2.0), tc_betas=(20.0,), **options):
    return Run(SETTING, seeds, 32, list(betas), list(tc_betas), **options)


def row_of(model, worse):
    """Return a row in which everything is worse by this, and grows so with beta."""
    beta = model.beta or 0.5
    less, more = 1 / (worse + beta), worse * beta
    samples = {"mmd": 1 / beta, "coverage": less, "spread": less, "sharpness": less, "frechet": 1.0}
    measures = {
        "test_mse": more,
        "sharpness": less,
        "trustworthiness": less,
        "total_correlation": less,
        "gaussian_tc": less * model.n_components,
        "samples": {"N(0, I)" if model.name == "AE" else "prior": samples},
        "mean_auc": {
            "reconstructions": {  # rare ones lose more
                "all": 0.65 + 0.25 * less,
                "rarer": 0.5 + 0.4 * less,
                "commoner": 0.8 + 0.1 * less,
            }
        },
        "mig": more,
        "n_found": int(more),
        "interventions": {
            name: {"others": less, "alone": more} for name in ("skin", "any glasses")
        },
        "others_that_change": less,
        "legible_features": {
            "any glasses": {"auc": less, "recall": less, "false": 0.25, "chance": 0.0}
        },
        "legible": {"skin": less},
        "warnings": ["UserWarning: Look here. More of it."] if model.name == "AE" else [],
        "seconds": 1.0,
        "collapsed": False,
    }
    return measures | {"without": [measures] * N_GROUPS}


def rows_of(run, worse=(1.0,)):
    return {model: [row_of(model, factor) for factor in worse] for model in run.models}
