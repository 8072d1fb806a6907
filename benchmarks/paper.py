"""The paper's experiment, with the numbers and figures that the paper does not have.

M. Schik, "Overview of Variational Autoencoder-based Generative Models", trains an autoencoder, a
VAE, a beta-VAE and a beta-TCVAE on CelebA. The paper compares them by eye. This script trains the
same four models, with the paper's batches, optimizer, epochs and latent size. The images are
CelebA, or those of any file. The network is the paper's, or another. One more model is a VAE with a
learned noise variance, as a remedy for the blur. The script prints and draws:

- A table of each model: the held-out error, the evidence lower bound, the divergence, its parts
  against the aggregate posterior of the training images, the active dimensions, and the distance
  from samples to held-out images.
- The three figures of the paper: latent traversals, samples, and reconstructions over beta. If the
  factors of the images are known, each row of traversals has the name of a factor. It moves the
  dimension with the most information about that factor.
- The claims of the paper, measured: continuity of codes, variety of samples, blur and lost features
  over beta, and latent size against beta. If factors are known, also the mutual information gap. A
  judge, which is a network trained on real images, reads which other factors change when baldness,
  glasses or beards are moved. The loss of features that are rare in training is also measured.

Every model has the same rows, epochs and seeds. Tables show medians over the seeds. Claims are
tested for each seed, with the errors of the measures. A claim holds, fails, or cannot be told, if
the evidence is too weak. ``--quick`` is a reduced run of at most twenty minutes on two cores. It
has about fifty steps, at ten times the paper's learning rate. The paper has tens of thousands of
steps.

An interrupted run continues, even in the middle of a fit, and ends with the same numbers. Fits are
saved every minute, or every epoch if that is longer. They are in the folder ``paper-fits`` beside
the results, with the pixels of CelebA. git ignores this folder. If an option changes a fit, the new
fit is saved separately, and the results have another name. To fit again, delete the folder. Several
runs may share a folder, even at the same time. A run uses the fits that another run has finished.

CelebA: http://mmlab.ie.cuhk.edu.hk/projects/CelebA.html. ``skvae.datasets.load_celeba`` describes
the layout of its folder.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from dataclasses import asdict
from time import perf_counter

import numpy as np
from _common import one_thread, print_machine
from _paper_data import check, load
from _paper_factors import FEATURES, features_of
from _paper_files import READERS
from _paper_fits import BATCH_SIZE, Setting, fetch, fingerprint
from _paper_judge import fetch_judge
from _paper_measures import Reference
from _paper_options import EPOCHS, QUICK_STEPS, check_device, file_name, parse
from _paper_pictures import draw_betas, draw_samples
from _paper_progress import duration
from _paper_rare import rare_and_common, shares_reached
from _paper_runs import AS_THEY_ARE, Run, measure_all
from _paper_tables import (
    print_factors,
    print_features,
    print_latents,
    print_models,
    print_rare,
    print_resampled,
    print_samples,
    print_sweep,
)
from _paper_traversals import draw_traversals
from _paper_verdicts import print_claims


def report(run, results, reference, settings, features):
    """Print the tables."""
    rows, pca = results[AS_THEY_ARE], settings["pca"]
    resampled = {name: results[name] for name in results if name != AS_THEY_ARE}
    prevalence = settings.get("prevalence")
    if prevalence is not None:
        prevalence = np.array(list(prevalence.values()))
    print("\nThe table that the paper lacks\n")
    print_models(run.table, rows, pca)
    print(f"Samples; noise floor of the MMD {reference.floor:.3f}", end="")
    if reference.judge is not None:
        print(
            f", of the Frechet distance in a judge's features {reference.features.floor:.2f}",
            end="",
        )
    print("\n")
    print_samples(run.table, rows, settings["trivial_samples"])
    for name, sweep in (("beta-VAE", run.beta_sweep), ("beta-TCVAE", run.tc_sweep)):
        print(f"A growing beta, {name}; at 1 both are the VAE\n")
        print_sweep([run.four[0], *run.learned, *sweep], rows, pca)
    print("Latent size against beta, beta-VAE\n")
    print_latents([*run.latents, *run.learned], rows)
    if "mig" in rows[run.four[0]][0]:
        print("Factors, and features that the paper names\n")
        shown = list(dict.fromkeys([*run.table, *run.beta_sweep, *run.tc_sweep]))
        print_factors(shown, rows, pca)
        if features:
            print_features(features, shown, rows, pca)
    if resampled:
        print("Features made rare in training, and as common as they are\n")
        print_resampled(settings["rare_and_common"])
        print_rare(run.four, resampled["common"], resampled["rare"])
    print("What the paper claims\n")
    print_claims(run, rows, features, prevalence, resampled)


def draw(run, images, path, cache):
    """Draw the three figures of the first seed."""
    setting = run.settings[0]
    models = dict.fromkeys([*run.table, *run.beta_sweep, *run.tc_sweep])
    fitted = {model: fetch(model, setting, images, cache).estimator for model in models}
    shown = {model: fitted[model] for model in run.table}
    sweeps = [{model: fitted[model] for model in s} for s in (run.beta_sweep, run.tc_sweep)]
    others = {model: fitted[model] for model in (run.four[0], *run.learned)}
    draw_traversals(f"{path}-traversals.png", shown, images, setting.seed)
    draw_samples(f"{path}-samples.png", shown, images, setting.seed)
    draw_betas(f"{path}-betas.png", sweeps, others, images)


def setting_of(options, images):
    """Return the setting that all fits of the first seed share."""
    n_steps = -(-len(images.train) // BATCH_SIZE)  # steps in an epoch
    default = max(1, round(QUICK_STEPS / n_steps)) if options.quick else EPOCHS
    return Setting(
        data=images.name,
        fingerprint=fingerprint(images.train),
        n_train=len(images.train),
        n_test=len(images.test),
        architecture=options.architecture,
        device=options.device,
        precision=options.precision,
        max_epochs=default if options.epochs is None else options.epochs,
        lr=options.lr,
        noise_variance=options.noise_variance,
        seed=options.seeds[0],
    )


def known_features(images):
    """Return {name: feature} for the features of the paper for which the images have factors."""
    return {} if images.factors_train is None else features_of(images)


def check_rare(options, images, features):
    """Exit with a message if features should be made rare, but the images have none."""
    if options.asks_for_rare and not features:
        raise SystemExit(
            f"--rare: needs images with factors for {', '.join(FEATURES)}. Got "
            f"{images.name} without them instead. Leave --rare out."
        )


def references(reference, images):
    """Return values that are the same for all models: a PCA's, trivial samples', the judge's."""
    found = {
        "pca": reference.of_pca(images),
        "trivial_samples": reference.of_trivial_samples(images),
        "noise_floor": reference.floor,
    }
    if images.attribute_names:
        prevalence = images.attributes_train.mean(0).tolist()
        found["prevalence"] = dict(zip(images.attribute_names, prevalence, strict=True))
    if reference.judge is not None:
        found["judge"] = reference.of_judge(images)
    return found


