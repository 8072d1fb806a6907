"""The tasks of mixed_tables.py: frames of numbers and categories, with labelled anomalies."""

from functools import partial

import numpy as np
from pandas import DataFrame, read_csv

__all__ = ["NEEDS_FILES", "TASKS"]

SHARE = 0.05  # of anomalies in the tables from files
N_PAYMENTS, FRAUD_SHARE = 4000, 0.02


def rare_class(file, normal, folder, seed):
    """Return all rows of one class, and a few rows of the other class, which are the anomalies."""
    X, y = _read(folder, file)
    rng = np.random.RandomState(seed)
    usual, other = np.flatnonzero(y == normal), np.flatnonzero(y != normal)
    n_rare = round(SHARE / (1 - SHARE) * len(usual))
    chosen = np.concatenate((usual, rng.choice(other, n_rare, replace=False)))
    return X.iloc[chosen].reset_index(drop=True), np.arange(len(chosen)) >= len(usual)


def swapped(file, folder, seed):
    """Return all rows. Anomalies have the categories of other rows, each column from another row.

    So every value is as frequent as before. Only the combination of the columns is unusual.
    """
    X, _ = _read(folder, file)
    rng = np.random.RandomState(seed)
    anomalous = np.zeros(len(X), dtype=bool)
    anomalous[rng.choice(len(X), round(SHARE * len(X)), replace=False)] = True
    for name in X.select_dtypes(object):
        donors = rng.choice(np.flatnonzero(~anomalous), anomalous.sum(), replace=False)
        X.loc[anomalous, name] = X.loc[donors, name].to_numpy()
    return X, anomalous


def payments(folder, seed):
    """Return made-up payments, some of which are fraud.

    Amounts and hours depend on the shop. Most payments use the currency of the country. In a fraud,
    the amount is higher. There are two kinds of fraud. In one kind, the shop and the country are
    rare. In the other kind, the currency and the device do not fit the country and the shop.
    """
    rng = np.random.RandomState(seed)
    n = N_PAYMENTS
    fraud = np.arange(n) < round(FRAUD_SHARE * n)
    rare = fraud & (rng.uniform(size=n) < 0.5)
    odd = fraud & ~rare
    shops, countries = (_zipf(n_kinds, 1.2, n, rng) for n_kinds in (10, 15))
    shops[rare] = rng.randint(4, 10, rare.sum())
    countries[rare] = rng.randint(4, 15, rare.sum())
    currencies = np.where(odd, rng.randint(0, 5, n), countries % 5)
    online = rng.uniform(size=n) < np.where((shops % 3 == 0) ^ odd, 0.9, 0.1)
    amounts = np.exp(2.0 + 0.3 * shops + 0.6 * rng.standard_normal(n) + 0.8 * fraud)
    hours = (10 + shops + 3 * rng.standard_normal(n)) % 24
    columns = {
        "amount": amounts,
        "hour": hours,
        "age of account": rng.exponential(np.where(fraud, 300.0, 900.0)),
        "shop": [f"shop {kind}" for kind in shops],
        "country": [f"country {kind}" for kind in countries],
        "currency": [f"currency {kind}" for kind in currencies],
        "device": np.where(online, "browser", "card reader"),
    }
    order = rng.permutation(n)
    return DataFrame(columns).iloc[order].reset_index(drop=True), fraud[order]


def _zipf(n_kinds, power, n, rng):
    weights = np.arange(1.0, n_kinds + 1) ** -power
    return rng.choice(n_kinds, n, p=weights / weights.sum())


def _read(folder, file):
    """Return all columns but the last, with categories as text, and the last column."""
    table = read_csv(folder / f"{file}.csv.gz")
    X, y = table.iloc[:, :-1].copy(), table.iloc[:, -1]
    for name in X:
        if X[name].dtype.kind not in "if":
            X[name] = X[name].astype(object).where(X[name].notna(), "unknown")
    return X, y


TASKS = {
    "adult, rare class": partial(rare_class, "adult", "<=50K"),
    "adult, swapped": partial(swapped, "adult"),
    "german credit, rare class": partial(rare_class, "german_credit", 1),
    "german credit, swapped": partial(swapped, "german_credit"),
    "payments": payments,
}
NEEDS_FILES = set(TASKS) - {"payments"}
