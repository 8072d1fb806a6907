"""The tables of the paper's experiment: medians over the seeds, with ranges in brackets."""

from functools import reduce
from operator import itemgetter

import numpy as np
from _common import print_table
from _paper_rare import read_over_betas

__all__ = [
    "label",
    "over_seeds",
    "print_factors",
    "print_features",
    "print_latents",
    "print_models",
    "print_rare",
    "print_resampled",
    "print_samples",
    "print_sweep",
    "value",
]

NAMES = {"AE": "AE", "VAE": "VAE", "BetaVAE": "beta-VAE", "BetaTCVAE": "beta-TCVAE"}
# For each column: its header, the path of its value in a row, and digits.
MSE, SHARPNESS = ("test MSE", "test_mse", 5), ("sharpness", "sharpness", 3)
KL, TC = ("KL", "kl", 2), ("TC", "total_correlation", 2)
GAUSSIAN_TC, ACTIVE = ("Gauss. TC", "gaussian_tc", 2), ("active", "active", 0)
OF_MODELS = (
    MSE,
    ("ELBO", "elbo", 1),
    ("at best var.", "elbo_best_variance", 0),
    KL,
    ("MI", "mutual_information", 2),
    TC,
    ("dim. KL", "dimension_wise_kl", 2),
    GAUSSIAN_TC,
    ACTIVE,
    ("linear", "linear", 0),
    ("fit, s", "seconds", 0),
)
OF_SAMPLES = (
    ("MMD", "mmd", 3),
    ("precision", "precision", 3),
    ("coverage", "coverage", 3),
    ("spread", "spread", 3),
    SHARPNESS,
    ("Frechet", "frechet", 2),
    ("feat. precision", "feature_precision", 3),
    ("feat. coverage", "feature_coverage", 3),
)
OF_SWEEP = (
    MSE,
    SHARPNESS,
    ("trustworthiness", "trustworthiness", 3),
    KL,
    ACTIVE,
    ("AUC means", ("mean_auc", "means", "all"), 3),
    ("AUC draws", ("mean_auc", "draws", "all"), 3),
    ("AUC recon.", ("mean_auc", "reconstructions", "all"), 3),
    ("recon., rare", ("mean_auc", "reconstructions", "rarer"), 3),
    ("recon., common", ("mean_auc", "reconstructions", "commoner"), 3),
)
OF_LATENTS = (MSE, SHARPNESS, KL, TC, GAUSSIAN_TC, ACTIVE)
# The columns for one feature. The table puts the feature's name before them.
OF_FEATURES = (
    ("gap", "named", "gap", 2),
    ("probe AUC", "probe_auc", None, 3),
    ("legible AUC", "legible_features", "auc", 3),
    ("recall", "legible_features", "recall", 2),
    ("false", "legible_features", "false", 2),
    ("changed", "interventions", "changed", 2),
    ("alone", "interventions", "alone", 2),
    ("others", "interventions", "others", 2),
)


def label(model):
    """Return the name of a model in the tables."""
    beta = f" {model.beta:g}" if model.name.startswith("Beta") else ""
    return NAMES[model.name] + beta + (" (learned)" if model.learned else "")


def value(row, path):
    """Return a value of a row by a key, by nested keys, or by a function, or None."""
    if callable(path):
        return path(row)
    keys = (path,) if isinstance(path, str) else path
    return reduce(lambda part, key: (part or {}).get(key), keys, row)


def over_seeds(rows, path, digits):
    """Return a cell: the median of a value over the seeds, and its range.

    For a single seed, it has the standard error instead of the range, if there is one.
    """
    values = [value(row, path) for row in rows]
    values = [number for number in values if number is not None and not np.isnan(number)]
    if not values:
        return "-"
    shown = f"{np.median(values):.{digits}f}"
    if len(rows) > 1:
        return f"{shown} [{min(values):.{digits}f}, {max(values):.{digits}f}]"
    error = rows[0].get(f"{path}_se") if isinstance(path, str) else None
    return shown if error is None else f"{shown} ({error:.{digits}f})"


def print_columns(names, rows, columns, header=("model",)):
    """Print a table with a line for every list of rows. A list has a row for each seed."""
    cells = [
        [*name, *(over_seeds(seeds, path, digits) for _, path, digits in columns)]
        for name, seeds in zip(names, rows, strict=True)
    ]
    kept = [
        place
        for place in range(len(header) + len(columns))
        if place < len(header) or any(line[place] != "-" for line in cells)
    ]
    header = [*header, *(name for name, *_ in columns)]
    lines = [[line[place] for place in kept] for line in cells]
    print_table([header[place] for place in kept], lines, n_left=max(1, len(names[0])))


def print_models(models, rows, pca):
    """Print errors, bounds, the parts of the divergence, and the warnings of the fits."""
    names = [(label(model),) for model in models]
    latent = models[0].n_components
    print_columns([*names, (f"PCA {latent}",)], [*(rows[m] for m in models), [pca]], OF_MODELS)
    saturated = [
        label(model) for model in models if any(row.get("saturated") for row in rows[model])
    ]
    print(
        "Nats per image on the scale [0, 1]. Several seeds have medians and ranges. One seed has\n"
        "standard errors in brackets. The parts of the divergence are over training images. These\n"
        f"are too few, and TC is overstated, for: {', '.join(saturated) or 'none'}.\n"
        "linear: the dimensions that a linear model keeps at this noise variance, times beta for\n"
        "the beta-VAE. A beta-TCVAE keeps those of the VAE: linear codes have no TC.\n"
    )
    for text, among in _warnings(models, rows).items():
        print(f"{', '.join(dict.fromkeys(among))}: {text}", end="\n\n")


