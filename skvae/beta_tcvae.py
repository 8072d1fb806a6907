"""The beta-TCVAE."""

from dataclasses import KW_ONLY

import numpy as np

from skvae._warnings import warn
from skvae.base.cautions import posteriors_of_some_rows
from skvae.base.hyperparameters import NON_NEGATIVE, TWO_OR_MORE, hyperparameters, one_of
from skvae.base.variational import BaseVAETransformer
from skvae.nn.objectives import TotalCorrelationObjective

__all__ = ["BetaTCVAETransformer"]


@hyperparameters
class BetaTCVAETransformer(BaseVAETransformer):
    r"""Beta-TCVAE: a variational autoencoder that weighs the parts of the divergence.

    Averaged over the data, the divergence is the mutual information of code and row, plus the
    total correlation of the code's columns, plus the divergence of each column from
    its prior. It minimises, per row and in nats,

    .. math:: -\log p(x|z) + \alpha \, I(z; x) + \beta \, KL(q(z) \| \prod_j q(z_j))
              + \gamma \sum_j KL(q(z_j) \| p(z_j))

    as the evidence lower bound with its analytic divergence, plus (alpha - 1), (beta - 1) and
    (gamma - 1) times the parts. q(z), the mixture of the posteriors of all N training
    rows, is estimated from the mini-batch; so ``batch_size`` is at least 2. A batch of M rows
    takes memory for M * M * n_components numbers.

    The estimate tells the parts apart while the divergence ("kl" in ``history_``) is below log M.
    Well above, beta weighs the divergence as a whole, as in a beta-VAE, and alpha nothing; a fit
    that ends above warns.

    Parameters
    ----------
    %(parameters)s
    alpha : float, default=1.0
        Weight of the index-code mutual information.
    beta : float, default=6.0
        Weight of the total correlation.
    gamma : float, default=1.0
        Weight of the dimension-wise divergence.
    tc_sampling : {"mws", "mss"}, default="mws"
        The estimator of q(z), minibatch weighted or stratified sampling: see
        :func:`skvae.nn.log_aggregate_posterior`. The
        values in ``history_``, called "minibatch_mutual_information",
        "minibatch_total_correlation" and "minibatch_dimension_wise_kl", are means to a
        gradient under either, not estimates to report.
    n_samples : int, default=None
        N, the number of rows that the batches are drawn from. None: the training rows of
        ``fit``, or those that ``partial_fit`` has seen so far (``n_samples_seen_``). Give it
        to ``partial_fit`` where it is known.

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    BetaVAETransformer : Weighs the divergence as a whole.

    References
    ----------
    .. [1] R. T. Q. Chen et al. (2018), Isolating sources of disentanglement in variational
       autoencoders, NeurIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skvae import BetaTCVAETransformer
    >>> X = load_iris().data
    >>> BetaTCVAETransformer(2, beta=4.0, max_epochs=5, random_state=0).fit_transform(X).shape
    (150, 2)
    """

    _: KW_ONLY
    alpha: float = 1.0
    beta: float = 6.0
    gamma: float = 1.0
    tc_sampling: str = "mws"
    n_samples: int | None = None

    _parameter_constraints = {
        **BaseVAETransformer._parameter_constraints,
        "alpha": NON_NEGATIVE,
        "beta": NON_NEGATIVE,
        "gamma": NON_NEGATIVE,
        "tc_sampling": one_of("mws", "mss"),
        "n_samples": [*TWO_OR_MORE, None],
    }

    def _caution(self, run):
        super()._caution(run)
        found = posteriors_of_some_rows(run.net.module_, run.batches)
        if found is None or self.alpha == self.beta == self.gamma == 1:
            return
        n_rows = min(self.batch_size, run.batches.n_samples)
        divergence, limit = found[1].sum(1).mean(), np.log(n_rows)
        if divergence > limit:
            warn(
                f"The parts of the divergence can be told apart while it is below the logarithm of "
                f"the batch size. Got a divergence of {divergence:.2f} nats and log({n_rows}) = "
                f"{limit:.2f} instead: alpha, beta and gamma weigh it about as a whole. Use fewer "
                f"n_components or a larger noise_variance, or train for longer."
            )

    def _objective(self, n_samples):
        if self.batch_size < 2:
            raise ValueError(
                "BetaTCVAETransformer estimates q(z) from the rows of a batch, and needs "
                f"batch_size >= 2. Got batch_size={self.batch_size} instead. Raise it."
            )
        if self.n_samples is not None:
            n_samples = self.n_samples
        return TotalCorrelationObjective(
            n_samples, self.alpha, self.beta, self.gamma, self.tc_sampling
        )
