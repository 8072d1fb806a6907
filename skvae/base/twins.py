"""The networks of a fitted estimator that answer: the trained one, and its copy in float64."""

from collections.abc import Mapping

import numpy as np
import torch

from skvae.base.building import copy_network, makes_own_modules

__all__ = ["InferenceModules"]

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


class InferenceModules(Mapping):
    """Networks in evaluation mode by dtype: float32 is the trained one, float64 a copy of it.

    The copy is made when it is first asked for: a stream of float32 chunks needs none. Where
    modules are made by functions of the user's, it is made at once, as these may return another
    thing later.

    Parameters
    ----------
    estimator : BaseAutoencoderTransformer
        One with the parameters that the network was made from.
    network : BaseNetwork
        Trained.
    n_features : int
        Length of a row.
    """

    def __init__(self, estimator, network, n_features):
        self._make = lambda: _in_float64(estimator, network, n_features)
        self._networks = {FLOAT32: network.eval()}
        if not makes_own_modules(estimator):
            self[FLOAT64]

    def __getitem__(self, dtype):
        if dtype == FLOAT64 and FLOAT64 not in self._networks:
            self._networks.setdefault(FLOAT64, self._make())  # of two threads the first one's
        return self._networks[dtype]

    def __iter__(self):
        return iter((FLOAT32, FLOAT64))

    def __len__(self):
        return 2


@torch.inference_mode(mode=False)
def _in_float64(estimator, network, n_features):
    weights = network.state_dict()
    twin = copy_network(estimator, n_features, weights)
    twin.to(next(iter(weights.values())).device)
    return twin.double().eval()
