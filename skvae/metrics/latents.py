"""What each latent dimension does."""

import numpy as np
import torch

from skvae._frames import frame_of_rows
from skvae._results import ResultColumns
from skvae._typing import Depends, Estimator, MatrixLike
from skvae.base.frames import asked_library
from skvae.base.hyperparameters import NON_NEGATIVE, check_argument
from skvae.base.pipelines import last_step
from skvae.base.transformer import BaseAutoencoderTransformer
from skvae.base.validation import generated_feature_names, names_of_features
from skvae.metrics.factors import check_size
from skvae.metrics.inputs import posterior_of
from skvae.nn.distributions import ACTIVE_VARIANCE, active_dimensions, kl_per_dimension

__all__ = ["LatentSummary", "active_units", "latent_loadings", "latent_summary"]


def active_units(estimator: Estimator, X: MatrixLike, *, threshold: float = ACTIVE_VARIANCE) -> int:
    r"""Return the number of latent dimensions whose code varies over the rows.

    .. math:: \#\{j : Var_x(\mu_j(x)) > \text{threshold}\}

    In a collapsed dimension of a variational autoencoder, the posterior of every row is the prior,
    so its mean does not vary. The threshold is in the units of the codes. For a variational
    autoencoder these are the units of its prior N(0, I). The codes of other models have no fixed
    unit.

    Parameters
    ----------
    estimator : estimator with ``transform``, or Pipeline or search that holds one
        The fitted model.
    X : array-like of shape (n_samples, n_features)
        Rows of the same kind as the training data.
    threshold : float, default=0.01
        A dimension is active if its variance is larger than this.

    Returns
    -------
    int
        From 0 to n_components.

    References
    ----------
    Burda, Grosse & Salakhutdinov (2016), Importance weighted autoencoders, ICLR, section 5.2.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.decomposition import PCA
    >>> from skvae.metrics import active_units
    >>> X = load_iris().data
    >>> active_units(PCA(3).fit(X), X, threshold=0.1)
    2
    """
    check_argument("threshold", threshold, NON_NEGATIVE, "active_units")
    estimator, X = last_step(estimator, X, "transform")
    codes = np.asarray(estimator.transform(X))
    check_size(codes, "active_units")
    return int(active_dimensions(codes.astype(np.float64, copy=False), threshold).sum())


class LatentSummary(ResultColumns):
    """What each dimension carries, as attributes and as dict entries; see :func:`latent_summary`.

    Attributes
    ----------
    latent : ndarray of str of shape (n_components,)
        The names of the dimensions, which are also the column names of ``transform``.
    kl : ndarray of shape (n_components,)
        The mean of :math:`KL(q(z_j|x) \\,\\|\\, p(z_j))`, in nats.
    mean_variance : ndarray of shape (n_components,)
        :math:`Var_x(\\mu_j(x))`.
    posterior_variance : ndarray of shape (n_components,)
        The mean of :math:`\\sigma_j^2(x)`.
    active : ndarray of bool of shape (n_components,)
        Whether ``mean_variance`` is larger than 0.01.
    """

    _labels = "latent"


def latent_summary(estimator: Estimator, X: MatrixLike) -> LatentSummary:
    r"""Return the KL divergence and the variances of each latent dimension over the rows of X.

    Parameters
    ----------
    estimator : estimator with ``posterior``, or Pipeline or search that holds one
        The fitted model. If it is a Pipeline, its other steps transform X first.
    X : array-like of shape (n_samples, n_features)
        Rows of the same kind as the training data.

    Returns
    -------
    LatentSummary
        It has "latent" (the names of the dimensions), "kl" in nats, "mean_variance",
        "posterior_variance" and "active". The two variances sum to 1 if the aggregate posterior has
        the variance of the prior. It prints as a table with one row for each dimension.
        ``to_frame()`` returns this table.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skvae import VAETransformer
    >>> from skvae.metrics import latent_summary
    >>> X = load_iris().data
    >>> vae = VAETransformer(2, max_epochs=5, random_state=0).fit(X)
    >>> list(latent_summary(vae, X).to_frame().columns)
    ['kl', 'mean_variance', 'posterior_variance', 'active']
    """
    estimator, X = last_step(estimator, X, "transform")
    posterior = posterior_of(estimator, X, "latent_summary")
    mean = posterior.mean.numpy()
    names = getattr(estimator, "get_feature_names_out", None)
    return LatentSummary(
        latent=names() if names else generated_feature_names(mean.shape[1]),
        kl=kl_per_dimension(posterior).mean(0).numpy(),
        mean_variance=mean.var(0),
        posterior_variance=posterior.scale.square().mean(0).numpy(),
        active=active_dimensions(mean),
    )


