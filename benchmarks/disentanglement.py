"""Claim: the codes of the beta-TCVAE separate the factors of images better than those of the VAE.

All models have the same network, optimizer and schedule. Only the objective differs. One model has
no schedule, and so shows the effect of the schedule. Some seeds choose the beta with the largest
mutual information gap. The other seeds are reported, at the chosen beta. The fits are kept in
``--cache``, so that an interrupted run can continue.

``--data`` is "sprites" or "npz:PATH". "sprites" are 46,080 drawn images, with all combinations of
five factors. A file has ``X`` (n, height, width) or (n, height, width, channels), uint8,
``factors`` (n, n_factors) and ``factor_names``.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # the libraries read it when they are imported

from dataclasses import asdict, replace
from pathlib import Path

from _common import RESULTS, make_parser, print_machine, print_table, save
from _disentanglement_data import load
from _disentanglement_fits import MODELS, WITHOUT_BETA, Setting, fit_all, plan
from _disentanglement_measures import chosen_betas, measure_all, paired_differences, spread
from _disentanglement_pictures import draw_trade_off, draw_traversals

from skvae.metrics import udr_score

CACHE = Path(__file__).parent / "cache"
WHOLE = {"max_epochs": 15, "betas": (2.0, 4.0, 8.0), "choosing": (0, 1), "seeds": (2, 3, 4, 5, 6)}
QUICK = {"max_epochs": 8, "betas": (4.0, 8.0), "choosing": (0,), "seeds": (2, 3)}
PLAIN = MODELS[-1]
COMPARED = (
    ("VAE", "AE"),
    ("beta-VAE", "VAE"),
    ("beta-TCVAE (mws)", "VAE"),
    ("beta-TCVAE (mws)", "beta-VAE"),
    ("beta-TCVAE (mss)", "beta-TCVAE (mws)"),
    ("beta-TCVAE (mws)", PLAIN),
)


def print_choices(measures, choices):
    """Print the gap of every beta on the choosing seeds, and which beta was chosen."""
    settings = dict.fromkeys((fit.model, fit.beta) for fit in measures)
    rows = []
    for model, beta in settings:
        gaps = [v["mig"] for fit, v in measures.items() if (fit.model, fit.beta) == (model, beta)]
        gaps = ", ".join(f"{gap:.3f}" for gap in gaps)
        rows.append([model, f"{beta:g}", gaps, "chosen" if choices[model] == beta else ""])
    print_table(["model", "beta", "gap of each seed", ""], rows)


def print_models(measures, udr):
    """Print the median and the range of every measure of every model over the seeds."""
    models = list(dict.fromkeys(fit.model for fit in measures))
    names = list(dict.fromkeys(name for values in measures.values() for name in values))
    rows = [
        [name, *(spread(_of_model(measures, model, name)) for model in models)] for name in names
    ]
    rows.append(["udr", *(spread([udr.get(model)]) for model in models)])
    print_table(["", *models], rows)


def print_differences(measures):
    """Print the differences of the models' gaps, paired by seed."""
    rows = []
    for one, other in COMPARED:
        gaps = (_of_model(measures, model, "mig") for model in (one, other))
        mean, low, high = paired_differences(*gaps)
        rows.append([f"{one} - {other}", f"{mean:.3f}", f"{low:.3f} to {high:.3f}"])
    print_table(["gap, paired by seed", "mean", "95 % interval"], rows)


def agreement(results):
    """Return {model: UDR of the codes of its seeds} for the models with several seeds."""
    udr = {}
    for model in dict.fromkeys(fit.model for fit in results):
        of_model = [result for fit, result in results.items() if fit.model == model]
        if len(of_model) > 1:
            stds = None if of_model[0].std is None else [result.std for result in of_model]
            udr[model] = udr_score([result.codes for result in of_model], stds_list=stds)
    return udr


def median_fits(measures):
    """For each model, return the fit with the median gap."""
    fits = []
    for model in dict.fromkeys(fit.model for fit in measures):
        of_model = [fit for fit in measures if fit.model == model]
        of_model.sort(key=lambda fit: measures[fit]["mig"])
        fits.append(of_model[(len(of_model) - 1) // 2])
    return fits


def _of_model(measures, model, name):
    return [values.get(name) for fit, values in measures.items() if fit.model == model]


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--data", default="sprites", help="sprites (default) or npz:PATH")
    parser.add_argument("--nominal", nargs="*", default=["shape"], help="factors without an order")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of the fitted models")
    parser.add_argument("--jobs", type=int, default=2, help="fits at a time (default 2)")
    parser.add_argument("--quick", action="store_true", help="fewer epochs, betas and seeds")
    arguments = parser.parse_args()
    protocol = QUICK if arguments.quick else WHOLE
    print_machine()
    images = load(arguments.data, arguments.nominal)
    setting = replace(Setting(), max_epochs=protocol["max_epochs"])
    n_jobs = arguments.jobs

    searched = [model for model in MODELS if model not in (*WITHOUT_BETA, PLAIN)]
    fits = plan(searched, protocol["betas"], protocol["choosing"])
    results = fit_all(fits, setting, images, arguments.cache, n_jobs=n_jobs)
    tried = measure_all(results, images, n_jobs=n_jobs, whole=False)
    choices = chosen_betas(tried)
    print_choices(tried, choices)
    choices[PLAIN] = choices["beta-TCVAE (mws)"]

    fits = [
        fit for model in MODELS for fit in plan([model], [choices.get(model)], protocol["seeds"])
    ]
    results = fit_all(fits, setting, images, arguments.cache, n_jobs=n_jobs)
    measures = measure_all(results, images, n_jobs=n_jobs)
    udr = agreement(results)
    print_models(measures, udr)
    print_differences(measures)

    name = f"disentanglement-{images.name}{'-quick' if arguments.quick else ''}"
    save(
        name,
        [asdict(fit) | values for fit, values in (tried | measures).items()],
        **asdict(setting),
        protocol=protocol,
        choices=choices,
        udr=udr,
        n_images=len(images.X),
    )
    draw_trade_off(tried | measures, RESULTS / f"{name}.png")
    shown = [fit for fit in median_fits(measures) if fit.model not in ("AE", "PCA")]
    draw_traversals(shown, results, images, RESULTS / f"{name}-traversals.png")


if __name__ == "__main__":
    main()
