"""What the paper claims, beside what was measured: one seed, so signs and no more."""

from itertools import pairwise

import numpy as np
from _common import print_table
from _paper_tables import halves, label

__all__ = ["print_claims"]

LEAST_RARITY_RATIO = 4.0  # of the commonest to the rarest attribute, for a claim on rare ones


def values(models, rows, key):
    """Return one measure of several models."""
    return [rows[model][key] for model in models]


def arrow(numbers, digits):
    """Return a sequence of numbers as a cell."""
    return " -> ".join(f"{value:.{digits}f}" for value in numbers)


def rises(numbers):
    """Return whether every number is over the one before."""
    return all(before < after for before, after in pairwise(numbers))


def of_four(four, rows):
    """Yield the claims on the four models."""
    autoencoder, *variational = four
    prior = [rows[model]["samples"]["prior"] for model in variational]
    far = rows[autoencoder]["samples"]["N(0, I)"]
    yield (
        "samples of the AE from N(0, I) are the worst",
        f"MMD {far['mmd']:.3f}; VAEs {min(p['mmd'] for p in prior):.3f} to "
        f"{max(p['mmd'] for p in prior):.3f}",
        far["mmd"] > max(p["mmd"] for p in prior),
    )
    if len(variational) < 3:  # a beta was 1
        return
    for key in ("coverage", "spread"):
        numbers = [measures[key] for measures in prior]
        yield (
            f"beta-VAE, beta-TCVAE vary more than VAE: {key}",
            ", ".join(f"{value:.3f}" for value in numbers),
            min(numbers[1:]) > numbers[0],
        )
    trust = values(four, rows, "trustworthiness")
    yield (
        "near images, near codes: VAEs over the AE",
        ", ".join(f"{value:.3f}" for value in trust),
        min(trust[1:]) > trust[0],
    )
    yield (
        "TC falls: VAE, beta-VAE, beta-TCVAE",
        arrow(values(variational, rows, "total_correlation"), 2),
        rises(values(variational[::-1], rows, "total_correlation")),
    )
    yield (
        "the same, Gaussian TC",
        arrow(values(variational, rows, "gaussian_tc"), 2),
        rises(values(variational[::-1], rows, "gaussian_tc")),
    )


def of_sweep(sweep, rows, prevalence):
    """Yield the claims on a growing beta."""
    if len(sweep) < 2:
        return
    name = label(sweep[-1]).split()[0]
    name += " " + ", ".join(f"{model.beta:g}" for model in sweep)
    errors, sharpness = (values(sweep, rows, key) for key in ("test_mse", "sharpness"))
    yield f"the error grows with beta: {name}", arrow(errors, 5), rises(errors)
    samples = [rows[model]["samples"]["prior"]["sharpness"] for model in sweep]
    for what, numbers in (("reconstructions", sharpness), ("samples", samples)):
        yield f"{what} blur with beta: {name}", arrow(numbers, 3), rises(numbers[::-1])
    if prevalence is None:
        return
    shown = np.array(
        [halves(row["auc"]["reconstructions"], prevalence) for row in (rows[m] for m in sweep)]
    )
    yield f"features are lost from images: {name}", arrow(shown[:, 0], 3), rises(-shown[:, 0])
    lost, rarity = shown[0] - shown[-1], np.minimum(prevalence, 1 - prevalence)
    if rarity.max() > LEAST_RARITY_RATIO * rarity.min() and np.isfinite(lost).all():
        yield (
            f"the rarer half loses more AUC: {name}",
            f"{lost[1]:.3f} rare, {lost[2]:.3f} common",
            lost[1] > max(lost[2], 0),
        )


def of_latents(models, rows):
    """Yield the claims on the latent size."""
    errors = {model: rows[model]["test_mse"] for model in models}
    worst = max(errors, key=errors.get)
    tightest = min(models, key=lambda model: (model.n_components, -model.beta))
    yield (
        "small codes and a large beta: the greatest error",
        f"greatest at latent {worst.n_components}, beta {worst.beta:g}: {errors[worst]:.5f}",
        worst == tightest,
    )
    free = sorted((m for m in models if m.beta == 1), key=lambda model: model.n_components)
    dependence = values(free, rows, "gaussian_tc")
    yield (
        f"larger codes, more entangled: latent {', '.join(str(m.n_components) for m in free)}",
        f"Gaussian TC {arrow(dependence, 2)}",
        rises(dependence),
    )


def print_claims(run, rows, prevalence):
    """Print every claim, what was measured, and whether the signs agree."""
    claims = [*of_four(run.four, rows)]
    for sweep in (run.beta_sweep, run.tc_sweep):
        claims += of_sweep(sweep, rows, prevalence)
    claims += of_latents(run.latents, rows)
    cells = [[claim, measured, "yes" if holds else "no"] for claim, measured, holds in claims]
    print_table(("claim", "measured", "holds"), cells, n_left=3)
