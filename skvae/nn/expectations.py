"""Means over the posterior of what a decoder makes of codes: E_q[log p(x|z)], importance weights.

All are means over noise vectors that the rows share. As many vectors are decoded at a time as fit
into ``DECODED_ENTRIES``: of one row all, of many rows one.
"""

import math
from functools import partial

import torch

from skvae.nn.distributions import LOG_2PI, kl_to_standard_normal
from skvae.nn.observation_models import GaussianObservation
from skvae.nn.perceptrons import PerceptronDecoder

__all__ = ["DECODED_ENTRIES", "ReducedBound", "draws", "expected_log_prob", "log_mean_weight"]

# Numbers at the widest place of a network beyond which more noise vectors at a time gain nothing.
DECODED_ENTRIES = 2**16
# Measured at 200 columns and 138 left, where both take as long: hidden values and code are copied
# together. Of a QR with Q written out, 2 d r^2 multiplications, each takes as long as four.
LEFT_COST, QR_COST = 1.45, 8


def draws(posterior, noise, width):
    """Yield codes of all rows at some noise vectors after others.

    Parameters
    ----------
    posterior : Gaussian
        Of n rows.
    noise : tensor of shape (n_vectors, n_components) or (n_vectors, n, n_components)
        Standard normal, the same for all rows or not.
    width : int
        Numbers that a code takes up at the widest place of the decoder.

    Yields
    ------
    tensor of shape (n_some * n, n_components)
        Vector by vector, all rows.
    """
    n_some = max(1, DECODED_ENTRIES // (len(posterior.mean) * width))
    for vectors in (noise.unsqueeze(1) if noise.ndim == 2 else noise).split(n_some):
        yield posterior.sample(vectors).flatten(0, 1)


def expected_log_prob(network, posterior, x, noise, *, per_feature=False):
    """Return E_q[log p(x|z)] of every row, (n_samples,), or of every entry, (n_samples, d)."""
    method = "log_prob_per_feature" if per_feature else "log_prob"

    def sum_at(z):  # a function of its own: nothing wide is kept while the next is computed
        log_prob = getattr(network.decode(z), method)(_repeated(x, len(z)))
        return log_prob.unflatten(0, (-1, len(x))).sum(0)

    return sum(map(sum_at, draws(posterior, noise, network.width))) / len(noise)


def log_mean_weight(network, posterior, x, noise):
    r"""Return log of the mean importance weight, and the effective sample size, of every row.

    The weights are :math:`p(x|z) p(z) / q(z|x)`. Both results are float64, (n_samples,).
    """
    # log p(z) / q(z|x) at z = mean + scale * noise; the constants of the two normals cancel.
    squares, log_scale = noise.square().sum(-1), posterior.log_scale.sum(-1)
    log_sum = log_squares = x.new_full((len(x),), -math.inf, dtype=torch.float64)
    done = 0
    for z in draws(posterior, noise, network.width):
        n_some = len(z) // len(x)
        log_prob = network.decode(z).log_prob(_repeated(x, len(z))) - 0.5 * z.square().sum(-1)
        log_weight = log_prob.unflatten(0, (n_some, len(x))) + log_scale
        log_weight = (log_weight + 0.5 * squares[done : done + n_some, None]).double()
        log_sum = torch.logaddexp(log_sum, torch.logsumexp(log_weight, 0))
        log_squares = torch.logaddexp(log_squares, torch.logsumexp(2 * log_weight, 0))
        done += n_some
    ess = torch.exp(2 * log_sum - log_squares)
    # Where every weight is 0 to rounding, none of the draws counts for more than one.
    return log_sum - math.log(len(noise)), ess.nan_to_num(nan=1.0)


def _repeated(x, n_rows):
    """Return x again and again below itself, ``n_rows`` in all; x itself where that is once."""
    return x if n_rows == len(x) else x.repeat(n_rows // len(x), 1)


class ReducedBound:
    r"""The evidence lower bound by fewer columns than a row has, exactly.

    A perceptron's output is :math:`b + W h(z)`, h being the input of its last layer and of its
    linear map, together narrower than a row. With the thin QR :math:`W = Q R`, rows and W divided
    by the noise's standard deviations, and y the residual at the mean code :math:`z_0`,

    .. math:: \|x - b - W h(z)\|^2 = \|Q^T y + R h(z_0) - R h(z)\|^2 + \|y - Q Q^T y\|^2

    exactly. Q is of d x r, and only r columns are left to compute with at every noise vector.

    Nothing cancels that does not cancel in x - b - W h(z) itself: no square is the difference of
    squares, so the squared residual s is off by at most a few times
    :math:`\epsilon \sqrt{s} (\|x\| + \|b\| + \|W\| \|h\|)`, as when it is summed column by
    column.

    Parameters
    ----------
    network : VariationalNetwork
        One for which :meth:`pays` is true, its weights as they are to stay.
    noise : tensor of shape (n_vectors, n_components)
        Where the network is, in its dtype.
    """

    @torch.no_grad()
    def __init__(self, network, noise):
        self.network, self.noise = network, noise
        self.precision = torch.exp(-network.observation.log_scale)
        decoder = network.decoder
        weights = [decoder.output.weight]
        weights += [] if decoder.shortcut is None else [decoder.shortcut.weight]
        scale = (decoder.scale * self.precision).unsqueeze(1)
        self.basis, triangle = torch.linalg.qr(torch.cat(weights, 1) * scale)
        self.triangle = triangle.T.contiguous()

    @staticmethod
    def pays(network, n_vectors, n_samples):
        """Return whether the QR and the fewer columns take less time than all columns.

        In multiplications: of the last layer n M d r for n rows and M vectors, against n M r^2
        times ``LEFT_COST``, the residual at the mean code and its two products 3 n d r, and d r^2
        times ``QR_COST``.
        """
        decoder = network.decoder
        if type(decoder) is not PerceptronDecoder:
            return False
        if type(network.observation) is not GaussianObservation:
            return False
        n_columns, n_left = decoder.output.weight.shape
        n_left += 0 if decoder.shortcut is None else decoder.shortcut.weight.shape[1]
        saved = n_vectors * (n_columns - LEFT_COST * n_left) - 3 * n_columns
        return n_samples * saved > QR_COST * n_columns * n_left

    def __call__(self, x):
        """Return E_q[log p(x|z)] - KL of every row, (n_samples,)."""
        posterior = self.network.encode(x)
        return self._expected_log_prob(posterior, x) - kl_to_standard_normal(posterior)

    def _expected_log_prob(self, posterior, x):
        network, noise, log_scale = self.network, self.noise, self.network.observation.log_scale
        residual = (x - network.decode(posterior.mean).mean) * self.precision
        inside = residual @ self.basis
        squares = torch.addmm(residual, inside, self.basis.T, alpha=-1).square_().sum(-1)
        inside = torch.addmm(inside, self._inputs(posterior.mean), self.triangle)
        codes = draws(posterior, noise, network.width)
        total = sum(map(partial(self._squares_inside, inside), codes))
        constant = log_scale.expand(x.shape[1]).sum() + 0.5 * x.shape[1] * LOG_2PI
        return -0.5 * (squares + total / len(noise)) - constant

    def _squares_inside(self, inside, z):
        """Return the sum over some noise vectors of |inside - R h(z)|^2, (n_samples,)."""
        rows = _repeated(inside, len(z))
        left = torch.addmm(rows, self._inputs(z), self.triangle, alpha=-1)
        return left.square_().sum(-1).unflatten(0, (-1, len(inside))).sum(0)

    def _inputs(self, z):
        """Return h(z), the input of the decoder's last layer and of its linear map."""
        decoder = self.network.decoder
        hidden = decoder.hidden(z)
        return hidden if decoder.shortcut is None else torch.cat((hidden, z), 1)
