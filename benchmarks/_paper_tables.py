"""The tables of the paper's experiment: medians over the seeds, and their range in brackets."""

from functools import partial, reduce

import numpy as np
from _common import print_table

__all__ = [
    "halves",
    "label",
    "over_seeds",
    "print_latents",
    "print_models",
    "print_samples",
    "print_sweep",
    "value",
]

NAMES = {"AE": "AE", "VAE": "VAE", "BetaVAE": "beta-VAE", "BetaTCVAE": "beta-TCVAE"}
# Of a column: its header, where its value is in a row, digits.
OF_MODELS = (
    ("test MSE", "test_mse", 5),
    ("ELBO", "elbo", 1),
    ("at best var.", "elbo_best_variance", 0),
    ("KL", "kl", 2),
    ("MI", "mutual_information", 2),
    ("TC", "total_correlation", 2),
    ("dim. KL", "dimension_wise_kl", 2),
    ("Gauss. TC", "gaussian_tc", 2),
    ("active", "active", 0),
    ("linear", "linear", 0),
    ("fit, s", "seconds", 0),
)
OF_SAMPLES = tuple((key, key, 3) for key in ("precision", "coverage", "spread", "sharpness"))
OF_SAMPLES = (("MMD", "mmd", 3), *OF_SAMPLES)
OF_SWEEP = (
    ("test MSE", "test_mse", 5),
    ("sharpness", "sharpness", 3),
    ("trustworthiness", "trustworthiness", 3),
    ("KL", "kl", 2),
    ("active", "active", 0),
)
OF_LATENTS = (
    ("test MSE", "test_mse", 5),
    ("sharpness", "sharpness", 3),
    ("KL", "kl", 2),
    ("TC", "total_correlation", 2),
    ("Gauss. TC", "gaussian_tc", 2),
    ("active", "active", 0),
)


def label(model):
    """Return how a model is called."""
    beta = f" {model.beta:g}" if model.name.startswith("Beta") else ""
    return NAMES[model.name] + beta + (", learned" if model.learned else "")


def value(row, path):
    """Return a value of a row, by its keys with dots between them, or by a function; or None."""
    if callable(path):
        return path(row)
    return reduce(lambda part, key: (part or {}).get(key), path.split("."), row)


def over_seeds(rows, path, digits):
    """Return a cell: the median of a value over the seeds, and from where to where it goes.

    Of a single seed, its standard error where the row has one.
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
    """Print a table: a line for every list of rows, a seed each, under some columns."""
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
    """Print errors, bounds and the parts of the divergence, and what the fits warned of."""
    names = [(label(model),) for model in models]
    latent = models[0].n_components
    print_columns([*names, (f"PCA {latent}",)], [*(rows[m] for m in models), [pca]], OF_MODELS)
    saturated = [
        label(model) for model in models if any(row.get("saturated") for row in rows[model])
    ]
    print(
        "Nats per image on the [0, 1] scale; over several seeds medians and ranges, of one seed\n"
        "standard errors in brackets. The parts of the divergence are over training images; more\n"
        f"than so many images can show, and TC overstated, for: {', '.join(saturated) or 'none'}.\n"
        "linear: the dimensions that a linear model keeps at this noise variance and beta.\n"
    )
    for text, among in _warnings(models, rows).items():
        print(f"{', '.join(dict.fromkeys(among))}: {text}", end="\n\n")


def _warnings(models, rows):
    """Return the models that warned, by the first sentence of the warning."""
    texts = {}
    for model in models:
        for row in rows[model]:
            for text in row["warnings"]:
                texts.setdefault(text.partition(". ")[0] + ".", []).append(label(model))
    return texts


def print_samples(models, rows, references):
    """Print how near the samples are to held-out images, and how varied."""
    names, measures = [], []
    for model in models:
        for density in rows[model][0]["samples"]:
            names.append((label(model), density))
            measures.append([row["samples"][density] for row in rows[model]])
    names += [(name, "-") for name in references]
    measures += [[of_reference] for of_reference in references.values()]
    print_columns(names, measures, OF_SAMPLES, header=("model", "codes from"))


def halves(auc, prevalence):
    """Return the mean AUC of all attributes, of the rarer half and of the other."""
    auc = np.array([np.nan if value is None else value for value in auc])
    rarity = np.minimum(prevalence, 1 - prevalence)
    rare = rarity < np.median(rarity)
    if not rare.any():
        rare = rarity <= np.median(rarity)
    parts = (auc, auc[rare], auc[~rare])
    return [float(np.nanmean(part)) if np.isfinite(part).any() else np.nan for part in parts]


def mean_auc(row, source, half, prevalence):
    """Return one of the :func:`halves` of a row; None where it has none of this source."""
    auc = row.get("auc", {}).get(source)
    return None if auc is None else halves(auc, prevalence)[half]


def print_sweep(models, rows, pca, prevalence):
    """Print what a larger beta does to images and codes."""
    columns = list(OF_SWEEP)
    if prevalence is not None:
        columns += [
            (header, partial(mean_auc, source=source, half=half, prevalence=prevalence), 3)
            for header, source, half in (
                ("AUC means", "means", 0),
                ("AUC draws", "draws", 0),
                ("AUC recon.", "reconstructions", 0),
                ("recon., rare", "reconstructions", 1),
                ("recon., common", "reconstructions", 2),
            )
        ]
    names = [*((label(model),) for model in models), ("PCA",)]
    print_columns(names, [*(rows[model] for model in models), [pca]], columns)


def print_latents(models, rows):
    """Print latent size against beta."""
    names = [(f"{model.beta:g}", f"{model.n_components}") for model in models]
    print_columns(names, [rows[model] for model in models], OF_LATENTS, header=("beta", "latent"))
