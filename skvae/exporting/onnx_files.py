"""ONNX files, which an ONNX runtime can compute without Python, torch or scikit-learn."""

import json
import logging
import os
import warnings
from contextlib import contextmanager
from typing import Any

import torch

from skvae._version import __version__
from skvae.exporting.conversion import first_line
from skvae.exporting.parts import DTYPES, PARTS, part_of
from skvae.files.disk import write_whole

__all__ = ["onnx_model", "to_onnx"]

MOST_BYTES = 2**31 - 1  # limit of a protobuf message
ROWS = "n_samples"
LOGGERS = ("torch.onnx", "onnxscript")


def to_onnx(
    estimator: Any,
    path: str | os.PathLike[str],
    part: str = "code",
    *,
    dtype: str = "float32",
) -> None:
    """Write one method of a fitted estimator to an ONNX file.

    The file has one input "X" of shape (n_samples, n_features), for any number of rows. It has one
    output, named like the part; a detector has four, named like its methods. The file contains
    scalers, weights, noise vectors and thresholds. For X of the same dtype, its results equal those
    of the estimator up to rounding. In float32 they agree within 1e-5 of the largest value, if the
    estimator itself is that precise. Rows are not checked: a row with NaN gives NaN, and a detector
    calls it an outlier.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator of a class that :func:`to_torch` accepts.
    path : str or path-like
        A new file, or one to replace. If writing fails, the old file stays.
    part : {"code", "reconstruction", "reconstruction_error", "score_samples", "detector"}, \
            default="code"
        What the file computes; see :func:`to_torch`.
    dtype : {"float32", "float64"}, default="float32"
        The dtype of X and of the computation. onnxruntime has no convolutions for float64.

    Raises
    ------
    ImportError
        If onnx, onnxscript or onnxruntime is missing: ``pip install skvae[onnx]``.
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If the class of the estimator, or of one of its steps, cannot be exported.
    ValueError
        If :func:`to_torch` refuses the estimator; if torch cannot trace a module of yours, or
        onnxruntime lacks one of its operations; if the weights take more than 2 GiB.
    OSError
        If the file cannot be written.

    See Also
    --------
    to_torch : Returns the same as a torch module, for ``torch.export``.
    save : Saves the estimator itself.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import onnxruntime
    >>> from sklearn.datasets import load_iris
    >>> import skvae
    >>> X = load_iris().data.astype(np.float32)
    >>> vae = skvae.VAETransformer(2, max_epochs=5, random_state=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skvae.to_onnx(vae, Path(folder) / "vae.onnx")
    ...     session = onnxruntime.InferenceSession(Path(folder) / "vae.onnx")
    >>> (codes,) = session.run(["code"], {"X": X})
    >>> np.allclose(codes, vae.transform(X), atol=1e-5)
    True
    """
    runtime = _onnxruntime()
    module = part_of(estimator, part, dtype, "to_onnx")
    facts = {"skvae": __version__, "part": part}
    if hasattr(estimator, "feature_names_in_"):
        facts["feature_names"] = json.dumps([str(name) for name in estimator.feature_names_in_])
    data = onnx_model(module, module.n_features, dtype, PARTS[part], facts)
    _check_runs(runtime, data, dtype)
    write_whole(path, data)


def _onnxruntime():
    """Return onnxruntime, or raise an error if it or a package that torch needs is missing."""
    try:
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "to_onnx needs onnx, onnxscript and onnxruntime. Got none that can be imported "
            "instead. Install them: pip install skvae[onnx]"
        ) from error
    return onnxruntime


@torch.inference_mode(mode=False)
def onnx_model(module, n_features, dtype, names, facts):
    """Return the bytes of an ONNX file.

    Parameters
    ----------
    module : nn.Module
        In evaluation mode; it takes rows and returns one or more results.
    n_features : int
        Number of columns of a row.
    dtype : {"float32", "float64"}
        The dtype of the rows.
    names : sequence of str
        Names of the results.
    facts : dict of {str: str}
        Metadata for the file.

    Returns
    -------
    bytes
    """
    n_bytes = sum(weight.nbytes for weight in (*module.parameters(), *module.buffers()))
    if n_bytes > MOST_BYTES:
        raise ValueError(
            f"A file of ONNX holds at most {MOST_BYTES} bytes. Got an estimator of {n_bytes} "
            f"instead. Use to_torch, or smaller layers."
        )
    x = torch.zeros(2, n_features, dtype=DTYPES[dtype])  # torch would fix a size of one row
    with _quiet():
        try:
            rows = {"X": {0: torch.export.Dim(ROWS, min=1)}}
            traced = torch.export.export(module, (x,), dynamic_shapes=rows)
            program = torch.onnx.export(
                traced, dynamo=True, verbose=False, input_names=["X"], output_names=list(names)
            )
            model = program.model_proto
        except ImportError as error:
            raise ImportError(
                f"torch {torch.__version__} must find the onnxscript that it writes ONNX by. Got "
                f"an error instead: {first_line(error)}. Install a newer one: pip install "
                f"--upgrade onnxscript"
            ) from error
        except Exception as error:  # torch documents no class of error
            raise ValueError(
                f"torch.onnx must be able to trace the network. Got {type(error).__name__} "
                f"instead: {first_line(error)}. Write encoder and decoder without branches on "
                f"values, or keep the estimator by skvae.save."
            ) from error
    return _bare(model, facts).SerializeToString()


def _bare(model, facts):
    """Return the model without the paths and source lines that torch recorded."""
    graph = model.graph
    del graph.value_info[:]
    for part in (*graph.node, *graph.initializer, *graph.input, *graph.output, graph, model):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = ROWS
    for key, value in facts.items():
        model.metadata_props.add(key=key, value=value)
    return model


def _check_runs(runtime, data, dtype):
    """Raise an error if onnxruntime lacks an operation of the model."""
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # the error already says what is missing
    try:
        runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has its own error classes
        other = "to_torch" if dtype == "float32" else "dtype='float32', or to_torch"
        raise ValueError(
            f"onnxruntime must have the operations of the network in {dtype}. Got its error "
            f"instead: {first_line(error)}. Use {other}."
        ) from error


@contextmanager
def _quiet():
    """Suppress torch's messages about its own progress and its own code."""
    levels = {logging.getLogger(name): logging.getLogger(name).level for name in LOGGERS}
    try:
        for logger in levels:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in levels.items():
            logger.setLevel(level)
