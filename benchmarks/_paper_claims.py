"""The claims of the paper, as differences of measured numbers.

A claim uses the numbers of one seed. So it compares models with the same rows and the same seed. It
consists of differences that should be positive. :mod:`_paper_verdicts` tests whether they are. A
number that is no evidence is NaN: codes or features of a collapsed model, and the difference of two
readings that are at chance level.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from _paper_fits import Model
from _paper_rare import read_over_betas
from _paper_tables import NAMES, label, value

__all__ = ["Claim", "claims_of"]

LEAST_RARITY_RATIO = 4.0  # most over least frequent attribute, for claims on rare ones


class Claim(NamedTuple):
    """A claim of the paper, and the numbers of one seed about it."""

    says: str
    of: str  # the name of the numbers
    numbers: tuple
    steps: tuple  # the claim holds if all are above 0; NaN is no evidence
    digits: int = 3


def over(models, row, path):
    """Return one measure for several models."""
    return [value(row[model], path) for model in models]


def growth(numbers):
    """Return the steps of a sequence that should grow."""
    return tuple(after - before for before, after in pairwise(numbers))


def fall(numbers):
    """Return the steps of a sequence that should fall."""
    return tuple(before - after for before, after in pairwise(numbers))


def above(number, others):
    """Return the steps of a number that should be above others."""
    return tuple(number - other for other in others)


def codes_of(models, row, numbers):
    """Return numbers about the codes of models as evidence, or NaN for all of them.

    They are NaN if a model has collapsed, or if a number is missing or not finite.
    """
    known = not any(row[model]["collapsed"] for model in models) and None not in numbers
    return numbers if known and np.isfinite(numbers).all() else [np.nan] * len(numbers)


def remains_of(models, row, numbers):
    """Return numbers about the features left by models as evidence; NaN for a collapsed model."""
    return [
        np.nan if row[model]["collapsed"] else number
        for model, number in zip(models, numbers, strict=True)
    ]


def above_chance(steps, numbers, chance):
    """Return steps between AUC values as evidence, or NaN if both values are at chance level."""
    least = (max(pair) for pair in pairwise(numbers))
    return tuple(step if top > chance else np.nan for step, top in zip(steps, least, strict=True))


def together(*steps):
    """Return steps that are evidence only together: all are NaN if one is."""
    return steps if np.isfinite(steps).all() else (np.nan,) * len(steps)


def dependence(row):
    """Return the total correlation, or NaN if there are too few images to show it."""
    return np.nan if row.get("saturated") else row["total_correlation"]


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
                above(far, near),
            )
    if len(variational) < 3:  # one of the betas was 1
        return
    for key in ("coverage", "spread", "feature_coverage"):
        numbers = over(variational, row, ("samples", "prior", key))
        if None in numbers:
            continue
        yield Claim(
            "beta-VAE and beta-TCVAE sample a more varied spectrum than VAE",
            f"{key.replace('_', ' ')}: {', '.join(map(label, variational))}",
            tuple(numbers),
            tuple(number - numbers[0] for number in numbers[1:]),
        )


def of_codes(four, row):
    """Yield the claims on the codes of the four models."""
    _, *variational = four
    if len(variational) < 3:
        return
    trust = over(four, row, "trustworthiness")
    evidence = codes_of(four, row, trust)
    yield Claim(
        "VAEs keep near images near each other, the AE does not",
        f"trustworthiness: {', '.join(map(label, four))}",
        tuple(trust),
        tuple(number - evidence[0] for number in evidence[1:]),
    )
    for of, path in (("TC", dependence), ("Gaussian TC", "gaussian_tc")):
        numbers = over(variational, row, path)
        yield Claim(
            "A more specialised regularisation entangles less",
            f"{of}: {', '.join(map(label, variational))}",
            tuple(numbers),
            fall(codes_of(variational, row, numbers)),
            2,
        )


def of_factors(four, features, row):
    """Yield the claims on the factors of images, and on the features that the paper names."""
    autoencoder, *variational = four
    if len(variational) < 3 or "mig" not in row[autoencoder]:
        return
    names = ", ".join(map(label, variational))
    numbers = over(variational, row, "mig")
    yield Claim(
        "beta-TCVAE disentangles more than beta-VAE, and that more than VAE",
        f"MIG: {names}",
        tuple(numbers),
        growth(codes_of(variational, row, numbers)),
    )
    if "interventions" not in row[autoencoder]:
        return
    numbers = over(variational, row, "others_that_change")
    yield Claim(
        "Better regularisation entangles fewer features",
        f"other factors that change: {names}",
        tuple(numbers),
        fall(codes_of(variational, row, numbers)),
        2,
    )
    for feature in features:
        numbers = over(four, row, ("interventions", feature, "alone"))
        evidence = codes_of(four, row, numbers)
        yield Claim(
            f"beta-TCVAE changes {feature} and leaves the rest of the face, better than the others",
            f"share changed alone: {', '.join(map(label, four))}",
            tuple(numbers),
            above(evidence[-1], evidence[:-1]),
            2,
        )


def of_sweep(sweep, row, features, prevalence):
    """Yield the claims on a growing beta."""
    if len(sweep) < 2:
        return
    kind = next(model.name for model in sweep if model.beta != 1)
    name = f"{NAMES[kind]} of beta {', '.join(f'{model.beta:g}' for model in sweep)}"
    errors = over(sweep, row, "test_mse")
    says = "A larger beta reconstructs worse"
    yield Claim(says, f"test MSE: {name}", tuple(errors), growth(errors), 5)
    for what, path in (
        ("reconstructions", "sharpness"),
        ("samples", ("samples", "prior", "sharpness")),
    ):
        numbers = over(sweep, row, path)
        says = f"A larger beta blurs {what}"
        yield Claim(says, f"sharpness: {name}", tuple(numbers), fall(numbers))
    for feature in features:
        numbers = over(sweep, row, ("legible_features", feature, "auc"))
        if None not in numbers:
            steps = fall(remains_of(sweep, row, numbers))
            chance = value(row[sweep[0]], ("legible_features", feature, "chance"))
            steps = above_chance(steps, numbers, chance)
            says = f"A larger beta loses {feature}"
            yield Claim(says, f"legible AUC: {name}", tuple(numbers), steps)
    if prevalence is not None:
        yield from of_attributes(sweep, name, row, prevalence)


def of_attributes(sweep, name, row, prevalence):
    """Yield the claims on rare and common attributes over a growing beta."""
    means = [[*row[model]["mean_auc"]["reconstructions"].values()] for model in sweep]
    shown = np.array(means, dtype=float)  # NaN without a value
    evidence = np.stack([remains_of(sweep, row, column) for column in shown.T], axis=1)
    yield Claim(
        "A larger beta loses features from reconstructions",
        f"AUC: {name}",
        tuple(shown[:, 0]),
        fall(evidence[:, 0]),
    )
    rarity = np.minimum(prevalence, 1 - prevalence)
    if rarity.max() > LEAST_RARITY_RATIO * rarity.min():
        lost, told = (part[0] - part[-1] for part in (shown, evidence))
        yield Claim(
            "Unique features go first",
            f"AUC lost, rarer and commoner half of attributes: {name}",
            tuple(lost[1:]),
            together(told[1] - told[2], told[1]),
        )


def of_rare(four, common, rare):
    """Yield the claims on features made rare: a larger beta loses more of them."""
    read = read_over_betas([rare[model] for model in four], [common[model] for model in four])
    for feature, areas in read.items():
        chance = value(rare[four[1]], ("legible_features", feature, "chance"))
        for place in range(2, len(four)):
            as_common, as_rare = (
                [areas[kind][n] for n in (1, place)] for kind in ("common", "rare")
            )
            pair = [four[1], four[place]]
            lost = [fall(areas)[0] for areas in (as_common, as_rare)]
            common_lost, rare_lost = (
                fall(remains_of(pair, rows, areas))[0]
                for rows, areas in ((common, as_common), (rare, as_rare))
            )
            (rare_lost,) = above_chance((rare_lost,), as_rare, chance)
            yield Claim(
                f"Unique features go first: {feature}",
                f"legible AUC lost from VAE to {label(four[place])}, as common and as rare",
                tuple(lost),
                together(rare_lost - common_lost, rare_lost),
            )


def of_learned(vae, learned, row):
    """Yield claims, not in the paper, on a learned noise variance as a remedy for the blur.

    Distances and errors are better if they are smaller, so their sign is -1.
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
            better = (sign * (numbers[1] - numbers[0]),)
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
        above(errors[tightest], rest.values()),
        5,
    )
    free = sorted((m for m in models if m.beta == 1), key=lambda model: model.n_components)
    numbers = over(free, row, "gaussian_tc")
    yield Claim(
        "Larger codes with little regularisation entangle more",
        f"Gaussian TC: VAE of latent {', '.join(str(model.n_components) for model in free)}",
        tuple(numbers),
        growth(codes_of(free, row, numbers)),
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
