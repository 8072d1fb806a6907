"""skops dumps and loads this package's estimators too, by types that the caller trusts."""

import numpy as np
import pytest
import skops.io
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import AutoencoderOutlierDetector, AutoencoderTransformer, VAETransformer

SMALL = {"hidden_layer_sizes": (4,), "max_epochs": 2, "random_state": 0}


@pytest.mark.parametrize("Estimator", [AutoencoderTransformer, VAETransformer])
def test_skops_keeps_a_transformer(Estimator, table):
    fitted = Estimator(2, warm_start=True, **SMALL).fit(table)
    data = skops.io.dumps(fitted)
    trusted = ["numpy.dtype", f"{Estimator.__module__}.{Estimator.__name__}"]
    assert skops.io.get_untrusted_types(data=data) == trusted
    loaded = skops.io.loads(data, trusted=trusted)
    np.testing.assert_array_equal(loaded.transform(table), fitted.transform(table))
    np.testing.assert_array_equal(
        loaded.fit(table).transform(table), fitted.fit(table).transform(table)
    )


def test_skops_keeps_a_pipeline_and_a_detector(table):
    pipe = make_pipeline(StandardScaler(), VAETransformer(2, **SMALL)).fit(table)
    detector = AutoencoderOutlierDetector(random_state=0).fit(table)
    for fitted in (pipe, detector):
        data = skops.io.dumps(fitted)
        trusted = skops.io.get_untrusted_types(data=data)
        assert all(name.startswith(("skvae.", "numpy.dtype")) for name in trusted)
        loaded = skops.io.loads(data, trusted=trusted)
        np.testing.assert_array_equal(loaded.score_samples(table), fitted.score_samples(table))
