"""Which latent dimension tells most about each known factor."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_array

from skvae.metrics.factors import check_factors
from skvae.metrics.information import (
    TEST_BINS,
    dependent,
    histogram_bins,
    histogram_information,
)
from skvae.tabular.reading import is_frame

__all__ = ["Naming", "name_dimensions"]


@dataclass(frozen=True, eq=False)
class Naming:
    """The factors that vary, and for each the dimension with the most information about it.

    Attributes
    ----------
    names : list of str
        Names of the factors.
    dimensions : ndarray of int of shape (n_factors,)
        The dimension of each factor. Several factors can share one dimension.
    shares : ndarray of shape (n_factors,)
        The mutual information of the two, divided by the entropy of the factor.
    telling : ndarray of bool of shape (n_factors,)
        Whether the mutual information is larger than chance explains.
    """

    names: list
    dimensions: np.ndarray
    shares: np.ndarray
    telling: np.ndarray


def name_dimensions(codes, factors, names, display):
    """Return the :class:`Naming` of latent dimensions by the factors of the same rows.

    The bins of the codes have equal numbers of rows. With bins of equal width, one extreme code
    would put all others into the same bin.

    Parameters
    ----------
    codes : ndarray of shape (n_samples, n_components)
    factors : {array-like, DataFrame} of shape (n_samples, n_factors)
        Columns with only one level are left out.
    names : sequence of str of shape (n_factors,), or None
        None uses the columns of a frame, or "factor 0", "factor 1", ...
    display : str
        The name of the display, for error messages.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.plotting.factors import name_dimensions
    >>> codes = np.random.RandomState(0).standard_normal((300, 2))
    >>> factors = np.column_stack([codes[:, 1] > 0, codes[:, 0] > 0, np.ones(300)])
    >>> naming = name_dimensions(codes, factors, ["hat", "beard", "nose"], "Display")
    >>> naming.names, naming.dimensions, naming.shares.round(1)
    (['hat', 'beard'], array([1, 0]), array([1., 1.]))
    """
    if names is None and is_frame(factors):
        names = [str(name) for name in factors.columns]
    factors = check_array(factors, dtype=None, input_name="factors")
    if names is None:
        names = [f"factor {place}" for place in range(factors.shape[1])]
    if len(names) != factors.shape[1]:
        raise ValueError(
            f"factor_names must name {factors.shape[1]} factors. Got {len(names)} names instead. "
            f"Give one for each column of factors."
        )
    varies = np.array([len(np.unique(column)) > 1 for column in factors.T])
    if not varies.any():
        raise ValueError(
            f"{display} needs factors that vary. Got one level of each instead. Leave factors out."
        )
    factors, codes = check_factors(factors[:, varies], codes, display)
    bins = histogram_bins(codes, TEST_BINS, "quantile")
    shares = histogram_information(factors.levels, bins) / factors.entropies
    dimensions = shares.argmax(axis=0)
    best = dimensions, np.arange(len(dimensions))
    return Naming(
        [name for name, one in zip(names, varies, strict=True) if one],
        dimensions,
        shares[best],
        dependent(factors.levels, bins)[best],
    )
