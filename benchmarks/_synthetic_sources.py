"""The sources of synthetic rows: VAEs, a Gaussian copula, independent columns, and TVAE."""

from importlib.util import find_spec

import numpy as np
from _mixed_rows import mixed_vae
from _tables_data import numbers_of
from scipy.special import ndtr, ndtri

from skvae.tabular import sample_frame

__all__ = ["SOURCES", "gaussian_copula"]

MOST_VALUES = 20  # a number with so few values is a category; the guide advises this for codes


SPIKE_SHARE = 0.2  # share of the rows: the smaller of two that were tried with the encoder


def by_vae(table, n_samples, seed, **options):
    fitted = mixed_vae(table, seed, **options).fit(table)
    return sample_frame(fitted, n_samples, random_state=seed, observation_noise=True)


def by_vae_of_levels(table, n_samples, seed):
    """Return rows of a VAE that treats a number with few values as a category."""
    few = [name for name in numbers_of(table) if table[name].nunique() <= MOST_VALUES]
    drawn = by_vae(table.astype(dict.fromkeys(few, "category")), n_samples, seed)
    return drawn.astype(dict.fromkeys(few, float))


def by_vae_with_spikes(table, n_samples, seed):
    """Return rows of a VAE that treats the common values of a number as categories."""
    return by_vae(table, n_samples, seed, spike_share=SPIKE_SHARE)


def by_tvae(table, n_samples, seed):
    """Return rows of ctgan's TVAE with its defaults. ctgan is an optional dependency.

    TVAE needs all numbers. So missing numbers are filled with the mean. A missing category is a
    level.
    """
    from ctgan import TVAE

    numbers = numbers_of(table)
    levels = [name for name in table if name not in numbers]
    filled = table.fillna(table[numbers].mean())
    filled[levels] = filled[levels].astype(object).fillna("missing")
    model = TVAE(enable_gpu=False)
    model.set_random_state(seed)
    model.fit(filled, levels)
    drawn = model.sample(n_samples)
    drawn[levels] = drawn[levels].astype(object).mask(drawn[levels] == "missing")
    return _as(table, {name: drawn[name].to_numpy() for name in table})


def independent_columns(table, n_samples, seed):
    rng = np.random.default_rng(seed)
    drawn = {name: rng.choice(table[name].to_numpy(), n_samples) for name in table}
    return _as(table, drawn)


def gaussian_copula(table, n_samples, seed):
    """Return rows whose columns are monotone functions of a Gaussian vector.

    Ranks become normal scores. The correlation of the scores is that of the vector. A drawn score
    becomes the value with its rank. Levels of a category are ranked by their frequency, the most
    frequent first. Equal values have a random order. Missing values come before all numbers. For a
    category, "missing" is a level.
    """
    rng = np.random.default_rng(seed)
    numbers = set(numbers_of(table))
    in_order, scores = {}, []
    for name in table:
        keys = table[name] if name in numbers else _commonness(table[name])
        order = np.lexsort((rng.random(len(table)), keys.fillna(-np.inf)))
        in_order[name] = table[name].to_numpy()[order]
        scores.append(ndtri((order.argsort() + 0.5) / len(table)))
    factor = np.linalg.cholesky(np.corrcoef(scores) + 1e-9 * np.eye(len(scores)))
    shares = ndtr(rng.standard_normal((n_samples, len(scores))) @ factor.T)
    places = np.minimum((shares * len(table)).astype(int), len(table) - 1)
    drawn = {name: in_order[name][place] for name, place in zip(table, places.T, strict=True)}
    return _as(table, drawn)


def _commonness(column):
    """Return the rank of each cell's level. The most frequent level has rank 0."""
    levels = column.fillna("missing")
    ranks = {level: rank for rank, level in enumerate(levels.value_counts().index)}
    return levels.map(ranks).astype(float)


def _as(table, columns):
    return type(table)(columns).astype(table.dtypes.to_dict())


SOURCES = {
    "VAE": by_vae,
    "VAE, few values": by_vae_of_levels,
    "VAE, common values": by_vae_with_spikes,
    "Gaussian copula": gaussian_copula,
    "independent columns": independent_columns,
}
if find_spec("ctgan"):
    SOURCES["TVAE"] = by_tvae
