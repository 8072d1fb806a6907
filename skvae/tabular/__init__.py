"""Tables with columns of several kinds: their codes, models of their rows, and new rows."""

from skvae.tabular.encoder import TableEncoder
from skvae.tabular.proposals import LikelihoodProposal, infer_likelihood
from skvae.tabular.sampling import sample_frame
from skvae.tabular.transformer import TableTransformer

__all__ = [
    "LikelihoodProposal",
    "TableEncoder",
    "TableTransformer",
    "infer_likelihood",
    "sample_frame",
]
