"""What the paper says, beside what was measured: by how much it holds, seed by seed.

A claim is of numbers of one seed, so that models are compared in pairs of the same rows and the
same seed, and it has a margin: the least of the differences that it says are there.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from _common import print_table
from _paper_fits import Model
from _paper_rare import read_over_betas
from _paper_tables import halves, label, mean_others, value

__all__ = ["Claim", "print_claims", "verdict"]

LEAST_RARITY_RATIO = 4.0  # of the commonest to the rarest attribute, for a claim on rare ones


class Claim(NamedTuple):
    """What the paper says, and what one seed has to say to it."""

    says: str
    of: str  # what the numbers are
    numbers: tuple
    margin: float  # above 0 it holds
    digits: int = 3


def over(models, row, path):
    """Return one measure of several models."""
    return [value(row[model], path) for model in models]


def growth(numbers):
    """Return the least step of a sequence that is said to grow."""
    return min(after - before for before, after in pairwise(numbers))


def of_samples(four, row):
    """Yield the claims on the samples of the four models."""
    autoencoder, *variational = four
    for of, key in (("MMD", "mmd"), ("Frechet", "frechet")):
        far = value(row[autoencoder], ("samples", "N(0, I)", key))
        if far is not None:
            near = over(variational, row, ("samples", "prior", key))
            yield Claim(
                "The AE's samples from N(0, I) are the worst",
                f"{of}: {', '.join(map(label, four))}",
                (far, *near),
                far - max(near),
            )
    if len(variational) < 3:  # a beta was 1
        return
    for key in ("coverage", "spread", "feature_coverage"):
        numbers = over(variational, row, ("samples", "prior", key))
        if None in numbers:
            continue
        yield Claim(
            "beta-VAE and beta-TCVAE sample a more varied spectrum than VAE",
            f"{key.replace('_', ' ')}: {', '.join(map(label, variational))}",
            tuple(numbers),
            min(numbers[1:]) - numbers[0],
        )


def of_codes(four, row):
    """Yield the claims on the codes of the four models."""
    _, *variational = four
    if len(variational) < 3:
        return
    trust = over(four, row, "trustworthiness")
    yield Claim(
        "VAEs keep near images near each other, the AE does not",
        f"trustworthiness: {', '.join(map(label, four))}",
        tuple(trust),
        min(trust[1:]) - trust[0],
    )
    for of, path in (("TC", "total_correlation"), ("Gaussian TC", "gaussian_tc")):
        numbers = over(variational, row, path)
        yield Claim(
            "A more specialised regularisation entangles less",
            f"{of}: {', '.join(map(label, variational))}",
            tuple(numbers),
            growth(numbers[::-1]),
            2,
        )


def of_factors(four, features, row):
    """Yield the claims on the factors of images, and on the features that the paper names."""
    autoencoder, *variational = four
    if len(variational) < 3 or "mig" not in row[autoencoder]:
        return
    names = ", ".join(map(label, variational))
    for of, path, digits in (("MIG", "mig", 3), ("factors found", "n_found", 0)):
        numbers = over(variational, row, path)
        says = "beta-TCVAE disentangles more than beta-VAE, and that more than VAE"
        yield Claim(says, f"{of}: {names}", tuple(numbers), growth(numbers), digits)
    numbers = over(variational, row, mean_others)
    if None in numbers:
        return
    yield Claim(
        "Better regularisation entangles fewer features",
        f"other factors that change: {names}",
        tuple(numbers),
        growth(numbers[::-1]),
        2,
    )
    for feature in features:
        numbers = over(four, row, ("interventions", feature, "alone"))
        yield Claim(
            f"beta-TCVAE changes {feature} and leaves the rest of the face, better than the others",
            f"share changed alone: {', '.join(map(label, four))}",
            tuple(numbers),
            numbers[-1] - max(numbers[:-1]),
            2,
        )


def of_sweep(sweep, row, features, prevalence):
    """Yield the claims on a growing beta."""
    if len(sweep) < 2:
        return
    name = f"{label(sweep[-1]).split()[0]} {', '.join(f'{model.beta:g}' for model in sweep)}"
    errors = over(sweep, row, "test_mse")
    says = "A larger beta reconstructs worse"
    yield Claim(says, f"test MSE: {name}", tuple(errors), growth(errors), 5)
    for what, path in (
        ("reconstructions", "sharpness"),
        ("samples", ("samples", "prior", "sharpness")),
    ):
        numbers = over(sweep, row, path)
        says = f"A larger beta blurs {what}"
        yield Claim(says, f"sharpness: {name}", tuple(numbers), growth(numbers[::-1]))
    for feature in features:
        numbers = over(sweep, row, ("legible_features", feature, "auc"))
        if None not in numbers:
            says = f"A larger beta loses {feature}"
            yield Claim(says, f"legible AUC: {name}", tuple(numbers), growth(numbers[::-1]))
    if prevalence is None:
        return
    shown = np.array([halves(row[m]["auc"]["reconstructions"], prevalence) for m in sweep])
    yield Claim(
        "A larger beta loses features from reconstructions",
        f"AUC: {name}",
        tuple(shown[:, 0]),
        growth(-shown[:, 0]),
    )
    lost, rarity = shown[0] - shown[-1], np.minimum(prevalence, 1 - prevalence)
    if rarity.max() > LEAST_RARITY_RATIO * rarity.min() and np.isfinite(lost).all():
        yield Claim(
            "Unique features go first",
            f"AUC lost, rarer and commoner half of attributes: {name}",
            tuple(lost[1:]),
            min(lost[1] - lost[2], lost[1]),
        )


def of_rare(four, common, rare):
    """Yield the claims on features made rare: beta takes more of them than of common ones."""
    read = read_over_betas([rare[model] for model in four], [common[model] for model in four])
    for feature, recalls in read.items():
        for place in range(2, len(four)):
            lost = [recalls[kind][1] - recalls[kind][place] for kind in ("common", "rare")]
            yield Claim(
                f"Unique features go first: {feature}",
                f"recall lost from VAE to {label(four[place])}, as common and as rare",
                tuple(lost),
                min(lost[1] - lost[0], lost[1]),
                2,
            )


def of_learned(vae, learned, row):
    """Yield what a learned noise variance should do against the blur, of which the paper has none.

    A distance and an error are better where they are less: their sign is -1.
    """
    for of, path, sign, digits in (
        ("sharpness of reconstructions", "sharpness", 1, 3),
        ("sharpness of samples", ("samples", "prior", "sharpness"), 1, 3),
        ("spread of samples", ("samples", "prior", "spread"), 1, 3),
        ("coverage of samples", ("samples", "prior", "coverage"), 1, 3),
        ("Frechet of samples", ("samples", "prior", "frechet"), -1, 2),
        ("test MSE", "test_mse", -1, 5),
    ):
        numbers = over([vae, learned], row, path)
        if None not in numbers:
            says = "(Not in the paper) A learned variance is a remedy for the blur"
            better = sign * (numbers[1] - numbers[0])
            yield Claim(says, f"{of}: VAE, {label(learned)}", tuple(numbers), better, digits)


def of_latents(models, row):
    """Yield the claims on the latent size."""
    if len({model.n_components for model in models}) < 2:
        return
    errors = {model: row[model]["test_mse"] for model in models}
    tightest = min(models, key=lambda model: (model.n_components, -model.beta))
    rest = {model: error for model, error in errors.items() if model != tightest}
    worst = max(rest, key=rest.get)
    yield Claim(
        "Small codes with much regularisation reconstruct the worst",
        f"test MSE: beta {tightest.beta:g} and latent {tightest.n_components}, the worst of others",
        (errors[tightest], errors[worst]),
        errors[tightest] - errors[worst],
        5,
    )
    free = sorted((m for m in models if m.beta == 1), key=lambda model: model.n_components)
    dependence = over(free, row, "gaussian_tc")
    yield Claim(
        "Larger codes with little regularisation entangle more",
        f"Gaussian TC: latent {', '.join(str(model.n_components) for model in free)}",
        tuple(dependence),
        growth(dependence),
        2,
    )


def claims_of(run, row, features, prevalence, resampled):
    """Return all claims, with the numbers of one seed."""
    claims = [*of_samples(run.four, row), *of_codes(run.four, row)]
    claims += of_factors(run.four, features, row)
    for sweep in (run.beta_sweep, run.tc_sweep):
        claims += of_sweep(sweep, row, features, prevalence)
    if resampled:
        claims += of_rare(run.four, resampled["common"], resampled["rare"])
    claims += of_latents(run.latents, row)
    for learned in run.learned:
        claims += of_learned(Model.of("VAE", 1.0, learned.n_components), learned, row)
    return claims


def verdict(claims):
    """Return the cells of one claim that several seeds have something to say to.

    Medians of the numbers; the margin from its least to its greatest; in how many seeds it holds.
    """
    says, of, _, _, digits = claims[0]
    numbers = np.median([claim.numbers for claim in claims], axis=0)
    margins = [claim.margin for claim in claims]
    shown = " ".join(dict.fromkeys(f"{m:+.{digits}f}" for m in (min(margins), max(margins))))
    holds = sum(margin > 0 for margin in margins)
    measured = ", ".join(f"{number:.{digits}f}" for number in numbers)
    return [says, of, measured, shown, f"{holds} of {len(claims)}"]


def print_claims(run, rows, features, prevalence, resampled):
    """Print every claim of the paper, what was measured, and in how many seeds it holds."""
    of_seeds = []
    for place in range(len(run.settings)):
        of_seed = {model: seeds[place] for model, seeds in rows.items()}
        others = {
            name: {model: seeds[place] for model, seeds in of_set.items()}
            for name, of_set in resampled.items()
        }
        of_seeds.append(claims_of(run, of_seed, features, prevalence, others))
    cells = [verdict(claims) for claims in zip(*of_seeds, strict=True)]
    header = ("the paper says", "measured", "medians", "holds by, least and most", "seeds")
    print_table(header, cells, n_left=len(header))
