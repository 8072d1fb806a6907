"""What an export refuses, in which sentence, before it writes a file."""

import os
import re
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from exported import TRANSFORMERS, UNKNOWN, VAE
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from torch import nn

import skvae
from skvae import AutoencoderOutlierDetector, AutoencoderTransformer, SavingError, VAETransformer
from skvae.exporting import onnx_files
from skvae.tabular import TableEncoder

SMALL = {"hidden_layer_sizes": (4,), "max_epochs": 1, "random_state": 0}
KEEP = "keep the estimator by skvae.save."
KNOWN = (
    "An export takes this package's estimators, scikit-learn's StandardScaler, MinMaxScaler, "
    "MaxAbsScaler, RobustScaler and FunctionTransformer, and Pipelines of these."
)
FUNCTIONS = (
    "An export knows the functions exp, expm1, log, log1p, sqrt and square of NumPy, and those of "
    "AutoencoderOutlierDetector."
)


@pytest.fixture(scope="module")
def X():
    return np.random.RandomState(0).rand(60, 3)


@pytest.fixture
def refused(tmp_path):
    """A function that asserts both exports to refuse with one sentence, without a file."""

    def check(estimator, error, sentence, part="code"):
        with pytest.raises(error, match=f"^{re.escape(sentence)}$"):
            skvae.to_torch(estimator, part)
        with pytest.raises(error, match=f"^{re.escape(sentence)}$"):
            skvae.to_onnx(estimator, tmp_path / "model.onnx", part)
        assert os.listdir(tmp_path) == []

    return check


HOLES_AND_KINDS = {
    "missing='mask'": ({"missing": "mask"}, "missing=None"),
    "likelihood=[('bernoulli', [0]), ('gaussian', [1, 2])]": (
        {"likelihood": [("bernoulli", [0]), ("gaussian", [1, 2])]},
        "one of these for all columns",
    ),
    "likelihood='poisson'": ({"likelihood": "poisson"}, "one of these for all columns"),
}


@pytest.mark.parametrize("got", HOLES_AND_KINDS)
def test_models_of_holes_of_columns_of_several_kinds_and_of_counts(got, X, refused):
    parameters, remedy = HOLES_AND_KINDS[got]
    rows = np.column_stack((X[:, 0] > 0.5, X[:, 1:]))
    rows = rows.round() if "poisson" in got else rows
    vae = VAETransformer(2, **parameters, **SMALL).fit(rows)
    refused(
        vae,
        ValueError,
        f"An export takes models of rows without holes, of one likelihood of gaussian, bernoulli, "
        f"continuous-bernoulli. Got estimator with {got} instead. Fit it with {remedy}, or "
        f"keep it by skvae.save.",
    )


class OwnScore(VAETransformer):
    def score_samples(self, X):
        return super().score_samples(X) - 1


class Branching(nn.Linear):
    def forward(self, x):
        return super().forward(x if x.sum() > 0 else -x)


class Uncopied(nn.Linear):
    def __deepcopy__(self, memo):
        raise RuntimeError("This holds a lock.\nReally.")


class OfAnotherPackage(BaseEstimator):
    pass


def mean_score(transformer, X):
    return -np.abs(transformer.transform(X)).sum(axis=1)


@pytest.mark.parametrize(
    "estimator",
    [
        VAE,
        make_pipeline(StandardScaler(), VAE),
        AutoencoderOutlierDetector(),
        StandardScaler(),
        FunctionTransformer(np.exp),
    ],
)
def test_an_estimator_must_be_fitted(estimator, tmp_path):
    with pytest.raises(NotFittedError, match=" is not fitted yet"):
        skvae.to_torch(clone(estimator))
    with pytest.raises(NotFittedError, match=" is not fitted yet"):
        skvae.to_onnx(clone(estimator), tmp_path / "model.onnx")
    assert os.listdir(tmp_path) == []


def test_other_classes_are_refused(X, refused):
    sentence = KNOWN + " Got {}, instead. Leave it out, or " + KEEP
    pca = clone(UNKNOWN).fit(X)
    refused(pca, TypeError, sentence.format("estimator.pca, of class PCA"))
    refused(OfAnotherPackage(), TypeError, sentence.format("estimator, of class OfAnotherPackage"))
    refused("vae", TypeError, sentence.format("estimator, of class str"))
    table = TableEncoder().fit(pd.DataFrame(X, columns=list("abc")))
    refused(table, TypeError, sentence.format("estimator, of class TableEncoder"))
    detector = AutoencoderOutlierDetector(PCA(1), random_state=0).fit(X)
    got = "estimator.estimators_[0], of class PCA"
    refused(detector, TypeError, sentence.format(got), "detector")


