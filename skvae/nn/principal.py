"""What a PCA of the training rows tells a network before it learns."""

from typing import NamedTuple

import torch

__all__ = ["PrincipalComponents"]

# Of a direction that the noise variance would close, the share of the variance that it keeps at
# the start: from zero, encoder and decoder would have no gradient to open it by.
LEAST_OPEN = 1 / 16


class PrincipalComponents(NamedTuple):
    r"""The leading principal directions of centred and scaled rows.

    Parameters
    ----------
    directions : tensor of shape (n_directions, n_features)
        Orthonormal, in descending order of their variances.
    variances : tensor of shape (n_directions,)
        :math:`\lambda_k`, of the rows along them.
    left : tensor of shape (n_features,)
        Variance of every column that they leave.
    """

    directions: torch.Tensor
    variances: torch.Tensor
    left: torch.Tensor

    def noise_variance(self, n_directions=None, place=None):
        r"""Return the noise variance of probabilistic PCA with all or the first q directions.

        .. math:: \sigma^2 = \frac{1}{d - q} \sum_{j > q} \lambda_j

        Directions that fewer rows than columns leave without variance count (M. E. Tipping and
        C. M. Bishop, 1999, Probabilistic principal component analysis; scikit-learn divides by
        min(n, d) - q). Of some columns alone, those at ``place``, it is d / (d - q) times the mean
        of what the directions leave there.
        """
        n_features = len(self.left)
        n_directions = len(self.variances) if n_directions is None else n_directions
        if place is not None:
            further = self.variances[n_directions:] @ self.directions[n_directions:, place] ** 2
            mean = (self.left[place] + further).mean()
            return mean * (n_features / (n_features - n_directions))
        total = self.left.sum() + self.variances[n_directions:].sum()
        return total / (n_features - n_directions)

    def gains(self, noise_variance):
        r"""Return how far a code of 1 moves the row, :math:`\sqrt{\lambda_k - \sigma^2}`."""
        least = LEAST_OPEN * self.variances
        return torch.sqrt(torch.maximum(self.variances - noise_variance, least))

    def stds(self, noise_variance):
        r"""Return the std of every code's posterior, :math:`\sigma / \sqrt{\lambda_k}`."""
        return torch.sqrt(noise_variance / self.variances).clamp(max=1.0)
