"""Fixtures for the tests of saving."""

import pytest
from refused_files import SMALL, X
from saved_files import resealed
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skvae
from skvae import AutoencoderOutlierDetector, AutoencoderTransformer, VAETransformer


@pytest.fixture(scope="session")
def originals(tmp_path_factory):
    """Files of estimators by name."""
    folder = tmp_path_factory.mktemp("originals")
    estimators = {
        "ae": AutoencoderTransformer(2, **SMALL),
        "vae": VAETransformer(2, warm_start=True, **SMALL),
        "detector": AutoencoderOutlierDetector(
            PCA(2), anomaly_score="reconstruction", random_state=0
        ),
        "pipeline": make_pipeline(StandardScaler(), VAETransformer(2, **SMALL)),
    }
    for name, estimator in estimators.items():
        skvae.save(estimator.fit(X), folder / name)
    return folder


@pytest.fixture
def changed(originals, tmp_path):
    """Return the path of a file that was changed by a function of its document and arrays."""

    def change(name, function):
        path = tmp_path / name
        path.write_bytes((originals / name).read_bytes())
        resealed(path, function)
        return path

    return change