def _warnings(models, rows):
    """Return {first sentence of a warning: the models with this warning}."""
    texts = {}
    for model in models:
        for row in rows[model]:
            for text in row["warnings"]:
                texts.setdefault(text.partition(". ")[0] + ".", []).append(label(model))
    return texts


def print_samples(models, rows, references):
    """Print the distance of the samples to held-out images, and their variety."""
    names, measures = [], []
    for model in models:
        for density in rows[model][0]["samples"]:
            names.append((label(model), density))
            measures.append([row["samples"][density] for row in rows[model]])
    names += [(name, "-") for name in references]
    measures += [[of_reference] for of_reference in references.values()]
    print_columns(names, measures, OF_SAMPLES, header=("model", "codes from"))


def print_sweep(models, rows, pca):
    """Print the effects of a larger beta on images and codes."""
    names = [*((label(model),) for model in models), ("PCA",)]
    print_columns(names, [*(rows[model] for model in models), [pca]], OF_SWEEP)


def print_latents(models, rows):
    """Print latent size against beta."""
    names = [(label(model), f"{model.n_components}") for model in models]
    print_columns(names, [rows[model] for model in models], OF_LATENTS, header=("model", "latent"))


def mean_legible(row):
    """Return the share of factors read correctly in reconstructions, or None without a judge."""
    return float(np.mean(list(row["legible"].values()))) if "legible" in row else None


def print_factors(models, rows, pca):
    """Print the information of codes about factors, and the factors left after decoding."""
    columns = (
        ("MIG", "mig", 3),
        ("found", "n_found", 0),
        ("others that change", "others_that_change", 2),
        ("legible", mean_legible, 3),
        ("Frechet of reconstructions", "reconstruction_frechet", 2),
    )
    names = [*((label(model),) for model in models), ("PCA",)]
    print_columns(names, [*(rows[model] for model in models), [pca]], columns)
    print(
        "MIG: in 20 bins with equal numbers of images. found: factors with a gap of 0.1 or more.\n"
        "others that change: the dimension of a factor moves, and a judge reads so many other\n"
        "factors differently. It is a mean over factors whose dimension changes any factor.\n"
        "legible: the share of factors that the judge reads correctly in reconstructions.\n"
    )


def print_features(features, models, rows, pca):
    """Print for every feature whether it has a dimension, and whether it changes alone."""
    shown = {**{label(model): rows[model] for model in models}, "PCA": [pca]}
    names = [(feature, name) for feature in features for name in shown]
    lines = [
        [of_feature(row, feature) for row in seeds]
        for feature in features
        for seeds in shown.values()
    ]
    columns = [(header, header, digits) for header, *_, digits in OF_FEATURES]
    print_columns(names, lines, columns, header=("feature", "model"))
    print(
        "gap: MIG of the feature. probe: a linear probe of codes. legible, recall, false: what a\n"
        "judge reads in reconstructions. recall: the share of images with the feature in which it\n"
        "is read. false: the same for images without it. changed: the share of images in which\n"
        "the feature changes if its dimension moves. alone: no other factor changes.\n"
        "others: the number of other factors that change.\n"
    )


def of_feature(row, feature):
    """Return the columns of a feature in a row."""
    paths = {
        header: (kind, feature) if key is None else (kind, feature, key)
        for header, kind, key, _ in OF_FEATURES
    }
    return {header: value(row, path) for header, path in paths.items()}


def print_resampled(reached):
    """Print the number of training images for the fits of rare features, and their features."""
    for name, of_set in reached.items():
        shares = ", ".join(f"{feature} {share:.1%}" for feature, share in of_set["shares"].items())
        print(f"{name}: {of_set['distinct']:,} different images, repeated; shares: {shares}")
    print()


def print_rare(models, common, rare):
    """Print how well features are read in reconstructions, if they were rare in training."""
    seeds = [
        {
            measure: read_over_betas(
                [rare[m][seed] for m in models], [common[m][seed] for m in models], measure
            )
            for measure in ("auc", "recall", "false")
        }
        for seed in range(len(rare[models[0]]))
    ]
    features = list(seeds[0]["auc"])
    names = [(feature, label(model)) for feature in features for model in models]
    lines = [
        [
            {
                (measure, key): values[place]
                for measure, read in of_seed.items()
                for key, values in read[feature].items()
            }
            for of_seed in seeds
        ]
        for feature in features
        for place in range(len(models))
    ]
    columns = [
        (f"{header}, {kind}", itemgetter((measure, kind)), 3 if measure == "auc" else 2)
        for header, measure in (("AUC", "auc"), ("recall", "recall"), ("false", "false"))
        for kind in ("common", "rare")
    ]
    columns.insert(2, ("AUC lost", itemgetter(("auc", "lost_to_rarity")), 3))
    print_columns(names, lines, columns, header=("feature", "model"))
    print(
        "What a judge reads in reconstructions of the same held-out images. recall is also high\n"
        "if the judge reads the feature in every image: then false is high too.\n"
    )
