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
    r"""Beta-TCVAE: a variational autoencoder with a weight on each part of the divergence.

    The mean divergence over the data is the sum of three parts: the mutual information of code
    and row, the total correlation of the code's columns, and the divergence of each column from
    its prior. The model minimises, per row and in nats,

    .. math:: -\log p(x|z) + \alpha \, I(z; x) + \beta \, KL(q(z) \| \prod_j q(z_j))
              + \gamma \sum_j KL(q(z_j) \| p(z_j))

    This is computed as the negative evidence lower bound with its analytic divergence, plus
    (alpha - 1), (beta - 1) and (gamma - 1) times the three parts. q(z) is the mixture of the
    posteriors of all N training rows. It is estimated from the mini-batch, so ``batch_size`` must
    be at least 2. A batch of M rows needs memory for M * M * n_components numbers.

    The estimate separates the parts only while the divergence ("kl" in ``history_``) is below
    log M. Far above log M, beta acts on the whole divergence, as in a beta-VAE, and alpha has no
    effect. A fit warns if it ends above log M.

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
        The estimator of q(z): minibatch weighted sampling or minibatch stratified sampling, see
        :func:`skvae.nn.log_aggregate_posterior`. ``history_`` has the values as
        "minibatch_mutual_information", "minibatch_total_correlation" and
        "minibatch_dimension_wise_kl". With both estimators, these values serve to compute the
        gradient. Do not report them as estimates of the parts.
    n_samples : int, default=None
        N, the number of rows that the batches are drawn from. None: the number of training rows
        of ``fit``, or the number that ``partial_fit`` has seen so far (``n_samples_seen_``). Set
        it for ``partial_fit`` if you know it.

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    BetaVAETransformer : Has a weight on the divergence as a whole.

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
        if super()._caution(run):
            return True
        found = posteriors_of_some_rows(run.net.module_, run.batches)
        if found is None or self.alpha == self.beta == self.gamma == 1:
            return False
        n_rows = min(self.batch_size, run.batches.n_samples)
        divergence, limit = found[1].sum(1).mean(), np.log(n_rows)
        if divergence > limit:
            warn(
                f"The divergence must be below the logarithm of the batch size, so that its parts "
                f"can be separated. Got a divergence of {divergence:.2f} nats and log({n_rows}) = "
                f"{limit:.2f} instead: alpha, beta and gamma act on nearly the whole divergence. "
                f"Use fewer n_components or a larger noise_variance, or train for longer."
            )
        return False

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
