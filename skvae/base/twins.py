"""The networks that a fitted estimator uses: the trained one, and a copy of it in float64."""

from collections.abc import Mapping

import numpy as np
import torch

from skvae.base.building import copy_network, makes_own_modules

__all__ = ["InferenceModules"]

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


class InferenceModules(Mapping):
    """Mapping from dtype to network: float32 is the trained network, float64 is a copy of it.

    Both are in evaluation mode. The copy is made at its first use, since float32 data never need
    it. But if the user's functions make the modules, the copy is made at once, because the
    functions may return something else later.

    Parameters
    ----------
    estimator : BaseAutoencoderTransformer
        An estimator with the parameters from which the network was built.
    network : BaseNetwork
        The trained network.
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
            # If two threads make a copy, both use the first one.
            self._networks.setdefault(FLOAT64, self._make())
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
