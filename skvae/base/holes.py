"""Imputation of missing values: by conditional means, or by random draws."""

from functools import partial

import numpy as np
import torch
from sklearn.utils import check_random_state

from skvae._typing import MatrixLike, Seed
from skvae.base.hyperparameters import check_integer
from skvae.base.probabilities import ProbabilityMixin
from skvae.base.sklearn_bases import only_if
from skvae.base.states import of_one_state
from skvae.base.validation import dense
from skvae.nn.holes import conditional_mean, resampled

__all__ = ["ImputationMixin"]


def _takes_holes(estimator):
    """Return True if the estimator has ``impute``, or raise an error that says why not.

    Of a fitted estimator, the parameters of the fit decide.
    """
    fitted = getattr(estimator, "_fitted_params_", None)
    if (estimator.missing if fitted is None else fitted.get("missing")) is None:
        raise AttributeError(
            "impute needs a model that was fitted with missing='mask'. Got missing=None instead. "
            "Set missing='mask', and fit."
        )
    return True


class ImputationMixin(ProbabilityMixin):
    """The method ``impute`` of a variational autoencoder that is fitted with missing values."""

    @only_if(_takes_holes)
    @of_one_state
    def impute(
        self,
        X: MatrixLike,
        *,
        n_draws: int | None = None,
        n_importance: int = 100,
        random_state: Seed = None,
    ) -> np.ndarray:
        r"""Return X with its missing values filled in. Observed values are not changed.

        Codes :math:`z_k` are drawn from q(z|x), and get the weights

        .. math:: w_k = \frac{p(x_{observed}|z_k) \, p(z_k)}{q(z_k|x)}

        A missing number or count becomes the weighted mean of :math:`E[x|z_k]`. With many codes,
        this approaches its mean given the observed values. A missing value of a binary column
        becomes the probability of a one. A missing category becomes its most probable level, or,
        in a one-hot block, the probabilities of all levels. A column without any observed value in
        training stays NaN.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows with the columns of the training data. NaN marks a missing value.
        n_draws : int, default=None
            Number of times to fill X with random draws instead of means, for multiple imputation.
            For each draw, one of the codes is chosen with probabilities in proportion to the
            weights, and a row is drawn from p(x|z).
        n_importance : int, default=100
            Number of codes drawn for each row.
        random_state : int, RandomState instance or None, default=None
            Seeds the draws. None gives different draws at every call. It has no effect without
            ``n_draws``: conditional means use the same noise vectors in every call and every row.

        Returns
        -------
        ndarray of shape (n_samples, n_features) or (n_draws, n_samples, n_features)
            In the dtype of X (float32 for one-byte types, float64 for other integers).

        References
        ----------
        Mattei & Frellsen (2019), MIWAE: deep generative modelling and imputation of incomplete data
        sets, ICML.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_iris
        >>> from skvae import VAETransformer
        >>> X = load_iris().data
        >>> X[::3, 2] = np.nan
        >>> vae = VAETransformer(2, missing="mask", max_epochs=20, random_state=0).fit(X)
        >>> bool(np.isnan(vae.impute(X)).any())
        False
        >>> vae.impute(X, n_draws=5, random_state=0).shape
        (5, 150, 4)
        """
        X = self._rows_of_density(X)
        check_integer("n_importance", n_importance, "impute")
        if n_draws is None:
            noise = np.random.RandomState(0).standard_normal((n_importance, self._n_features_out))
            noise = self._beside_rows(torch.from_numpy(noise), X)

            def means(network, x):
                mean = conditional_mean(network, x, noise)
                return _around(network, network.observation.layout.collect(mean))

            options = {"repeated": True, "unobserved": self._never}
            return _kept(X, self._apply(means, X, self.n_features_in_, **options))
        check_integer("n_draws", n_draws, "impute")
        seed = check_random_state(random_state).randint(2**31 - 1)
        generator = torch.Generator().manual_seed(seed)

        def drawn(network, x):
            rows = resampled(network, x, n_importance, n_draws, generator)
            return _around(network, rows).flatten(1)

        n_outputs = n_draws * self.n_features_in_
        holes = partial(np.tile, self._never(), n_draws)
        filled = self._apply(drawn, X, n_outputs, repeated=True, unobserved=holes)
        filled = filled.reshape(X.shape[0], n_draws, -1).transpose(1, 0, 2)
        return _kept(X, np.ascontiguousarray(filled))


def _around(network, filled):
    """Return filled rows, with NaN in columns that training never observed."""
    return filled.masked_fill(network.observation.layout.never, torch.nan)


def _kept(X, filled):
    """Return the values of X, and the filled values where X is NaN."""
    X = dense(X).astype(filled.dtype, copy=False)
    return np.where(np.isnan(X), filled, X)
