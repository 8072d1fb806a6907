"""The beta-VAE."""

from dataclasses import KW_ONLY

from skvae.base_vae import BaseVAETransformer
from skvae.hyperparameters import NON_NEGATIVE, hyperparameters
from skvae.objectives import BetaObjective

__all__ = ["BetaVAETransformer"]


@hyperparameters
class BetaVAETransformer(BaseVAETransformer):
    r"""Beta-VAE: a variational autoencoder that weighs the divergence.

    It minimises, per row and in nats,

    .. math:: -E_{q(z|x)}[\log p(x|z)] + \beta \, KL(q(z|x) \,\|\, N(0, I))

    What beta means depends on the noise variance: the optimum's encoder and decoder
    mean at (noise variance, beta) are those at (beta * noise variance, 1). Hence the default
    ``noise_variance="pca"`` holds it; learned, it would grow with beta and
    collapse the posterior.

    Parameters
    ----------
    %(parameters)s
    beta : float, default=2.0
        Weight of the divergence; 1 is the VAE.

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    BetaTCVAETransformer : Weighs only the total correlation.

    References
    ----------
    .. [1] I. Higgins et al. (2017), beta-VAE: learning basic visual concepts with a
       constrained variational framework, ICLR.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skvae import BetaVAETransformer
    >>> X = load_iris().data
    >>> BetaVAETransformer(2, beta=4.0, max_epochs=5, random_state=0).fit_transform(X).shape
    (150, 2)
    """

    _: KW_ONLY
    noise_variance: object = "pca"
    beta: float = 2.0

    _parameter_constraints = {**BaseVAETransformer._parameter_constraints, "beta": NON_NEGATIVE}

    def _objective(self, n_samples):
        return BetaObjective(self.beta)
