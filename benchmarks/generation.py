"""Claim: a mixture fitted to codes samples better than the prior; a plain VAE reaches -88.5 nats.

The data are MNIST. All four models are fitted to some training rows. The VAEs have a Bernoulli
likelihood, and one fixed binarisation. The autoencoder has a squared error, and grey values. The
codes of samples come from four sources:

- the prior N(0, I);
- a Gaussian fitted to the training codes;
- a mixture of Gaussians fitted to the training codes;
- held-out rows, as a bound of what is possible.

Training codes of a VAE are draws from q(z|x). Those of the autoencoder are f(x), and its ``sample``
uses the same Gaussian by default. Decoded means are compared with held-out grey digits by two
measures:

- MMD is the kernel distance of ``_quality.py``. Its bandwidth is the median distance between
  held-out digits. The noise floor is the greatest MMD between halves of the held-out digits.
- The gap is an accuracy minus a share. A classifier (an SVC) is trained on real grey digits. Its
  accuracy on held-out digits is the first term. The second term is the share of samples for which
  its label equals the label of the nearest training code (f(x), or the mean of q(z|x)). A code far
  from all data decodes to no digit, and the two labels often differ.

``--full`` also measures likelihoods: log p(x) of all test rows, binarised once. The model is a
plain VAE. It is trained on one binarisation of the training rows, and on a new one in every epoch.
The settings were chosen on the last 10,000 training rows, and the numbers of epochs by the time
they take.
"""

from functools import partial, reduce
from operator import getitem
from statistics import median
from time import perf_counter

import numpy as np
from _common import (
    make_parser,
    median_and_range,
    one_thread,
    print_machine,
    print_table,
    save,
    save_picture,
)
from _mnist import add_data_argument, binarise, load
from _quality import Reference
from joblib import Parallel, delayed
from sklearn.mixture import GaussianMixture
from skorch.callbacks import LRScheduler
from torch.optim.lr_scheduler import CosineAnnealingLR

import skvae
from skvae.plotting import SampleDisplay

MODELS = {
    "AE": skvae.AutoencoderTransformer,
    "VAE": skvae.VAETransformer,
    "BetaVAE": skvae.BetaVAETransformer,
    "BetaTCVAE": skvae.BetaTCVAETransformer,
}
DENSITIES = ("prior", "Gaussian", "mixture", "held-out")
ARCHITECTURE = {"hidden_layer_sizes": (256, 256), "activation": "silu"}
SHARED = ARCHITECTURE | {"n_components": 10, "batch_size": 128}
SMALL = {"n_rows": 5_000, "max_epochs": 40}
FULL = {"n_rows": 60_000, "max_epochs": 20}
N_MIXTURE = 40
N_SAMPLES = 2_000
N_CLASSIFIER_ROWS = 10_000
N_SHOWN = 16
PLAIN = ARCHITECTURE | {"likelihood": "bernoulli", "random_state": 0}
FIXED = {"n_components": 40, "batch_size": 256, "lr": 2e-3, "max_epochs": 300}
FIXED |= {"optimizer": "adamw", "weight_decay": 0.3, "early_stopping": True, "n_iter_no_change": 30}
FRESH = {"n_components": 40, "batch_size": 256, "lr": 2e-3, "epochs": 600}
N_VALIDATION = 10_000
LEAST_LR = 0.005  # share of the first learning rate
N_IMPORTANCE = 1_000
TARGET_RATIOS = {"AE": 0.5, "VAE": 1.0, "BetaVAE": 1.0, "BetaTCVAE": 1.0}


def prepare(data, n_rows):
    """Return what the models share: training and held-out rows, labels, and the reference.

    The reference compares samples with the first half of the held-out rows. The models get the
    second half.
    """
    held = np.random.default_rng(0).permutation(len(data["X_test"]))[: 2 * N_SAMPLES]
    known = slice(N_CLASSIFIER_ROWS)
    real = (data["X_train"][known], data["y_train"][known])
    return {
        "grey": (data["X_train"][:n_rows], data["X_test"][held[N_SAMPLES:]]),
        "binary": (data["binary_train"][:n_rows], data["binary_test"][held[N_SAMPLES:]]),
        "labels": data["y_train"][:n_rows],
        "reference": Reference(data["X_test"][held], data["y_test"][held], *real),
    }


