import pickle
import re

import numpy as np
import pytest
import torch

from skvae import VAETransformer
from skvae.training.devices import check_device


def test_an_absent_device_is_named_before_training(table):
    vae = VAETransformer(2, device="nowhere")
    with pytest.raises(
        ValueError, match=r"^device='nowhere' must be one that torch can compute on"
    ):
        vae.fit(table)
    assert not hasattr(vae, "net_")
    check_device("cpu")
    check_device(torch.device("cpu"))


@pytest.mark.parametrize("device", ["cuda", "cuda:99", "mps"])
def test_a_gpu_that_is_not_there_is_refused_in_one_sentence(device, monkeypatch):
    def absent(*arguments, **options):
        raise AssertionError("Torch not compiled with CUDA enabled\nand more")

    monkeypatch.setattr(torch, "zeros", absent)
    sentence = (
        f"device={device!r} must be one that torch can compute on here. Got from torch instead: "
        "Torch not compiled with CUDA enabled. Use device='cpu', or a torch built for that device."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        check_device(device)


def test_a_pickle_from_a_device_that_is_absent_computes_on_the_cpu(table):
    vae = VAETransformer(2, max_epochs=1, random_state=0).fit(table)
    state = vae.__getstate__()
    state["_fitted_params_"] = {**state["_fitted_params_"], "device": "nowhere"}
    state["device"] = "nowhere"
    moved = VAETransformer()
    sentence = (
        "The VAETransformer was fitted on device='nowhere', which is absent here. It computes on "
        "the CPU. Set device='cpu' to fit it again."
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(sentence)}$"):
        moved.__setstate__(state)
    np.testing.assert_array_equal(moved.transform(table), vae.transform(table))
    assert moved.device == "nowhere"
    kept = pickle.loads(pickle.dumps(moved))  # it has moved for good
    np.testing.assert_array_equal(kept.transform(table), vae.transform(table))
