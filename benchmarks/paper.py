"""The paper's experiment, with the numbers and figures that it lacks, and what they say of it.

M. Schik, "Overview of Variational Autoencoder-based Generative Models", trains an autoencoder, a
VAE, a beta-VAE and a beta-TCVAE on CelebA, and judges them by eye. Here are the same four, with its
network, batches, optimizer and latent size, on CelebA or on any images of a file:

- a table: held-out error, evidence lower bound, the divergence and its parts against the aggregate
  posterior of training images, active dimensions, and the samples' distance to held-out images;
- its three figures: latent traversals, samples, reconstructions over beta;
- what it claims by eye, measured: continuity of codes, variety of samples, blur and lost features
  over beta, latent size against beta.

Every model has the same rows, seed and epochs. ``--quick`` is a reduced run of at most twenty
minutes on two cores: some fifty steps, where the paper has tens of thousands, at ten times its
learning rate. An interrupted run goes on: fits, and the pixels of CelebA, are kept in the folder
``paper-fits`` beside the results, which git ignores. An option that matters to a fit makes it
another one; delete the folder to fit anew.

CelebA: http://mmlab.ie.cuhk.edu.hk/projects/CelebA.html, in the layout that
``skvae.datasets.load_celeba`` describes.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import json
import math
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from dataclasses import asdict
from pathlib import Path
from time import perf_counter

from _common import RESULTS, one_thread, print_machine, save
from _paper_claims import print_claims
from _paper_data import READERS, load
from _paper_fits import BATCH_SIZE, Model, Setting, betas_of, fetch, is_kept
from _paper_measures import Reference, measure
from _paper_pictures import draw_betas, draw_samples, draw_traversals
from _paper_tables import print_latents, print_models, print_samples, print_sweep
from joblib import Parallel, delayed

EPOCHS, LR, BETA, TC_BETA, LATENT = 30, 1e-4, 5.0, 20.0, 32  # the paper's
NOISE_VARIANCE = 0.5  # so that minus log p(x|z) is the squared error of its formula
AS_CODED = math.log1p(math.exp(0.01)) ** 2  # its program asks for 0.01, through a softplus
LATENTS = (8, 32, 128)
# Of --quick and without: learning rate, most training and held-out images, further betas.
SCALES = {
    False: (LR, None, 2_000, [2.0, 20.0], [5.0, 100.0]),
    True: (1e-3, 2_000, 1_000, [20.0], [100.0]),
}
QUICK_STEPS = 48


class Run:
    """The models of a run, and which of them are in which table."""

    def __init__(self, setting, latent, betas, tc_betas):
        self.setting = setting
        self.beta_sweep = betas_of("BetaVAE", betas, latent)
        self.tc_sweep = betas_of("BetaTCVAE", tc_betas, latent)
        self.four = [
            Model("AE", None, latent),
            Model.of("VAE", 1.0, latent),
            Model.of("BetaVAE", betas[0], latent),
            Model.of("BetaTCVAE", tc_betas[0], latent),
        ]
        self.four = list(dict.fromkeys(self.four))  # a beta of 1 makes it three
        self.latents = [
            Model.of("BetaVAE", beta, n_components)
            for beta in sorted({1.0, betas[0]})
            for n_components in sorted({*LATENTS, latent})
        ]
        models = [*self.four, *self.beta_sweep, *self.tc_sweep, *self.latents]
        self.models = list(dict.fromkeys(models))


def assess(model, setting, images, reference, cache):
    """Fit one model, or take it from the disk, and measure it."""
    one_thread()
    estimator, seconds, messages = fetch(model, setting, images, cache)
    started = perf_counter()
    measures = measure(model, estimator, images, reference, setting)
    return {
        "key": model.key(setting),
        **asdict(model),
        **asdict(setting),
        "seconds": seconds,
        "measuring_seconds": perf_counter() - started,
        "warnings": messages,
        **measures,
    }


def measure_all(run, images, reference, path, cache, n_jobs, **settings):
    """Return the measures of every model; the file has them one by one, and keeps other runs'."""
    content = Path(f"{path}.json")
    known = json.loads(content.read_text())["rows"] if content.exists() else []
    rows = {row["key"]: row for row in known}
    keys = {model: model.key(run.setting) for model in run.models}
    missing = [
        model
        for model, key in keys.items()
        if key not in rows or not is_kept(model, run.setting, cache)
    ]
    arguments = (run.setting, images, reference, cache)
    pool = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    for done, row in enumerate(pool(delayed(assess)(model, *arguments) for model in missing)):
        rows[row["key"]] = row
        save(str(path), list(rows.values()), **settings)
        print(f"{done + 1} of {len(missing)}: {row['key']}, {row['seconds']:.0f} s", flush=True)
    save(str(path), list(rows.values()), **settings)
    return {model: rows[key] for model, key in keys.items()}


def report(run, rows, reference, pca, trivial, prevalence):
    """Print the tables."""
    print("\nThe table that the paper lacks\n")
    print_models(run.four, rows, pca)
    print(f"Samples in pixel space; noise floor of the MMD {reference.floor:.3f}\n")
    print_samples(run.four, rows, trivial)
    for name, sweep in (("beta-VAE", run.beta_sweep), ("beta-TCVAE", run.tc_sweep)):
        print(f"A growing beta, {name}; at 1 both are the VAE\n")
        print_sweep([run.four[0], *sweep], rows, pca, prevalence)
    print("Latent size against beta, beta-VAE\n")
    print_latents(run.latents, rows)
    print("What the paper claims\n")
    print_claims(run, rows, prevalence)


