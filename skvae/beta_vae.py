"""The beta-VAE."""

from dataclasses import KW_ONLY

from skvae.base.hyperparameters import NON_NEGATIVE, NON_NEGATIVE_INTEGER, hyperparameters
from skvae.base.variational import BaseVAETransformer
from skvae.nn.objectives import BetaObjective, CapacityObjective

__all__ = ["BetaVAETransformer"]


@hyperparameters
class BetaVAETransformer(BaseVAETransformer):
    r"""Beta-VAE: a variational autoencoder that weighs the divergence.

    It minimises, per row and in nats,

    .. math:: -E_{q(z|x)}[\log p(x|z)] + \beta \, KL(q(z|x) \,\|\, N(0, I))

    What beta means depends on the noise variance: the optimum's encoder and decoder
    mean at (noise variance, beta) are those at (beta * noise variance, 1). A variance that
    followed the residual R would grow with beta, and collapse the posterior. So with beta above
    1 a learned one follows what the residual would be at 1,

    .. math:: R \, \frac{d}{d + (\beta - 1) \, q}

    with d columns and q codes that are open: exact for linear decoders. A ``capacity`` counts as
    beta 1.

    Parameters
    ----------
    %(parameters)s
    beta : float, default=2.0
        Weight of the divergence; 1 is the VAE.
    capacity : float, default=None
        Nats of divergence to aim at, in place of as few as possible: beta then weighs
        ``|KL - C|``, KL the mean over the batch and C rising from 0 to ``capacity``. Beta has
        to be large (the authors take 1000) for KL to follow C.
    capacity_epochs : int, default=50
        Epochs of that rise. Early stopping waits until then.

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
        # A capacity is aimed at whatever it costs: the divergence has no price of its own.
        return self.beta if self.capacity is None else 1.0

    def _objective(self, n_samples):
        if self.capacity is None:
            return BetaObjective(self.beta)
        if self.free_bits:
            raise ValueError(
                f"capacity and free_bits each keep the divergence up, and exclude one another. Got "
                f"capacity={self.capacity} and free_bits={self.free_bits} instead. Set one."
            )
        return CapacityObjective(self.beta, self.capacity, self.capacity_epochs)
