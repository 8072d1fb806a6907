"""The beta-VAE."""

from dataclasses import KW_ONLY

from skvae.base.hyperparameters import NON_NEGATIVE, NON_NEGATIVE_INTEGER, hyperparameters
from skvae.base.variational import BaseVAETransformer
from skvae.nn.objectives import BetaObjective, CapacityObjective

__all__ = ["BetaVAETransformer"]


@hyperparameters
class BetaVAETransformer(BaseVAETransformer):
    r"""Beta-VAE: a variational autoencoder with a weight beta on the divergence.

    It minimises, per row and in nats,

    .. math:: -E_{q(z|x)}[\log p(x|z)] + \beta \, KL(q(z|x) \,\|\, N(0, I))

    The effect of beta depends on the noise variance: at the optimum, the mean of the encoder and
    that of the decoder at (noise variance, beta) are those at (beta * noise variance, 1). A
    noise variance equal to the residual R would grow with beta, and the posterior would collapse.
    So with beta above 1, a learned noise variance uses an estimate of the residual at beta 1,

    .. math:: R \, \frac{d}{d + (\beta - 1) \, q}

    where d is the number of columns and q is the number of active codes. The estimate is exact
    for linear decoders. With a ``capacity``, the noise variance is learned as at beta 1.

    Parameters
    ----------
    %(parameters)s
    beta : float, default=2.0
        Weight of the divergence; 1 is the VAE.
    capacity : float, default=None
        Target of the divergence, in nats. If it is given, beta is the weight of ``|KL - C|``
        instead. KL is the mean divergence over the batch, and C rises from 0 to ``capacity``.
        Beta must be large for KL to follow C; the authors use 1000.
    capacity_epochs : int, default=50
        Number of epochs in which C rises. Early stopping starts after them.

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    BetaTCVAETransformer : Has a weight on the total correlation alone.

    References
    ----------
    .. [1] I. Higgins et al. (2017), beta-VAE: learning basic visual concepts with a
       constrained variational framework, ICLR.
    .. [2] C. P. Burgess et al. (2018), Understanding disentangling in beta-VAE,
       arXiv:1804.03599 (the capacity).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skvae import BetaVAETransformer
    >>> X = load_iris().data
    >>> BetaVAETransformer(2, beta=4.0, max_epochs=5, random_state=0).fit_transform(X).shape
    (150, 2)
    """

    _: KW_ONLY
    beta: float = 2.0
    capacity: float | None = None
    capacity_epochs: int = 50

    _parameter_constraints = {
        **BaseVAETransformer._parameter_constraints,
        "beta": NON_NEGATIVE,
        "capacity": [*NON_NEGATIVE, None],
        "capacity_epochs": NON_NEGATIVE_INTEGER,
    }

    def _divergence_weight(self):
        # With a capacity the weight acts on |KL - C|, and not on the divergence itself.
        return self.beta if self.capacity is None else 1.0

    def _objective(self, n_samples):
        if self.capacity is None:
            return BetaObjective(self.beta)
        if self.free_bits:
            raise ValueError(
                f"capacity and free_bits both keep the divergence from falling, and cannot be used "
                f"together. Got capacity={self.capacity} and free_bits={self.free_bits} instead. "
                f"Set only one."
            )
        return CapacityObjective(self.beta, self.capacity, self.capacity_epochs)
