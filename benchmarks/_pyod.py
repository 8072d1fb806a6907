"""The detectors of PyOD that are compared with ours. PyOD is an optional dependency."""

__all__ = ["make_pyod"]


def make_pyod(name, seed, **parameters):
    """Return a detector of PyOD, unfitted, with default settings unless stated.

    ``name`` is "PyOD AutoEncoder", "PyOD VAE" or "PyOD ECOD". ECOD has no random numbers.
    """
    from pyod.models.auto_encoder import AutoEncoder
    from pyod.models.ecod import ECOD
    from pyod.models.vae import VAE

    if name == "PyOD ECOD":
        return ECOD(**parameters)
    network = {"PyOD AutoEncoder": AutoEncoder, "PyOD VAE": VAE}[name]
    return network(random_state=seed, verbose=0, **parameters)
