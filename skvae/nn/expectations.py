"""Means over the posterior: E_q[log p(x|z)] and importance weights.

All are means over noise vectors, which may be the same for all rows. The number of vectors that are
decoded at a time is limited by ``DECODED_ENTRIES``: all for a single row, one for many rows.
"""

import math
from functools import partial

import torch

from skvae.nn.distributions import LOG_2PI, kl_to_standard_normal
from skvae.nn.observation_models import GaussianObservation
from skvae.nn.perceptrons import PerceptronDecoder

__all__ = ["DECODED_ENTRIES", "ReducedBound", "draws", "expected_log_prob", "log_mean_weight"]

# Numbers in the widest layer of a network. Decoding more noise vectors at a time is not faster.
DECODED_ENTRIES = 2**16
# LEFT_COST is measured: with 200 columns and 138 reduced ones, both ways take the same time, since
# the reduced one also copies hidden values and codes together. QR_COST: a QR with Q takes
# 2 d r^2 multiplications, each as slow as four of a matrix product.
LEFT_COST, QR_COST = 1.45, 8


def draws(posterior, noise, width):
    """Yield codes of all rows, for some noise vectors at a time.

    Parameters
    ----------
    posterior : Gaussian
        The posterior of n rows.
    noise : tensor of shape (n_vectors, n_components) or (n_vectors, n, n_components)
        Standard normal noise. With two axes, it is the same for all rows.
    width : int
        Number of floats of a code in the widest layer of the decoder.

    Yields
    ------
    tensor of shape (n_some * n, n_components)
        The codes of all rows for the first vector, then for the next one, and so on.
    """
    n_some = max(1, DECODED_ENTRIES // (len(posterior.mean) * width))
    for vectors in (noise.unsqueeze(1) if noise.ndim == 2 else noise).split(n_some):
        yield posterior.sample(vectors).flatten(0, 1)


def expected_log_prob(network, posterior, x, noise, *, per_feature=False):
    """Return E_q[log p(x|z)] for every row, (n_samples,), or for every entry, (n_samples, d)."""
    method = "log_prob_per_feature" if per_feature else "log_prob"

    def sum_at(z):  # a function, so that its wide arrays are freed before the next call
        log_prob = getattr(network.decode(z), method)(_repeated(x, len(z)))
        return log_prob.unflatten(0, (-1, len(x))).sum(0)

    return sum(map(sum_at, draws(posterior, noise, network.width))) / len(noise)


def log_mean_weight(network, posterior, x, noise):
    r"""Return the log of the mean importance weight and the effective sample size of every row.

    The weights are :math:`p(x|z) p(z) / q(z|x)`. Both results are float64, (n_samples,).
    """
    # log p(z) / q(z|x) at z = mean + scale * noise. The constants of both densities cancel.
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
    # If all weights underflow to 0, the effective sample size is 1.
    return log_sum - math.log(len(noise)), ess.nan_to_num(nan=1.0)


def _repeated(x, n_rows):
    """Return x repeated along its rows, ``n_rows`` in all."""
    return x if n_rows == len(x) else x.repeat(n_rows // len(x), 1)


class ReducedBound:
    r"""The exact evidence lower bound, computed with fewer columns than a row has.

    The output of a perceptron is :math:`b + W h(z)`. Here h is the input of its last layer together
    with the input of its linear map, and is shorter than a row. Divide the rows and W by the
    standard deviations of the noise. Let :math:`W = Q R` be the thin QR decomposition, and let y be
    the residual at the mean code :math:`z_0`. Then exactly

    .. math:: \|x - b - W h(z)\|^2 = \|Q^T y + R h(z_0) - R h(z)\|^2 + \|y - Q Q^T y\|^2

    Q has shape d x r, so only r columns are needed for every noise vector.

    No precision is lost beyond that of x - b - W h(z) itself, since no term is a difference of
    squares. The error of the squared residual s is at most a few times
    :math:`\epsilon \sqrt{s} (\|x\| + \|b\| + \|W\| \|h\|)`, as in a sum over the columns.

    Parameters
    ----------
    network : VariationalNetwork
        A network for which :meth:`pays` is true. Its weights must not change afterwards.
    noise : tensor of shape (n_vectors, n_components)
        Noise vectors, on the device and in the dtype of the network.
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
        """Return whether the reduced computation, including the QR, takes less time.

        It compares numbers of multiplications, for n rows and M vectors. The last layer takes
        n M d r. The reduced computation takes n M r^2 times ``LEFT_COST``, plus 3 n d r for the
        residual at the mean code and its two products, plus d r^2 times ``QR_COST``.
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
        """Return E_q[log p(x|z)] - KL for every row, (n_samples,)."""
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
        """Return h(z), the inputs of the decoder's last layer and of its linear map."""
        decoder = self.network.decoder
        hidden = decoder.hidden(z)
        return hidden if decoder.shortcut is None else torch.cat((hidden, z), 1)
