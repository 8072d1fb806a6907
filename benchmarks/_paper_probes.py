"""Linear models that predict attributes from codes or from images."""

import numpy as np
from _paper_data import some
from _paper_errors import kept
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

__all__ = [
    "MOST_ROWS",
    "PROBE_ROWS",
    "areas",
    "halves",
    "known_attributes",
    "known_features",
    "of_attributes",
    "probe",
    "probe_features",
    "probe_pixels",
    "scores",
]

# Largest numbers of training rows:
MOST_ROWS = 10_000  # for the decomposition
PROBE_ROWS = 5_000
PCA_ROWS = 2_000
N_SHOWN_COMPONENTS = 32


def known_attributes(images):
    """Return the attributes of the training images for the probes, and of the held-out images.

    The former are those of ``some(some(train, MOST_ROWS), PROBE_ROWS)``.
    """
    known = some(some(images.attributes_train, MOST_ROWS), PROBE_ROWS)
    return known, images.attributes_test


def probe(train, test, attributes):
    """Return the AUC of a linear probe of standardised codes, for every attribute."""
    scaler = StandardScaler().fit(train)
    return scores(scaler.transform(train), scaler.transform(test), attributes)


def probe_pixels(train, test, attributes, seed):
    """Return the result of :func:`decisions` for the principal components of reconstructions.

    The components are not rescaled. Directions in which the images hardly differ have less weight.
    An AUC does not depend on the contrast of the images as a whole.
    """
    n_components = min(N_SHOWN_COMPONENTS, len(train) - 1)
    pca = PCA(n_components, random_state=seed).fit(some(train, PCA_ROWS))
    return decisions(pca.transform(train), pca.transform(test), attributes)


def scores(train, test, attributes):
    """Return the AUC of a logistic regression for every attribute, or None if it is undefined."""
    return areas(*decisions(train, test, attributes))


def decisions(train, test, attributes):
    """Return the decision values of held-out rows for each attribute, and the attributes.

    The values are those of logistic regressions. They are None if all or none of the training rows
    have the attribute.
    """
    values = []
    for fitted in attributes[0].T:
        model = LogisticRegression(max_iter=1_000)
        varies = len(set(fitted)) == 2
        values.append(model.fit(train, fitted).decision_function(test) if varies else None)
    return values, attributes[1]


def areas(values, truth, left_out=None):
    """Return the AUC of the values of :func:`decisions`, or None if it is undefined."""
    rows = kept(len(truth), left_out)
    return [
        float(roc_auc_score(column[rows], value[rows]))
        if value is not None and len(set(column[rows])) == 2
        else None
        for value, column in zip(values, truth.T, strict=True)
    ]


def halves(auc, prevalence):
    """Return the mean AUC of ``all`` attributes, the ``rarer`` half and the ``commoner`` half.

    A mean without a known AUC is None.

    Parameters
    ----------
    auc : list of float or None
        The result of :func:`areas`.
    prevalence : ndarray of shape (n_attributes,)
        The share of training images with each attribute.
    """
    auc = np.array([np.nan if area is None else area for area in auc])
    rarity = np.minimum(prevalence, 1 - prevalence)
    rare = rarity < np.median(rarity)
    if not rare.any():
        rare = rarity <= np.median(rarity)
    parts = {"all": auc, "rarer": auc[rare], "commoner": auc[~rare]}
    return {
        name: float(np.nanmean(part)) if np.isfinite(part).any() else None
        for name, part in parts.items()
    }


def of_attributes(auc, images):
    """Return ``reconstruction_auc``, a list, and ``mean_auc``, the means of each list of AUC."""
    prevalence = images.attributes_train.mean(0)
    means = {source: halves(of_source, prevalence) for source, of_source in auc.items()}
    return {"reconstruction_auc": auc["reconstructions"], "mean_auc": means}


def probe_features(train, test, images, features):
    """Return {feature: AUC of a linear probe of codes of ``some(train, MOST_ROWS)``}."""
    if not features:
        return {}
    labels = known_features(images, features)
    return dict(zip(features, probe(train, test, labels), strict=True))


def known_features(images, features):
    """Return masks (n_images, n_features) of ``some(train, MOST_ROWS)`` and of held-out images."""
    factors = some(images.factors_train, MOST_ROWS), images.factors_test
    return tuple(
        np.column_stack([feature.of(part) for feature in features.values()]) for part in factors
    )