def test_a_pipeline_must_compute_something(X, refused):
    refused(
        make_pipeline("passthrough", None).fit(X),
        TypeError,
        "An export takes a Pipeline that computes something. Got estimator, whose steps "
        "passthrough, nonetype are 'passthrough', instead. Give the estimator alone.",
    )


def test_parts_and_dtypes_are_those_there_are(X, refused, tmp_path):
    vae = clone(VAE).fit(X)
    refused(
        vae,
        ValueError,
        "The part must be one that VAETransformer has: code, reconstruction, reconstruction_error, "
        "score_samples. Got 'detector' instead. Ask for one of these.",
        "detector",
    )
    refused(
        AutoencoderOutlierDetector(VAE, random_state=0).fit(X),
        ValueError,
        "The part must be one that AutoencoderOutlierDetector has: score_samples, detector. Got "
        "'code' instead. Ask for one of these.",
    )
    refused(
        make_pipeline(clone(VAE), StandardScaler()).fit(X),
        ValueError,
        "The part must be one that Pipeline has: code, reconstruction, reconstruction_error. Got "
        "'score_samples' instead. Ask for one of these.",
        "score_samples",
    )
    with pytest.raises(ValueError, match=r"^The 'part' parameter of to_torch must be a str among"):
        skvae.to_torch(vae, "codes")
    with pytest.raises(ValueError, match=r"^The 'dtype' parameter of to_onnx must be a str among"):
        skvae.to_onnx(vae, tmp_path / "model.onnx", dtype="float16")
    assert os.listdir(tmp_path) == []


def test_functions_that_torch_does_not_know_are_refused(X, refused):
    halve = FunctionTransformer(np.arctan)
    refused(
        make_pipeline(halve, VAE).fit(X),
        ValueError,
        f"{FUNCTIONS} Got estimator.functiontransformer with func={np.arctan!r} instead. Apply it "
        f"to rows before, or {KEEP}",
    )
    with_arguments = FunctionTransformer(np.exp, np.log, inv_kw_args={"where": True})
    refused(
        with_arguments.fit(X),
        ValueError,
        f"{FUNCTIONS} Got estimator with inverse_func={np.log!r} instead. Apply it to rows before, "
        f"or {KEEP}",
    )


def test_a_score_that_is_a_callable_is_refused(X, refused):
    detector = AutoencoderOutlierDetector(VAE, anomaly_score=mean_score, random_state=0).fit(X)
    refused(
        detector,
        ValueError,
        f"An export knows the anomaly scores 'likelihood', 'reconstruction' and 'latent'. Got "
        f"estimator with {mean_score!r} instead. Fit it with one of these.",
        "detector",
    )


def test_a_table_with_other_columns_is_refused(X, refused):
    frame = pd.DataFrame(X, columns=list("abc")).assign(d=["x", "y", "z"] * 20)
    encoder = make_pipeline(TableEncoder(), VAETransformer(1, **SMALL))
    detector = AutoencoderOutlierDetector(encoder, anomaly_score="latent", random_state=0)
    refused(
        detector.fit(frame),
        ValueError,
        "An export takes rows of numbers. Got estimator, fitted to a table with other columns, "
        "instead. Keep it by skvae.save.",
        "detector",
    )


def test_answers_of_a_subclass_are_refused(X, refused):
    refused(
        OwnScore(1, **SMALL).fit(X),
        ValueError,
        "An export computes what this package's methods do. Got estimator, of class OwnScore, with "
        "score_samples of its own instead. Give an estimator that has this package's, or keep it "
        "by skvae.save.",
    )


def test_a_network_that_cannot_be_copied_is_refused(X, refused):
    refused(
        make_pipeline(AutoencoderTransformer(1, encoder=Uncopied, max_epochs=1)).fit(X),
        ValueError,
        "An export needs networks that copy.deepcopy can copy. Got RuntimeError from that of "
        "estimator.autoencodertransformer instead: This holds a lock. Hold plain tensors and "
        "modules in the encoder and the decoder.",
    )


