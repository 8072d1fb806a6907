"""The methods that features.py compares, and the scores of predictions from their codes."""

from functools import cache, partial
from hashlib import sha1
from pathlib import Path
from time import process_time

import numpy as np
from sklearn.decomposition import PCA, FactorAnalysis, KernelPCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skvae
from skvae import (
    AutoencoderTransformer,
    BetaTCVAETransformer,
    BetaVAETransformer,
    VAETransformer,
)

__all__ = ["AUTOENCODERS", "METHODS", "RAW", "UMAP", "codes_of", "source", "told", "warm_up"]

RAW, UMAP = "raw", "UMAP"
MAX_ITER = 2_000  # for the logistic regression
N_NEIGHBORS = 5

AUTOENCODERS = {
    "AE": AutoencoderTransformer,
    "VAE": VAETransformer,
    "beta-VAE": BetaVAETransformer,
    "beta-TCVAE": BetaTCVAETransformer,
}


def umap(n_components, *, random_state):
    """Return the UMAP of umap-learn, an optional dependency of this benchmark."""
    from umap import UMAP

    return UMAP(n_components=n_components, random_state=random_state, n_jobs=1)


OTHERS = {
    "PCA": PCA,
    "KernelPCA": partial(KernelPCA, kernel="rbf"),
    "FactorAnalysis": FactorAnalysis,
    UMAP: umap,
}
METHODS = (*AUTOENCODERS, *OTHERS, RAW)


def codes_of(method, split, n_components, seed, **settings):
    """Return the codes of both parts of a split, and the processor time for them.

    The settings are those of the autoencoders.
    """
    train, test = split.train, split.test
    if method == RAW:
        return train, test, None
    if method in OTHERS:
        model = OTHERS[method](n_components, random_state=seed)
    else:
        model = AUTOENCODERS[method](n_components, random_state=seed, **settings)
    started = process_time()
    model.fit(train)
    codes = model.transform(train), model.transform(test)
    return *codes, process_time() - started


def told(train, test, y_train, y_test, *, grades):
    """Return the held-out scores of a linear model and of neighbours: accuracy, or R2 of grades."""
    models = {
        "linear": Ridge() if grades else LogisticRegression(max_iter=MAX_ITER),
        "neighbours": (KNeighborsRegressor if grades else KNeighborsClassifier)(N_NEIGHBORS),
    }
    return {
        name: float(make_pipeline(StandardScaler(), model).fit(train, y_train).score(test, y_test))
        for name, model in models.items()
    }


@cache
def source():
    """Return a hash of the source code of skvae."""
    digest = sha1()
    for path in sorted(Path(skvae.__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def warm_up(methods):
    """Call every method once in this process. So a first call, which may compile, is not timed."""
    rows = np.random.RandomState(0).standard_normal((100, 5)).astype(np.float32)
    for method in methods:
        if method in OTHERS:
            OTHERS[method](2, random_state=0).fit(rows).transform(rows[:50])
        elif method in AUTOENCODERS:
            AUTOENCODERS[method](2, max_epochs=1, random_state=0).fit(rows).transform(rows)
