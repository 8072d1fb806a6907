"""Tables as they are: mixed columns to codes and back, and rows of a model as a table."""

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
