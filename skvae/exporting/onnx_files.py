"""Files of ONNX, which any of its runtimes computes: no Python, no torch, no scikit-learn."""

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

MOST_BYTES = 2**31 - 1  # of a message of protobuf
ROWS = "n_samples"
LOGGERS = ("torch.onnx", "onnxscript")


def to_onnx(
    estimator: Any,
    path: str | os.PathLike[str],
    part: str = "code",
    *,
    dtype: str = "float32",
) -> None:
    """Write what a fitted estimator answers to a file of ONNX.

    The file has one input "X", (n_samples, n_features), of any number of rows, and an output by
    the name of the part; of a detector four, by the names of its methods. Scalers, weights,
    noise vectors and thresholds are in it. Results equal those of the estimator for X of the same
    dtype up to rounding: in float32 within 1e-5 of the largest, where the estimator's own have as
    many digits. Rows are not checked: one with NaN has NaN for an answer, to a detector it is an
    outlier.

    Parameters
    ----------
    estimator : estimator
        Fitted, of those that :func:`to_torch` takes.
    path : str or path-like
        A new file, or one to replace: written whole, or the old one stays.
    part : {"code", "reconstruction", "reconstruction_error", "score_samples", "detector"}, \
            default="code"
        What it computes, as for :func:`to_torch`.
    dtype : {"float32", "float64"}, default="float32"
        Of X and of what is computed from it. onnxruntime has no convolutions of float64.

    Raises
    ------
    ImportError
        If there are no onnx, onnxscript and onnxruntime: ``pip install skvae[onnx]``.
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it, or a step of it, is of a class that has no export.
    ValueError
        If :func:`to_torch` refuses it; if torch cannot trace a module of yours, or onnxruntime
        lacks an operation of it; if the weights take more than 2 GiB.
    OSError
        If the file cannot be written.

    See Also
    --------
    to_torch : The same as a module, for ``torch.export``.
    save : Keeps the estimator itself.

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
    """Return onnxruntime, after a look for what torch writes ONNX by, or raise a sentence."""
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
    """Return the bytes of a file of ONNX.

    Parameters
    ----------
    module : nn.Module
        In evaluation mode; rows in, one or more results out.
    n_features : int
        Length of a row.
    dtype : {"float32", "float64"}
        Of the rows.
    names : sequence of str
        Of the results.
    facts : dict of {str: str}
        For the file's metadata.

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
    x = torch.zeros(2, n_features, dtype=DTYPES[dtype])  # one row would be taken for a constant
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
        except Exception as error:  # torch documents none
            raise ValueError(
                f"torch.onnx must be able to trace the network. Got {type(error).__name__} "
                f"instead: {first_line(error)}. Write encoder and decoder without branches on "
                f"values, or keep the estimator by skvae.save."
            ) from error
    return _bare(model, facts).SerializeToString()


def _bare(model, facts):
    """Return a model without the paths and lines of code that it was traced from."""
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
    """Refuse a model with an operation that onnxruntime does not have."""
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # the error says it all
    try:
        runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # of a class by itself
        other = "to_torch" if dtype == "float32" else "dtype='float32', or to_torch"
        raise ValueError(
            f"onnxruntime must have the operations of the network in {dtype}. Got its error "
            f"instead: {first_line(error)}. Use {other}."
        ) from error


@contextmanager
def _quiet():
    """Keep to itself what torch says of its own progress, and of its own code."""
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
