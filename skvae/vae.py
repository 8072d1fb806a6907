"""The variational autoencoder."""

from skvae.base.hyperparameters import hyperparameters
from skvae.base.variational import BaseVAETransformer
from skvae.nn.objectives import BetaObjective

__all__ = ["VAETransformer"]


@hyperparameters
class VAETransformer(BaseVAETransformer):
    r"""Variational autoencoder: the codes have a prior, and the data have a density.

    It minimises the negative evidence lower bound of log p(x), per row and in nats:

    .. math:: -E_{q(z|x)}[\log p(x|z)] + KL(q(z|x) \,\|\, N(0, I))

    With ``hidden_layer_sizes=()`` and a Gaussian likelihood, the optimum is probabilistic PCA.
    Training starts there.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    BetaVAETransformer : Has a weight on the divergence.
    BetaTCVAETransformer : Has a weight on the total correlation of the codes.

    References
    ----------
    .. [1] D. P. Kingma and M. Welling (2014), Auto-encoding variational Bayes, ICLR.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skvae import VAETransformer
    >>> X = load_iris().data
    >>> vae = VAETransformer(2, max_epochs=5, random_state=0).fit(X)
    >>> mean, std = vae.posterior(X)
    >>> mean.shape, vae.score_samples(X).shape, vae.sample(3).shape
    ((150, 2), (150,), (3, 4))
    """

    def _objective(self, n_samples):
        return BetaObjective()
