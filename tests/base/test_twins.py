import copy

import numpy as np
import pytest
import torch
from torch import nn

from skvae import AutoencoderTransformer, VAETransformer
from skvae.base import twins

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


@pytest.fixture
def counted(monkeypatch):
    """Count the copies in float64 that are made."""
    made, make = [], twins._in_float64

    def counting(*arguments):
        made.append(make(*arguments))
        return made[-1]

    monkeypatch.setattr(twins, "_in_float64", counting)
    return made


@pytest.mark.parametrize("Estimator", [AutoencoderTransformer, VAETransformer])
def test_float32_rows_need_no_copy_in_float64(Estimator, table, counted):
    X = table.astype(np.float32)
    fitted = Estimator(2, max_epochs=2, random_state=0).fit(X).partial_fit(X)
    for rows in (X, X[:1]):
        fitted.score_samples(rows)
        fitted.reconstruct(rows)
    fitted.sample(3, random_state=0)
    assert len(counted) == 0
    wide, _ = fitted.transform(table), fitted.transform(table)
    assert len(counted) == 1
    assert wide.dtype == np.float64
    np.testing.assert_allclose(wide, fitted.transform(X), atol=1e-5)


def test_the_copy_is_of_the_parameters_of_the_fit(table):
    fitted = VAETransformer(2, hidden_layer_sizes=(5,), max_epochs=2, random_state=0).fit(table)
    before = copy.deepcopy(fitted).transform(table)
    fitted.set_params(hidden_layer_sizes=(9, 9), activation="tanh")
    np.testing.assert_array_equal(fitted.transform(table), before)


def test_a_copy_made_under_inference_mode_has_gradients(table):
    fitted = AutoencoderTransformer(2, max_epochs=2, random_state=0).fit(table)
    with torch.inference_mode():
        fitted.transform(table)
    network = fitted._modules_[FLOAT64]
    network.code(torch.tensor(table)).sum().backward()
    assert all(weight.grad is not None for weight in network.encoder.parameters())


def test_modules_of_the_user_are_copied_at_once(table, counted):
    AutoencoderTransformer(2, encoder=nn.Linear, max_epochs=2, random_state=0).fit(table)
    assert len(counted) == 1


def test_both_networks_are_listed(table):
    networks = VAETransformer(2, max_epochs=1, random_state=0).fit(table)._modules_
    assert len(networks) == 2
    assert {dtype: next(n.parameters()).dtype for dtype, n in networks.items()} == {
        FLOAT32: torch.float32,
        FLOAT64: torch.float64,
    }
