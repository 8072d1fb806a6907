"""The imputers of tables.py.

A method takes a table with missing values. It returns the imputed table, and a function of
log-densities or None.
"""

import warnings
from functools import partial
from time import process_time

import numpy as np
from _tables_codes import OneHotCodes, OrdinalCodes
from _tables_data import categories_of
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import BayesianRidge, RidgeClassifier

from skvae import VAEImputer
from skvae.tabular import TableEncoder

__all__ = ["METHODS", "REFERENCE", "fill", "removed_nats"]

N_TREES = 20
FOREST_ROUNDS = 4


class ByKind(RegressorMixin, BaseEstimator):
    """A regressor for numbers, and a classifier for whole numbers, which are codes of categories.

    Numbers are standardised, so they are not whole.
    """

    def __init__(self, regressor, classifier):
        self.regressor = regressor
        self.classifier = classifier

    def fit(self, X, y):
        model = self.classifier if (y == np.rint(y)).all() else self.regressor
        self.model_ = clone(model).fit(X, y)
        return self

    def predict(self, X):
        return self.model_.predict(X)


def iterative(regressor, classifier, **options):
    """Return an IterativeImputer of ordinal codes.

    It cannot use one-hot blocks. A column of a block is one minus the others, so it would keep its
    initial value.
    """
    return IterativeImputer(ByKind(regressor, classifier), **options)


def linear_imputer(seed):
    return iterative(BayesianRidge(), RidgeClassifier(), random_state=seed)


def forest_imputer(seed):
    options = {"n_estimators": N_TREES, "max_features": "sqrt", "random_state": seed}
    forests = ExtraTreesRegressor(**options), ExtraTreesClassifier(**options)
    return iterative(*forests, max_iter=FOREST_ROUNDS, random_state=seed)


def by_sklearn(make, Codes):
    """Return a method that imputes codes by an imputer of scikit-learn."""

    def fill_by(table, seed):
        codes = Codes(table)
        return codes.decode(make(seed).fit_transform(codes.encode())), None

    return fill_by


def by_vae(table, seed):
    """Return the table imputed by a VAE, and a function of the log-densities of such rows."""
    if not categories_of(table):
        imputer = VAEImputer(random_state=seed)
        filled = table.copy()
        filled[:] = imputer.fit_transform(table)
        return filled, partial(_log_prob_in_spreads, imputer.estimator_, table.std(ddof=0))
    encoder = TableEncoder(missing="keep")
    codes = encoder.fit_transform(table)
    imputer = VAEImputer(likelihood=encoder.likelihoods_, random_state=seed)
    filled = encoder.inverse_transform(imputer.fit_transform(codes))
    log_prob = partial(_log_prob_of_codes, imputer.estimator_, encoder)
    return table.where(table.notna(), filled), log_prob


def _log_prob_in_spreads(vae, spreads, rows):
    """Return log p of rows of numbers in standard deviations ``spreads``, those of the fit."""
    units = rows.notna().to_numpy() @ np.log(spreads.where(spreads > 0, 1.0).to_numpy())
    return vae.log_likelihood(rows, random_state=0) + units


def _log_prob_of_codes(vae, encoder, rows):
    return vae.log_likelihood(encoder.transform(rows), random_state=0)


REFERENCE = "KNNImputer"
METHODS = {
    "SimpleImputer": by_sklearn(lambda seed: SimpleImputer(), OneHotCodes),
    REFERENCE: by_sklearn(lambda seed: KNNImputer(), OneHotCodes),
    "IterativeImputer": by_sklearn(linear_imputer, OrdinalCodes),
    "of forests": by_sklearn(forest_imputer, OrdinalCodes),
    "VAEImputer": by_vae,
}


def fill(method, table, seed):
    """Return the imputed table, the processor time, and the function of log-densities or None."""
    started = process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no convergence, or collapsed codes
        filled, log_prob = METHODS[method](table, seed)
    return filled, process_time() - started, log_prob


def removed_nats(log_prob, table, holes, removed):
    """Return the mean over entries of log p(removed | remaining), in nats.

    A column with only one remaining value is not counted, since its density is arbitrary.
    """
    varied = (holes.nunique() > 1).to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole, left = (log_prob(_only(rows, varied)) for rows in (table, holes))
    return float((whole - left).sum() / removed[:, varied].sum())


def _only(table, kept):
    """Return a table in which all columns except those kept are missing."""
    return table.where(np.broadcast_to(kept, table.shape))