def latent_loadings(estimator: Estimator, X: MatrixLike) -> Depends:
    r"""Return how strongly each feature changes each code.

    .. math:: E_x \left| \frac{\partial \mu_j(x)}{\partial x_i} \right|

    The mean is over the rows of X. If a feature has missing values, the mean is over the rows in
    which it was observed. The derivative is exact. Its unit is that of the code divided by that of
    the feature. Multiply by ``X.std(0)`` to compare features of different scales. For a linear
    encoder the result is the absolute weights, like the loadings of a PCA. A column of category
    codes has no derivative, and its value is 0. The columns of a one-hot block have one.

    Parameters
    ----------
    estimator : autoencoder of this package, or Pipeline or search that holds one
        The fitted model. If it is a Pipeline, its other steps transform X first, and the features
        are those that these steps return.
    X : array-like of shape (n_samples, n_features)
        Rows of the same kind as the training data.

    Returns
    -------
    ndarray of shape (n_components, n_features), or DataFrame
        In the dtype of X. It is a DataFrame if ``set_output`` of the estimator asks for one. The
        features are then its columns. The names of the dimensions are the index in pandas, and a
        first column "latent" in polars.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skvae import VAETransformer
    >>> from skvae.metrics import latent_loadings
    >>> X = load_iris().data
    >>> vae = VAETransformer(2, max_epochs=5, random_state=0).fit(X)
    >>> latent_loadings(vae, X).shape
    (2, 4)
    """
    estimator, X = last_step(estimator, X, "transform")
    if not isinstance(estimator, BaseAutoencoderTransformer):
        raise TypeError(
            f"latent_loadings needs an autoencoder of skvae, or a Pipeline that ends in one. "
            f"Got {type(estimator).__name__} instead. Use one, such as VAETransformer."
        )
    loadings = _mean_absolute_jacobian(estimator, X)
    if np.isnan(loadings).any():
        raise ValueError(
            "latent_loadings needs rows so close to the training rows that the codes have finite "
            "derivatives. Got nan instead. Clip the rows, or scale them as in fit."
        )
    return _in_frame(estimator, loadings)


@torch.inference_mode(mode=False)
@torch.enable_grad()
def _mean_absolute_jacobian(estimator, X):
    """Return the mean over rows of the absolute derivative of the code with respect to x."""
    X = estimator._rows(X)
    total, n_observed = 0.0, 0
    for network, x in estimator._chunks(X):
        holes = torch.isnan(x)
        x.requires_grad_()
        code = network.code(x)
        # Row i of the code depends only on row i of x, so one sum gives the gradients of all rows.
        sums = []
        for column in code.T:
            (rows,) = torch.autograd.grad(
                column.sum(), x, retain_graph=True, materialize_grads=True
            )
            sums.append(rows.abs_().masked_fill_(holes, 0).sum(0, dtype=torch.float64))
        total = total + torch.stack(sums)
        n_observed = n_observed + (~holes).sum(0)
    return (total / n_observed.clamp(min=1)).to(x.dtype).cpu().numpy()


def _in_frame(estimator, loadings):
    """Return the loadings in the container that ``set_output`` asks for."""
    library, features = asked_library(estimator), names_of_features(estimator)
    if library == "default":
        return loadings
    latents = estimator.get_feature_names_out()
    if library == "pandas":
        return frame_of_rows(library, loadings, features, latents)
    name = "latent"
    while name in features:
        name += "_"
    framed = frame_of_rows(library, loadings, features)
    return framed.insert_column(
        0, frame_of_rows(library, latents[:, np.newaxis].tolist(), [name])[name]
    )