def draw_codes(codes, held_codes, seed):
    """Return draws from every latent density. ``sample(latent=...)`` would not return the codes."""
    codes = codes.astype(np.float64)  # the covariance of float32 codes is not symmetric for numpy
    gaussian = GaussianMixture(1, random_state=seed).fit(codes)
    mixture = GaussianMixture(N_MIXTURE, random_state=seed).fit(codes)
    prior = np.random.default_rng(seed).standard_normal((N_SAMPLES, codes.shape[1]))
    drawn = (prior, gaussian.sample(N_SAMPLES)[0], mixture.sample(N_SAMPLES)[0], held_codes)
    return {name: z.astype(np.float32) for name, z in zip(DENSITIES, drawn, strict=True)}


def assess(name, seed, max_epochs, shared):
    """Fit one model. Return its likelihoods, the quality of its samples, and some samples."""
    one_thread()
    variational = name != "AE"
    X, held = shared["binary" if variational else "grey"]
    model = MODELS[name](**SHARED, max_epochs=max_epochs, random_state=seed)
    if variational:
        model.set_params(likelihood="bernoulli")
    started = perf_counter()
    model.fit(X)
    row = {"model": name, "seed": seed, "seconds": perf_counter() - started}
    encode = model.transform
    if variational:
        row["elbo"] = model.score(held)
        row["iwae"] = float(model.log_likelihood(held, random_state=0).mean())
        encode = partial(model.sample_posterior, random_state=seed)
    places, pictures = model.transform(X), {}
    for density, codes in draw_codes(encode(X), encode(held), seed).items():
        samples = model.inverse_transform(codes)
        row[density] = shared["reference"].assess(samples, codes, places, shared["labels"])
        pictures[density] = samples[:: N_SAMPLES // N_SHOWN]  # a mixture sorts draws by component
    return row, pictures


def values(rows, model, *keys):
    """Return one number of the rows of a model, for every seed."""
    return [reduce(getitem, keys, row) for row in rows if row["model"] == model]


def print_samples(rows):
    """Print the likelihoods, the quality of the samples, and the targets."""
    likelihoods = [
        [name, *(median_and_range(values(rows, name, bound), ".1f") for bound in ("elbo", "iwae"))]
        for name in MODELS
        if name != "AE"
    ]
    print_table(("model", "ELBO nats", "IWAE-100 nats"), likelihoods)
    quality = [
        [
            name,
            density,
            *(median_and_range(values(rows, name, density, key), ".3f") for key in ("mmd", "gap")),
        ]
        for name in MODELS
        for density in DENSITIES
    ]
    print_table(("model", "codes from", "MMD", "gap"), quality, n_left=2)
    targets = []
    for name, target in TARGET_RATIOS.items():
        mixture, prior = (median(values(rows, name, d, "mmd")) for d in ("mixture", "prior"))
        met = "yes" if mixture < target * prior else "no"
        targets.append([name, f"{mixture / prior:.2f}", f"below {target}", met])
    print_table(("model", "MMD, mixture / prior", "target", "met"), targets)


def draw_bars(axes, rows, floor):
    """Draw the MMD of every model and density, with its range over the seeds."""
    for shift, density in enumerate(DENSITIES):
        numbers = np.array([values(rows, name, density, "mmd") for name in MODELS])
        middle = np.median(numbers, axis=1)
        errors = [middle - numbers.min(1), numbers.max(1) - middle]
        places = np.arange(len(MODELS)) + 0.2 * (shift - 1.5)
        axes.bar(places, middle, 0.18, yerr=errors, capsize=2, label=density)
    axes.axhline(floor, color="black", linewidth=0.8, linestyle=":", label="noise floor")
    axes.set_xticks(range(len(MODELS)), MODELS)
    axes.set_ylabel("MMD to held-out digits")
    axes.figure.legend(loc="outside upper right", frameon=False, fontsize=8, ncols=5)
    axes.spines[["top", "right"]].set_visible(False)


def draw_samples(axes, pictures):
    """Draw a row of digits for every model and density."""
    strips = [shown for of_model in pictures for shown in of_model.values()]
    names = [f"{name}, {density}" for name in MODELS for density in DENSITIES]
    SampleDisplay.from_predictions(
        dict(zip(names, strips, strict=True)),
        image_shape=(28, 28, 1),
        value_range=(0, 1),
        ax=axes,
        cmap="gray_r",
        padding=0,
    )
    axes.set_aspect("auto")
    axes.tick_params(labelsize=8)


def run_samples(data, n_seeds, n_jobs, full):
    """Measure and print the samples."""
    setting = FULL if full else SMALL
    shared = prepare(data, setting["n_rows"])
    results = Parallel(n_jobs=n_jobs)(
        delayed(assess)(name, seed, setting["max_epochs"], shared)
        for name in MODELS
        for seed in range(n_seeds)
    )
    rows = [row for row, _ in results]
    scales = shared["reference"].scales()
    print(f"Samples: {SHARED | setting}, mixture of {N_MIXTURE}, {N_SAMPLES} samples")
    print(f"Held-out digits: {scales}", end="\n\n")
    print_samples(rows)
    print(f"Fits: {sum(row['seconds'] for row in rows):.0f} s", end="\n\n")
    name = "generation_full" if full else "generation"
    save(name, rows, **SHARED, **setting, n_mixture=N_MIXTURE, n_samples=N_SAMPLES, **scales)
    save_picture(name, lambda axes: draw_bars(axes, rows, scales["noise_floor"]))
    pictures = [shown for row, shown in results if row["seed"] == 0]
    save_picture(f"{name}_samples", lambda axes: draw_samples(axes, pictures), height=5.8)


def fit_fixed(data, max_epochs, **setting):
    """Train on one binarisation. Early stopping uses rows that are held out."""
    X, X_val = np.split(data["binary_train"], [-N_VALIDATION])
    decay = LRScheduler(CosineAnnealingLR, T_max=max_epochs)
    vae = skvae.VAETransformer(**PLAIN, **setting, max_epochs=max_epochs, callbacks=[decay])
    return vae.fit(X, X_val=X_val)


def fit_fresh(data, epochs, lr, **setting):
    """Train on all rows, binarised anew in every epoch. The learning rate falls as a cosine."""
    rng = np.random.default_rng(1)
    vae = skvae.VAETransformer(**PLAIN, **setting, max_epochs=1, warm_start=True)
    for epoch in range(epochs):
        height = 0.5 * (1 + np.cos(np.pi * epoch / epochs))
        vae.set_params(lr=lr * (LEAST_LR + (1 - LEAST_LR) * height))
        vae.fit(binarise(data["X_train"], rng))
    return vae


def run_likelihood(name, data):
    """Train on one kind of binarisation. Measure and print log p(x) of the test rows."""
    fit, setting, target = LIKELIHOODS[name]
    print(f"{name} binarisation: {PLAIN | setting}", flush=True)
    started = perf_counter()
    vae = fit(data, **setting)
    seconds = perf_counter() - started
    X = data["binary_test"]
    bound = vae.log_likelihood(X, n_importance=N_IMPORTANCE, random_state=0)
    elbo, iwae = vae.score(X), float(bound.mean())
    error = float(bound.std() / len(bound) ** 0.5)
    met = "yes" if iwae >= target else "no"
    header = ("binarisation", "epochs", "seconds", "ELBO", f"IWAE-{N_IMPORTANCE}", "target", "met")
    numbers = (f"{elbo:.2f}", f"{iwae:.2f}", f"{target}", met)
    print_table(header, [(name, f"{vae.n_iter_}", f"{seconds:.0f}", *numbers)])
    row = {"epochs": vae.n_iter_, "seconds": seconds, "elbo": elbo, "iwae": iwae}
    row |= {"standard_error": error, "target": target, "met": met}
    save(f"generation_{name}", [row], **PLAIN, **setting, n_importance=N_IMPORTANCE)


LIKELIHOODS = {"fixed": (fit_fixed, FIXED, -90.0), "fresh": (fit_fresh, FRESH, -88.5)}


def main():
    parser = make_parser(__doc__)
    add_data_argument(parser)
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds, from 0 (default 3)")
    parser.add_argument("--n-jobs", type=int, default=1, help="fits at a time (default: 1)")
    parser.add_argument("--full", action="store_true", help="60,000 rows, also likelihoods")
    parser.add_argument("--only", choices=("samples", *LIKELIHOODS), help="only one part")
    arguments = parser.parse_args()
    data = load(arguments.data)
    if data is None:
        print("Left out: there is no mnist.npz.")
        return
    one_thread()
    print_machine()
    parts = ("samples", *LIKELIHOODS) if arguments.full else ("samples",)
    for part in [arguments.only] if arguments.only else parts:
        if part == "samples":
            run_samples(data, arguments.seeds, arguments.n_jobs, arguments.full)
        else:
            run_likelihood(part, data)


if __name__ == "__main__":
    main()
