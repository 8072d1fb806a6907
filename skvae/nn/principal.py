"""The principal components from which a network starts."""

from typing import NamedTuple

import torch

__all__ = ["PrincipalComponents"]

# If the noise variance exceeds the variance of a direction, the direction keeps this share of its
# variance at the start. From zero, encoder and decoder would have no gradient, and the direction
# could not become active.
LEAST_OPEN = 1 / 16


class PrincipalComponents(NamedTuple):
    r"""The leading principal directions of centred and scaled rows.

    Parameters
    ----------
    directions : tensor of shape (n_directions, n_features)
        Orthonormal directions, in descending order of their variances.
    variances : tensor of shape (n_directions,)
        Variances :math:`\lambda_k` of the rows along the directions.
    left : tensor of shape (n_features,)
        Variance of every column that the directions do not explain.
    """

    directions: torch.Tensor
    variances: torch.Tensor
    left: torch.Tensor

    def noise_variance(self, n_directions=None, place=None):
        r"""Return the noise variance of probabilistic PCA with all or the first q directions.

        .. math:: \sigma^2 = \frac{1}{d - q} \sum_{j > q} \lambda_j

        If there are fewer rows than columns, some directions have no variance; they count in d - q
        (M. E. Tipping and C. M. Bishop, 1999, Probabilistic principal component analysis).
        scikit-learn divides by min(n, d) - q instead. If ``place`` selects some of the columns, the
        result is d / (d - q) times the mean variance that the directions leave there.
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
        r"""Return the change of the row for a code of 1, :math:`\sqrt{\lambda_k - \sigma^2}`."""
        least = LEAST_OPEN * self.variances
        return torch.sqrt(torch.maximum(self.variances - noise_variance, least))

    def stds(self, noise_variance):
        r"""Return the standard deviations of the posteriors, :math:`\sigma / \sqrt{\lambda_k}`."""
        return torch.sqrt(noise_variance / self.variances).clamp(max=1.0)