def test_a_network_that_cannot_be_traced_is_refused(X, tmp_path):
    estimator = AutoencoderTransformer(1, encoder=Branching, max_epochs=1, random_state=0).fit(X)
    with pytest.raises(
        ValueError, match=r"^torch\.onnx must be able to trace the network\. Got "
    ) as (caught):
        skvae.to_onnx(estimator, tmp_path / "model.onnx")
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(f"Write encoder and decoder without branches on values, or {KEEP}")
    assert os.listdir(tmp_path) == []


def test_an_operation_that_onnxruntime_lacks_is_refused(X, tmp_path):
    estimator = AutoencoderTransformer(1, activation="elu", **SMALL).fit(X)
    with pytest.raises(
        ValueError,
        match=r"^onnxruntime must have the operations of the network in float64\. Got its error "
        r"instead: .*Elu.*\. Use dtype='float32', or to_torch\.$",
    ):
        skvae.to_onnx(estimator, tmp_path / "model.onnx", dtype="float64")
    assert os.listdir(tmp_path) == []


def test_weights_that_a_file_has_no_room_for_are_refused(X, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_files, "MOST_BYTES", 50)
    estimator = AutoencoderTransformer(1, hidden_layer_sizes=(), max_epochs=1).fit(X)
    n_bytes = sum(each.nbytes for each in skvae.to_torch(estimator).state_dict().values())
    with pytest.raises(
        ValueError,
        match=f"^A file of ONNX holds at most 50 bytes. Got an estimator of {n_bytes} instead. "
        f"Use to_torch, or smaller layers.$",
    ):
        skvae.to_onnx(estimator, tmp_path / "model.onnx")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("missing", ["onnxruntime", "onnxscript"])
def test_without_the_extra_a_sentence_names_it(missing, X, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(
        ImportError,
        match=r"^to_onnx needs onnx, onnxscript and onnxruntime\. Got none that can be imported "
        r"instead\. Install them: pip install skvae\[onnx\]$",
    ):
        skvae.to_onnx(clone(VAE).fit(X), tmp_path / "model.onnx")
    assert os.listdir(tmp_path) == []


def test_an_onnxscript_that_is_too_old_is_named(X, tmp_path, monkeypatch):
    def old(*args, **kwargs):
        raise ModuleNotFoundError("No module named 'onnxscript._framework_apis.torch_2_11'")

    monkeypatch.setattr(torch.onnx, "export", old)
    sentence = (
        f"torch {torch.__version__} must find the onnxscript that it writes ONNX by. Got an error "
        f"instead: No module named 'onnxscript._framework_apis.torch_2_11'. Install a newer one: "
        f"pip install --upgrade onnxscript"
    )
    with pytest.raises(ImportError, match=f"^{re.escape(sentence)}$"):
        skvae.to_onnx(clone(VAE).fit(X), tmp_path / "model.onnx")
    assert os.listdir(tmp_path) == []


def test_a_file_is_replaced_whole_or_not_at_all(X, tmp_path, monkeypatch):
    path = tmp_path / "model.onnx"
    estimator = AutoencoderTransformer(1, hidden_layer_sizes=(), max_epochs=1).fit(X)
    monkeypatch.setattr(onnx_files, "onnx_model", lambda *args: b"model")
    monkeypatch.setattr(onnx_files, "_check_runs", lambda *args: None)
    skvae.to_onnx(estimator, path)
    assert path.read_bytes() == b"model"
    with pytest.raises(
        SavingError,
        match=r"^A path must be that of a file\. Got .*, which is something else, instead\. Give "
        r"the path of a file\.$",
    ):
        skvae.to_onnx(estimator, tmp_path)
    monkeypatch.undo()
    with pytest.raises(TypeError):
        skvae.to_onnx(PCA(1).fit(X), path)
    assert path.read_bytes() == b"model"


def test_a_search_is_exported_as_its_best_estimator(X):
    search = GridSearchCV(clone(TRANSFORMERS["ae"]), {"lr": [1e-3]}, cv=2).fit(X)
    rows = torch.from_numpy(X.astype(np.float32))
    found = skvae.to_torch(search)(rows)
    assert torch.equal(found, skvae.to_torch(search.best_estimator_)(rows))
