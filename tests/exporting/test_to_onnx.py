"""What onnxruntime computes of a file is what the estimator answers; a file is whole and bare."""

import json
import logging
import os
import warnings

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from exported import DETECTORS, PARTS, TRANSFORMERS, assert_equal, image_model
from sklearn.base import clone
from torch import nn

import skvae
from skvae.exporting.conversion import step_of
from skvae.exporting.onnx_files import onnx_model
from skvae.exporting.parts import DTYPES
from skvae.exporting.parts import PARTS as RESULTS

LEAST = pytest.mark.filterwarnings("ignore:The divergence must be below")  # after few epochs
IMAGES = [
    *(((10, 8, 1), "gaussian", name) for name in ("residual", "hybrid", "paper")),
    *(((10, 8, 1), "bernoulli", name) for name in ("residual", "hybrid", "paper")),
    *(((33, 32, 3), "continuous-bernoulli", name) for name in ("residual", "hybrid", "paper")),
    *(((130, 128, 1), "gaussian", name) for name in ("residual", "hybrid")),
]


@pytest.fixture
def X(table):
    """Rows in (0, 1)."""
    return 0.01 + 0.98 * (table - table.min()) / np.ptp(table)


class AllParts(nn.Module):
    """What each part of a transformer is, of one trace: a trace takes seconds."""

    def __init__(self, step, parts):
        super().__init__()
        self.step, self.parts = step, parts

    def forward(self, X):
        return {part: getattr(self.step, part)(X) for part in self.parts}


def computed(path_or_bytes, names):
    """Return a function from an array to arrays by name."""
    session = onnxruntime.InferenceSession(path_or_bytes)

    def compute(rows):
        return dict(zip(names, session.run(list(names), {"X": rows}), strict=True))

    return compute


def assert_every_part(estimator, parts, X, dtype="float32"):
    module = AllParts(step_of(estimator, DTYPES[dtype], "estimator"), parts).eval()
    data = onnx_model(module, X.shape[1], dtype, parts, {})
    for part in parts:
        assert_equal(computed(data, [part]), estimator, part, X.astype(dtype))


def assert_file(estimator, part, X, folder, dtype="float32"):
    path = folder / "model.onnx"
    skvae.to_onnx(estimator, path, part, dtype=dtype)
    assert_equal(computed(path, RESULTS[part]), estimator, part, X.astype(dtype))


@pytest.mark.parametrize("name", ["standard", "scaled-bernoulli"])
def test_every_part_is_the_transformers_own_answer(name, X):
    assert_every_part(clone(TRANSFORMERS[name]).fit(X), PARTS, X[:100])


@pytest.mark.long
def test_every_part_of_an_image_model_is_its_own_answer():
    X = np.random.RandomState(0).rand(100, 80)
    assert_every_part(image_model("residual").fit(X), PARTS, X)


@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.long)])
def test_a_file_of_the_default_detector_decides_of_new_rows_as_it_does(dtype, X, tmp_path):
    fitted, new = X[:300].copy(), X[300:].copy()
    fitted[:, 2] = new[:, 2] = 0.3
    new[::10] += 2.0
    detector = clone(DETECTORS["default"]).fit(fitted)
    assert_file(detector, "detector", new, tmp_path, dtype)


@pytest.mark.long
@LEAST
@pytest.mark.parametrize("name", TRANSFORMERS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_part_of_every_transformer_is_its_own_answer(name, dtype, X):
    if dtype == "float64" and name in ("leaky_relu", "elu", "gelu"):
        pytest.skip("onnxruntime has these for float32 alone")
    estimator = clone(TRANSFORMERS[name]).fit(X)
    parts = PARTS if hasattr(estimator, "score_samples") else PARTS[:3]
    assert_every_part(estimator, parts, X[:100], dtype)


@pytest.mark.long
@pytest.mark.parametrize(("image_shape", "likelihood", "architecture"), IMAGES)
def test_every_part_of_every_image_model_is_its_own_answer(image_shape, likelihood, architecture):
    X = np.random.RandomState(0).rand(100, np.prod(image_shape))
    model = image_model(architecture, image_shape, likelihood=likelihood).fit(X)
    assert_every_part(model, PARTS, X)


@pytest.mark.long
@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("part", ["score_samples", "detector"])
def test_a_file_of_a_detector_decides_of_new_rows_as_it_does(name, part, X, tmp_path):
    fitted, new = X[:300], X[300:].copy()
    new[::10] += 2.0
    assert_file(clone(DETECTORS[name]).fit(fitted), part, new, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("part", PARTS)
def test_a_file_has_one_part(part, X, tmp_path):
    assert_file(clone(TRANSFORMERS["vae"]).fit(X), part, X[:100], tmp_path)


def test_a_file_says_what_it_is_and_nothing_of_where_it_was_made(X, tmp_path, capfd, caplog):
    names = [f"column {number}" for number in range(6)]
    estimator = clone(TRANSFORMERS["standard"]).fit(pd.DataFrame(X, columns=names))
    path = tmp_path / "model.onnx"
    levels = [logging.getLogger(name).level for name in ("torch.onnx", "onnxscript")]
    filters = warnings.filters[:]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        skvae.to_onnx(estimator, path)
    assert levels == [logging.getLogger(name).level for name in ("torch.onnx", "onnxscript")]
    assert filters == warnings.filters
    assert os.listdir(tmp_path) == ["model.onnx"]
    logged = [record for record in caplog.records if record.levelno > logging.DEBUG]
    assert (caught, logged, *capfd.readouterr()) == ([], [], "", "")
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    facts = {entry.key: entry.value for entry in model.metadata_props}
    assert facts.pop("feature_names") == json.dumps(names)
    assert facts == {"skvae": skvae.__version__, "part": "code"}
    for value, name, length in ((model.graph.input, "X", 6), (model.graph.output, "code", 2)):
        (value,) = value
        rows, columns = value.type.tensor_type.shape.dim
        assert (value.name, rows.dim_param, columns.dim_value) == (name, "n_samples", length)
    weights = sum(weight.nbytes for weight in skvae.to_torch(estimator).buffers())
    weights += sum(weight.nbytes for weight in skvae.to_torch(estimator).parameters())
    assert path.stat().st_size < weights + 8000
    assert b".py" not in path.read_bytes()
