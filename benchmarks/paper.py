"""The paper's experiment, with the numbers and figures that it lacks, and what they say of it.

M. Schik, "Overview of Variational Autoencoder-based Generative Models", trains an autoencoder, a
VAE, a beta-VAE and a beta-TCVAE on CelebA, and judges them by eye. Here are the same four, with its
batches, optimizer, epochs and latent size, on CelebA or on any images of a file, with its network
or another; beside them a VAE with a learned noise variance, in which the paper's blur has a remedy:

- a table: held-out error, evidence lower bound, the divergence and its parts against the aggregate
  posterior of training images, active dimensions, and the samples' distance to held-out images;
- its three figures: latent traversals, samples, reconstructions over beta; where the factors of the
  images are known, a row of traversals has the name of one, and moves the dimension that tells most
  of it;
- what it claims by eye, measured: continuity of codes, variety of samples, blur and lost features
  over beta, latent size against beta; of known factors the mutual information gap, and what else a
  judge, trained on real images, reads otherwise when baldness, glasses or beards are moved; what is
  lost of features that are rare in training.

Every model has the same rows, epochs and seeds; tables show medians over the seeds, claims are
judged seed by seed, beside their errors: a claim holds, fails, or cannot be told. ``--quick`` is a
reduced run of at most twenty minutes on two cores: some fifty steps, where the paper has tens of
thousands, at ten times its learning rate. An interrupted run goes on, in the middle of a fit too,
and ends in the same numbers: fits are kept every minute (every epoch, where that is longer), and so
are the pixels of CelebA, in the folder ``paper-fits`` beside the results, which git ignores. An
option that matters to a fit makes it another one, and gives the results another name; delete the
folder to fit anew. Runs may share a folder, at the same time too: a fit that one of them has ended
is taken by the others.

CelebA: http://mmlab.ie.cuhk.edu.hk/projects/CelebA.html, in the layout that
``skvae.datasets.load_celeba`` describes.
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
        print("Features that are rare in training, and the same as common as they are\n")
        print_resampled(settings["rare_and_common"])
        print_rare(run.four, resampled["common"], resampled["rare"])
    print("What the paper claims\n")
    print_claims(run, rows, features, prevalence, resampled)


def draw(run, images, path, cache):
    """Draw the three figures, of the first seed."""
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
    """Return what all fits of the first seed have in common."""
    n_steps = -(-len(images.train) // BATCH_SIZE)  # of an epoch
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
    """Return the features that the paper names and that images have factors for, by name."""
    return {} if images.factors_train is None else features_of(images)


def check_rare(options, images, features):
    """End with a sentence where features are to be made rare and images have none."""
    if options.asks_for_rare and not features:
        raise SystemExit(
            f"--rare: needs images with factors that tell {', '.join(FEATURES)}. Got "
            f"{images.name} without instead. Leave it out."
        )


def references(reference, images):
    """Return what stands beside the models, the same for all: a PCA, trivial samples, a judge."""
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
        print("A quick run, reduced: it tells the beginning of training, not its end.")
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
        f"{duration(perf_counter() - started)}; all fits, some of them perhaps of earlier runs: "
        f"{duration(fits)} of one core."
    )


if __name__ == "__main__":
    main()
