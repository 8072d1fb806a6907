"""The scores and decisions of a fitted outlier detector for new rows, in torch."""

import math

import torch
from torch import nn

from skvae.exporting.steps import Step
from skvae.outlier.calibration import ROUNDING
from skvae.outlier.columns import ROUNDING as SEEN

__all__ = ["DetectorStep", "Member"]


class Member(nn.Module):
    """One model's score of rows, (n_samples,), float64; higher is more normal.

    Parameters
    ----------
    step : Step
        The transformer.
    kind : {"likelihood", "reconstruction", "latent"}
        The score.
    codes : tuple of tensors, default=None
        Mean and inverse covariance of the training codes, for a "latent" score.
    constants : tensor of shape (n_features,), default=None
        The value of each column that was constant, and NaN for other columns; None if there are no
        constant columns.
    penalty : float, default=0.0
        How much each different value in a constant column lowers the score.
    """

    def __init__(self, step, kind, codes=None, constants=None, penalty=0.0):
        super().__init__()
        self.step, self.kind, self.penalty = step, kind, penalty
        mean, precision = (None, None) if codes is None else codes
        self.register_buffer("mean", mean)
        self.register_buffer("precision", precision)
        self.register_buffer("constants", constants)
        self.register_buffer("is_constant", None if constants is None else ~constants.isnan())

    def forward(self, x):
        penalty = 0.0
        if self.constants is not None:
            constants = self.constants.nan_to_num()
            differ = (x.double() - constants).abs() > SEEN * constants.abs()
            unseen = differ & self.is_constant
            x = torch.where(unseen, constants, x.double()).to(x.dtype)
            penalty = unseen.double().sum(-1) * self.penalty
        scores = self._scores(x)
        return torch.where(scores.isnan(), -math.inf, scores) - penalty

    def _scores(self, x):
        if self.kind == "likelihood":
            return self.step.score_samples(x)
        if self.kind == "reconstruction":
            return -self.step.reconstruction_error(x).double()
        centred = self.step.code(x).double() - self.mean
        return -(centred @ self.precision * centred).sum(-1).clamp(min=0.0).sqrt()


class DetectorStep(Step):
    """The models, threshold and p-values of a detector, for rows that no model was fitted to.

    Parameters
    ----------
    members : list of Member
        The models.
    n_features : int
        Number of columns of a row.
    limits : tuple of tensors of shape (n_features,), float64
        The smallest and the largest value of each column; values beyond are clipped.
    offset : float
        The threshold.
    calibration : list of (tensor of shape (n_models,), tensor of shape (m_i,)), float64
        For each group of rows left out by the same models: the weights of the models in the mean,
        and the sorted scores of the rows.
    scale : float
        Differences up to a millionth of ``scale`` plus the score count as rounding.
    """

    offers = ("score_samples", "detector")

    def __init__(self, members, n_features, limits, offset, calibration, scale):
        super().__init__(n_features)
        self.members = nn.ModuleList(members)
        self.offset, self.scale = offset, scale
        low, high = limits
        self.register_buffer("low", low)
        self.register_buffer("high", high)
        weights, scores = zip(*calibration, strict=True)
        self.register_buffer("weights", torch.stack(weights))
        self.register_buffer("sizes", torch.tensor([len(each) for each in scores]))
        self.length = 2 ** max(map(len, scores)).bit_length() - 1
        self.register_buffer(
            "ascending", torch.cat([_padded(each, self.length) for each in scores])
        )
        self.register_buffer("starts", self.length * torch.arange(len(scores)))

    def score_samples(self, x):
        """Return the mean of the models' scores, (n_samples,), float64."""
        return self._by_models(x).mean(-1)

    def detector(self, x):
        """Return a dict of score, decision, prediction and p-value, named like the methods."""
        by_models = self._by_models(x)
        scores = by_models.mean(-1)
        decision = scores - self.offset
        return {
            "score_samples": scores,
            "decision_function": decision,
            "predict": torch.where(decision >= 0, 1, -1),
            "p_value": self._p_values(by_models),
        }

    def _by_models(self, x):
        within = torch.minimum(torch.maximum(x.double(), self.low), self.high).to(x.dtype)
        return torch.stack([member(within) for member in self.members], -1)

    def _p_values(self, by_models):
        # A weight of zero excludes a model, whose score may be infinite.
        own = torch.where(self.weights > 0, by_models[:, None], 0.0).mul(self.weights).sum(-1)
        magnitude = own.abs() + self.scale
        own = own + torch.where(magnitude < math.inf, ROUNDING * magnitude, 0.0)
        n_no_higher = torch.minimum(self._count(own), self.sizes).sum(-1)
        return (1 + n_no_higher).double() / (1 + self.sizes.sum())

    def _count(self, own):
        """Return how many scores of each group are no higher than a row's own, by bisection."""
        place = torch.zeros_like(own, dtype=torch.int64)
        step = (self.length + 1) // 2
        while step:
            further = place + step
            is_there = self.ascending[self.starts + further - 1] <= own
            place = torch.where(is_there, further, place)
            step //= 2
        return place


def _padded(scores, length):
    """Return sorted scores, filled up with infinities to a given length."""
    return torch.cat((scores, scores.new_full((length - len(scores),), math.inf)))
