"""The tables of the paper's experiment."""

import numpy as np
from _common import print_table

__all__ = ["label", "print_latents", "print_models", "print_samples", "print_sweep"]

NAMES = {"AE": "AE", "VAE": "VAE", "BetaVAE": "beta-VAE", "BetaTCVAE": "beta-TCVAE"}


def label(model):
    """Return how a model is called."""
    beta = f" {model.beta:g}" if model.name.startswith("Beta") else ""
    return NAMES[model.name] + beta


def number(row, name, digits):
    """Return a cell, with its standard error where the row has one."""
    if row.get(name) is None:
        return "-"
    error = f" ({row[f'{name}_se']:.{digits}f})" if f"{name}_se" in row else ""
    return f"{row[name]:.{digits}f}{error}"


def units(row, model):
    """Return the number of active dimensions of all."""
    return f"{row['active']} of {model.n_components}"


def print_models(models, rows, pca):
    """Print errors, bounds and the parts of the divergence, and what the fits warned of."""
    header = ("model", "test MSE", "ELBO", "at best var.", "KL", "MI", "TC", "dim. KL")
    header += ("Gauss. TC", "active", "linear", "warnings", "fit, s")
    cells = []
    for model in models:
        row = rows[model]
        saturated = " sat." if row.get("saturated") else ""
        cells.append(
            [
                label(model),
                number(row, "test_mse", 5),
                number(row, "elbo", 1),
                number(row, "elbo_best_variance", 0),
                number(row, "kl", 2),
                number(row, "mutual_information", 2),
                number(row, "total_correlation", 2) + saturated,
                number(row, "dimension_wise_kl", 2),
                number(row, "gaussian_tc", 2),
                units(row, model),
                number(row, "linear", 0),
                ", ".join(sorted({text.partition(":")[0] for text in row["warnings"]})) or "-",
                f"{row['seconds']:.0f}",
            ]
        )
    blank = ["-"] * (len(header) - 2)
    cells.append([f"PCA {models[0].n_components}", f"{pca['test_mse']:.5f}", *blank])
    print_table(header, cells)
    print(
        "Nats per image on the [0, 1] scale, standard errors in brackets; the divergence over\n"
        "training images, sat.: more than so many images can show, and TC overstated. linear: the\n"
        "dimensions that a linear model keeps at this noise variance and beta.\n"
    )
    for text in sorted({text for model in models for text in rows[model]["warnings"]}):
        print(text, end="\n\n")


def print_samples(models, rows, references):
    """Print how near the samples are to held-out images, and how varied."""
    header = ("model", "codes from", "MMD", "precision", "coverage", "spread", "sharpness")
    measures = [
        (label(model), density, measures)
        for model in models
        for density, measures in rows[model]["samples"].items()
    ]
    measures += [(name, "-", of_reference) for name, of_reference in references.items()]
    keys = ("mmd", "precision", "coverage", "spread", "sharpness")
    cells = [[*names, *(f"{values[key]:.3f}" for key in keys)] for *names, values in measures]
    print_table(header, cells, n_left=2)


def halves(auc, prevalence):
    """Return the mean AUC of all attributes, of the rarer half and of the other."""
    auc = np.array([np.nan if value is None else value for value in auc])
    rarity = np.minimum(prevalence, 1 - prevalence)
    rare = rarity < np.median(rarity)
    if not rare.any():
        rare = rarity <= np.median(rarity)
    parts = (auc, auc[rare], auc[~rare])
    return [float(np.nanmean(part)) if np.isfinite(part).any() else np.nan for part in parts]


def print_sweep(models, rows, pca, prevalence):
    """Print what a larger beta does to images and codes."""
    header = ["model", "test MSE", "sharpness", "trustworthiness", "KL", "active"]
    if prevalence is not None:
        header += ["AUC means", "AUC draws", "AUC recon.", "recon., rare", "recon., common"]
    cells = []
    for model in [*models, None]:
        row = pca if model is None else rows[model]
        cell = ["PCA" if model is None else label(model)]
        cell += [number(row, key, 5 if key == "test_mse" else 3) for key in SWEPT]
        cell += [number(row, "kl", 2), "-" if model is None else units(row, model)]
        if prevalence is not None:
            auc = row["auc"]
            means = [halves(auc[key], prevalence)[0] for key in ("means", "draws") if key in auc]
            values = [*means, *[np.nan] * (2 - len(means))]
            values += halves(auc["reconstructions"], prevalence)
            cell += ["-" if np.isnan(value) else f"{value:.3f}" for value in values]
        cells.append(cell)
    print_table(header, cells)


SWEPT = ("test_mse", "sharpness", "trustworthiness")


def print_latents(models, rows):
    """Print latent size against beta."""
    header = ("beta", "latent", "test MSE", "sharpness", "KL", "TC", "Gauss. TC", "active")
    cells = []
    for model in models:
        row = rows[model]
        saturated = " sat." if row["saturated"] else ""
        cells.append(
            [
                f"{model.beta:g}",
                str(model.n_components),
                number(row, "test_mse", 5),
                number(row, "sharpness", 3),
                number(row, "kl", 2),
                number(row, "total_correlation", 2) + saturated,
                number(row, "gaussian_tc", 2),
                units(row, model),
            ]
        )
    print_table(header, cells, n_left=0)
