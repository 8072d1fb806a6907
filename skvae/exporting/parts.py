"""One part of what a fitted estimator answers, as a module of torch: the source of all exports."""

from typing import Any

import torch
from torch import nn

from skvae.base.hyperparameters import check_argument, one_of
from skvae.exporting.conversion import step_of

__all__ = ["DTYPES", "PARTS", "Part", "part_of", "to_torch"]

DTYPES = {"float32": torch.float32, "float64": torch.float64}
PARTS = {
    "code": ("code",),
    "reconstruction": ("reconstruction",),
    "reconstruction_error": ("reconstruction_error",),
    "score_samples": ("score_samples",),
    "detector": ("score_samples", "decision_function", "predict", "p_value"),
}  # and the names of their results


class Part(nn.Module):
    """A module whose ``forward`` is one method of a step.

    Parameters
    ----------
    step : Step
        What an estimator computes.
    part : str
        One of ``PARTS``.
    """

    def __init__(self, step, part):
        super().__init__()
        self.step, self.part = step, part

    @property
    def n_features(self):
        """Length of a row."""
        return self.step.n_features

    def forward(self, X):
        """Return the part of rows (n_samples, n_features), for a detector a dict."""
        return getattr(self.step, self.part)(X)


def part_of(estimator, part, dtype, function):
    """Return one part of a fitted estimator, or refuse it in the name of a function."""
    check_argument("part", part, one_of(*PARTS), function)
    check_argument("dtype", dtype, one_of(*DTYPES), function)
    step = step_of(estimator, DTYPES[dtype], "estimator")
    if part not in step.offers:
        raise ValueError(
            f"The part must be one that {type(estimator).__name__} has: {', '.join(step.offers)}. "
            f"Got {part!r} instead. Ask for one of these."
        )
    return Part(step, part).eval()


@torch.inference_mode(mode=False)
def to_torch(estimator: Any, part: str = "code", *, dtype: str = "float32") -> nn.Module:
    """Return what a fitted estimator answers as a module of torch, without scikit-learn.

    The module has copies of weights, constants of the scalers and thresholds. It looks at no
    value, so that ``torch.export.export`` and ``torch.compile`` take it, and checks none: a row
    with NaN has NaN for an answer, to a detector it is an outlier.

    Parameters
    ----------
    estimator : estimator
        Fitted: a transformer of this package, an :class:`~skvae.AutoencoderOutlierDetector`, or a
        Pipeline of such and of scikit-learn's ``StandardScaler``, ``MinMaxScaler``,
        ``MaxAbsScaler``, ``RobustScaler`` and ``FunctionTransformer``, of a function that
        torch has.
    part : {"code", "reconstruction", "reconstruction_error", "score_samples", "detector"}, \
            default="code"
        What ``forward`` returns for rows of shape (n_samples, n_features):

        - "code": ``transform``
        - "reconstruction": ``inverse_transform`` of that
        - "reconstruction_error": its mean squared error, row by row, in squared units of X
        - "score_samples": the same, float64. Noise vectors that a bound is a mean over are fixed
          ones, of the estimator too, and are in the module. Rows without a density have NaN.
        - "detector": of an outlier detector, a dict of "score_samples", "decision_function",
          "predict" and "p_value", for rows that no model has seen. Rows that were fitted are taken
          for new ones.
    dtype : {"float32", "float64"}, default="float32"
        Of the rows, and of what is computed from them.

    Returns
    -------
    torch.nn.Module
        In evaluation mode, on the CPU; its parameters need no gradient.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it, or a step of it, is of another class.
    ValueError
        If the estimator has no such part, or holds what torch cannot compute: a scaling function
        or an anomaly score that is a callable, a table that is not all numbers, a method of
        a subclass of yours.

    See Also
    --------
    to_onnx : Writes the same to a file.
    save : Keeps the estimator itself.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from sklearn.datasets import load_iris
    >>> import skvae
    >>> X = load_iris().data
    >>> vae = skvae.VAETransformer(2, max_epochs=5, random_state=0).fit(X)
    >>> encoder = skvae.to_torch(vae, "code", dtype="float64")
    >>> np.allclose(encoder(torch.from_numpy(X)), vae.transform(X))
    True
    """
    return part_of(estimator, part, dtype, "to_torch")
