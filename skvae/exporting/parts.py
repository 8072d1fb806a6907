"""One method of a fitted estimator as a torch module, from which all exports are made."""

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
}  # each part with the names of its results


class Part(nn.Module):
    """A module whose ``forward`` is one method of a step.

    Parameters
    ----------
    step : Step
        The exported estimator.
    part : str
        One of ``PARTS``.
    """

    def __init__(self, step, part):
        super().__init__()
        self.step, self.part = step, part

    @property
    def n_features(self):
        """Number of columns of a row."""
        return self.step.n_features

    def forward(self, X):
        """Return the result for rows of shape (n_samples, n_features); a dict for a detector."""
        return getattr(self.step, self.part)(X)


def part_of(estimator, part, dtype, function):
    """Return one part of a fitted estimator; errors name the calling function."""
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
    """Return one method of a fitted estimator as a torch module, without scikit-learn.

    The module has copies of the weights, thresholds and constants of the scalers. Its computation
    does not branch on values, so that ``torch.export.export`` and ``torch.compile`` accept it. It
    does not check its input: a row with NaN gives NaN, and a detector calls it an outlier.

    Parameters
    ----------
    estimator : estimator
        A fitted transformer of this package, an :class:`~skvae.AutoencoderOutlierDetector`, or a
        Pipeline of these and of scikit-learn's ``StandardScaler``, ``MinMaxScaler``,
        ``MaxAbsScaler``, ``RobustScaler`` and ``FunctionTransformer``. The function of the latter
        must have a counterpart in torch.
    part : {"code", "reconstruction", "reconstruction_error", "score_samples", "detector"}, \
            default="code"
        What ``forward`` returns for rows of shape (n_samples, n_features):

        - "code": ``transform``
        - "reconstruction": ``inverse_transform`` of the code
        - "reconstruction_error": the mean squared error of each row, in squared units of X
        - "score_samples": the method of this name, in float64. The bound of a VAE is a mean over
          fixed noise vectors; the module contains the same ones. Rows without a density give NaN.
        - "detector": for an outlier detector, a dict of "score_samples", "decision_function",
          "predict" and "p_value". All rows are treated as new, also those of the training data.
    dtype : {"float32", "float64"}, default="float32"
        The dtype of the rows and of the computation.

    Returns
    -------
    torch.nn.Module
        In evaluation mode, on the CPU, without gradients for its parameters.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If the class of the estimator, or of one of its steps, cannot be exported.
    ValueError
        If the estimator does not have this part, or contains what torch cannot compute: a function
        or an anomaly score of your own, a table with columns that are not numeric, or a method that
        your subclass overrides.

    See Also
    --------
    to_onnx : Writes the same to a file.
    save : Saves the estimator itself.

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
