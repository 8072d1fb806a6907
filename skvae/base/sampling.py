"""The methods of a fitted autoencoder that make new rows: random samples, and interpolations."""

from abc import abstractmethod
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skvae._typing import Seed
from skvae.base.hyperparameters import check_argument, check_integer, one_of
from skvae.base.inference import InferenceMixin
from skvae.base.interpolation import PATHS
from skvae.base.reconstruction import code
from skvae.base.states import of_one_state
from skvae.base.validation import as_rows

__all__ = ["SamplingMixin"]


class SamplingMixin(InferenceMixin):
    """The methods that decode codes which do not come from rows of X."""

    @abstractmethod
    def _latent_draws(self, n_samples, rng):
        """Return random codes from the prior of the model, or from its fitted density of codes."""

    @of_one_state
    def sample(
        self, n_samples: int = 1, *, random_state: Seed = None, latent: Any = None
    ) -> np.ndarray:
        """Draw random codes, and return the mean of p(x|z) for each.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            Seeds the draws. None gives different draws at every call.
        latent : None, "standard-normal" or a fitted density, default=None
            The distribution of the codes. None: the prior N(0, I) of the model. The autoencoder
            has no prior, and uses a Gaussian fitted to its training codes. "standard-normal":
            N(0, I) for all models. A density is any object with ``sample(n)``, such as a
            ``GaussianMixture`` fitted to codes. If its ``sample`` takes no ``random_state``, its
            own seed determines the draws, and ``random_state`` only their order.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Rows, in the units of the training data. If ``set_output`` asks for it, a DataFrame.
        """
        codes = self._draw_codes(n_samples, check_random_state(random_state), latent)
        return self.inverse_transform(codes)

    def _draw_codes(self, n_samples, rng, latent):
        """Return ``n_samples`` valid random codes, in the dtype in which they are decoded."""
        check_is_fitted(self)
        check_integer("n_samples", n_samples, "sample")
        if latent is None:
            codes = self._latent_draws(n_samples, rng)
        elif hasattr(latent, "sample"):
            takes_seed = "random_state" in signature(latent.sample).parameters
            codes = latent.sample(n_samples, **({"random_state": rng} if takes_seed else {}))
            codes = codes[0] if isinstance(codes, tuple) else codes
        elif isinstance(latent, str) and latent == "standard-normal":
            codes = rng.standard_normal((n_samples, self._n_features_out))
        else:
            raise ValueError(
                f"latent must be None, 'standard-normal' or a density with a sample method. "
                f"Got {latent!r} instead."
            )
        codes = self._codes(codes, "sample")
        if len(codes) != n_samples:
            raise ValueError(
                f"latent.sample(n) must return n codes. Got {len(codes)} for n={n_samples} "
                f"instead. Pass a density that draws as many as it is asked for."
            )
        # A mixture returns its draws sorted by component.
        codes = rng.permutation(codes) if hasattr(latent, "sample") else codes
        return codes.astype(self._dtype_, copy=False)

    @of_one_state
    def interpolate(
        self, x0: ArrayLike, x1: ArrayLike, n: int = 10, *, path: str = "line"
    ) -> np.ndarray:
        r"""Decode codes on the path between the codes of two rows.

        Let :math:`z_0` and :math:`z_1` be the codes of the two rows, and let t go from 0 to 1. The
        path "line" is :math:`(1 - t) z_0 + t z_1`. With many dimensions, the middle of a line is
        closer to the origin than draws from the prior are. The path "sphere" avoids this: it turns
        the direction at a constant rate, and changes the distance from the origin linearly.

        Parameters
        ----------
        x0, x1 : array-like of shape (n_features,) or (1, n_features)
            The two rows.
        n : int, default=10
            Number of rows to return, at least 2. Both ends are included.
        path : {"line", "sphere"}, default="line"
            The path through the latent space.

        Returns
        -------
        ndarray of shape (n, n_features)
            Rows from the reconstruction of ``x0`` to that of ``x1``. If ``set_output`` asks for
            it, a DataFrame.

        References
        ----------
        White (2016), Sampling generative networks (the sphere).

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skvae import AutoencoderTransformer
        >>> X = load_iris().data
        >>> autoencoder = AutoencoderTransformer(2, max_epochs=5, random_state=0).fit(X)
        >>> autoencoder.interpolate(X[0], X[100], 5).shape
        (5, 4)
        >>> framed = autoencoder.set_output(transform="pandas").interpolate(X[0], X[100], 5)
        >>> list(framed.columns)
        ['x0', 'x1', 'x2', 'x3']
        """
        check_is_fitted(self)
        check_integer("n", n, "interpolate", least=2)
        check_argument("path", path, one_of(*PATHS), "interpolate")
        n_components = self._n_features_out
        z0, z1 = (self._apply(code, self._rows(as_rows(x)), n_components)[0] for x in (x0, x1))
        steps = np.linspace(0, 1, n, dtype=z0.dtype)[:, None]
        return self.inverse_transform(PATHS[path](z0, z1, steps))