def draw(run, images, path, cache):
    """Draw the three figures."""
    models = dict.fromkeys([*run.four, *run.beta_sweep, *run.tc_sweep])
    fitted = {model: fetch(model, run.setting, images, cache)[0] for model in models}
    four = {model: fitted[model] for model in run.four}
    sweeps = [{model: fitted[model] for model in s} for s in (run.beta_sweep, run.tc_sweep)]
    seed = run.setting.seed
    draw_traversals(f"{path}-traversals.png", four, images, seed)
    draw_samples(f"{path}-samples.png", four, images, seed)
    draw_betas(f"{path}-betas.png", sweeps, fitted[run.four[0]], images)


def parse(docstring):
    """Return the arguments, the defaults of --quick in place; no arguments without known data."""
    parser = ArgumentParser(
        description=docstring.strip(), formatter_class=RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", required=True, help="celeba:ROOT, or npz:PATH with a key X, uint8 images")
    add("--quick", action="store_true", help="fewer rows, steps and betas")
    add("--epochs", type=int, help=f"(default: {EPOCHS}; --quick: {QUICK_STEPS} steps)")
    add("--betas", type=float, nargs="+", help="of the beta-VAE; the first is that of the table")
    add("--tc-betas", type=float, nargs="+", help="of the beta-TCVAE, likewise")
    add("--noise-variance", type=float, default=NOISE_VARIANCE, help="(default: %(default)s)")
    add("--as-coded", action="store_true", help=f"that of the paper's program, {AS_CODED:.3f}")
    add("--latent", type=int, default=LATENT, help="n_components (default: %(default)s)")
    add("--lr", type=float, help="learning rate (default: 1e-4; --quick: 1e-3)")
    add("--rows", type=int, help="training images (default: all; --quick: 2,000)")
    add("--seed", type=int, default=0, help="(default: %(default)s)")
    add("--n-jobs", type=int, default=2, help="fits at a time, a thread each (default: 2)")
    add("--out", type=Path, default=RESULTS, help="folder (default: benchmarks/results)")
    arguments = parser.parse_args()
    lr, rows, arguments.held_out, betas, tc_betas = SCALES[arguments.quick]
    arguments.lr, arguments.rows = arguments.lr or lr, arguments.rows or rows
    arguments.betas = arguments.betas or [BETA, *betas]
    arguments.tc_betas = arguments.tc_betas or [TC_BETA, *tc_betas]
    if arguments.as_coded:
        arguments.noise_variance = AS_CODED
    return arguments


def setting_of(arguments, images):
    """Return what all fits have in common."""
    n_steps = -(-len(images.train) // BATCH_SIZE)  # of an epoch
    default = max(1, round(QUICK_STEPS / n_steps)) if arguments.quick else EPOCHS
    return Setting(
        data=images.name,
        n_train=len(images.train),
        n_test=len(images.test),
        max_epochs=arguments.epochs or default,
        lr=arguments.lr,
        noise_variance=arguments.noise_variance,
        seed=arguments.seed,
    )


def main():
    arguments = parse(__doc__)
    if arguments.data.partition(":")[0] not in READERS:  # make bench DATA=folder
        print("Left out: --data must be celeba:ROOT or npz:PATH.")
        return
    started = perf_counter()
    one_thread()
    out = arguments.out.resolve()
    cache = out / "paper-fits"
    cache.mkdir(parents=True, exist_ok=True)
    (cache / ".gitignore").write_text("*\n")
    images = load(arguments.data, cache, arguments.rows, arguments.held_out)
    run = Run(setting_of(arguments, images), arguments.latent, arguments.betas, arguments.tc_betas)
    variants = ["as-coded"] * arguments.as_coded + ["quick"] * arguments.quick
    path = out / "-".join(["paper", images.name, *variants])
    print_machine()
    if arguments.quick:
        print("A quick run, reduced: it tells the beginning of training, not its end.")
    print(f"{run.setting}, {len(run.models)} models", flush=True)
    reference = Reference(images, arguments.latent)
    pca, trivial = reference.of_pca(images), reference.of_trivial_samples(images)
    settings = asdict(run.setting) | {"batch_size": BATCH_SIZE, "quick": arguments.quick}
    settings |= {"pca": pca, "trivial_samples": trivial, "noise_floor": reference.floor}
    prevalence = None
    if images.attribute_names:
        prevalence = images.attributes_train.mean(0)
        settings["prevalence"] = dict(zip(images.attribute_names, prevalence.tolist(), strict=True))
    rows = measure_all(run, images, reference, path, cache, arguments.n_jobs, **settings)
    report(run, rows, reference, pca, trivial, prevalence)
    draw(run, images, path, cache)
    minutes, fits = (perf_counter() - started) / 60, sum(rows[m]["seconds"] for m in run.models)
    print(
        f"{minutes:.1f} minutes; all fits, some of them perhaps of earlier runs: {fits / 60:.1f}."
    )


if __name__ == "__main__":
    main()