def main():
    options = parse(__doc__)
    if options.data.partition(":")[0] not in READERS:  # make bench DATA=folder
        print("Left out: --data must be celeba:ROOT or npz:PATH.")
        return
    check_device(options.device)
    started = perf_counter()
    one_thread()
    out = options.out.resolve()
    cache = out / "paper-fits"
    cache.mkdir(parents=True, exist_ok=True)
    (cache / ".gitignore").write_text("*\n")
    images = load(options.data, cache, options.rows, options.held_out)
    check(images)
    features = known_features(images)
    check_rare(options, images, features)
    run = Run(
        setting_of(options, images),
        options.seeds,
        options.latent,
        options.betas,
        options.tc_betas,
        whole=options.models == "all",
        learned=options.learned,
    )
    path = out / file_name(options, images.name)
    print_machine()
    if options.quick:
        print("A quick run: it shows only the beginning of training.")
    resampled = {}
    if options.rare and features:
        resampled["rare"], resampled["common"] = rare_and_common(images, features.values())
    n_fits = len(run.fits(resampled))
    print(f"{run.settings[0]}; {n_fits} fits, seeds {options.seeds}", flush=True)
    reference = Reference(images, options.latent, fetch_judge(images, cache))
    settings = {**asdict(run.settings[0]), "batch_size": BATCH_SIZE, "quick": options.quick}
    settings |= {"seeds": options.seeds, **references(reference, images)}
    settings["rare_and_common"] = {
        name: shares_reached(others, features.values()) for name, others in resampled.items()
    }
    arguments = (reference, path, cache, options.n_jobs)
    results = measure_all(run, images, resampled, *arguments, **settings)
    report(run, results, reference, settings, features)
    draw(run, images, path, cache)
    rows = (row for of_set in results.values() for seeds in of_set.values() for row in seeds)
    fits = sum(row["seconds"] for row in rows)
    print(
        f"{duration(perf_counter() - started)}; all fits, also those of earlier runs: "
        f"{duration(fits)} on one core."
    )


if __name__ == "__main__":
    main()
