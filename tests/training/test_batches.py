import numpy as np
import pytest
import torch

from skvae.training.batches import (
    Batches,
    batch_slices,
    in_chunks,
    working_dtype,
)
from skvae.training.statistics import column_statistics


@pytest.mark.parametrize(
    ("n_samples", "batch_size", "slices"),
    [
        (2, 2, [(0, 2)]),
        (4, 2, [(0, 2), (2, 4)]),
        (5, 2, [(0, 2), (2, 5)]),
        (3, 2, [(0, 3)]),
        (6, 4, [(0, 4), (4, 6)]),
        (2, 256, [(0, 2)]),
        (3, 1, [(0, 1), (1, 2), (2, 3)]),
    ],
)
def test_a_left_over_row_joins_the_batch_before_it(n_samples, batch_size, slices):
    assert batch_slices(n_samples, batch_size) == slices


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, bool, np.int64, np.float16])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_epoch_holds_every_row_once_in_float32(dtype, order):
    rng = np.random.RandomState(0)
    X = np.asarray(rng.randint(0, 2, (1001, 300)), dtype=dtype, order=order)
    X[:, 0] = rng.permutation(1001) % 2
    rows = np.arange(1, 1001)
    batches = Batches(X, rows, 64)
    assert len(batches.blocks) > 1
    order = rows[torch.randperm(1000, generator=torch.Generator().manual_seed(0)).numpy()]
    shuffled = batches.shuffled(torch.Generator().manual_seed(0))
    gathered = torch.cat([batch.clone() for batch in shuffled])
    assert gathered.dtype == torch.float32
    np.testing.assert_array_equal(gathered, X[order].astype(np.float32))


def test_each_epoch_has_its_own_order_and_without_a_generator_there_is_one():
    X = np.arange(100, dtype=np.float32).reshape(-1, 1)
    batches, generator = Batches(X, np.arange(100), 10), torch.Generator().manual_seed(0)
    epochs = [torch.cat([x.clone() for x in batches.shuffled(generator)]) for _ in range(2)]
    assert not torch.equal(*epochs)
    np.testing.assert_array_equal(torch.cat([x.clone() for x in batches]), X)


def test_statistics_are_numpys_even_far_from_zero():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((500, 3)) * [1.0, 1e-3, 0.0] + [0.0, 1e4, 7.0]
    rows = np.arange(100, 500)
    statistics = column_statistics(X, rows)
    np.testing.assert_allclose(statistics.mean, X[rows].mean(0), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(statistics.variance, X[rows].var(0), rtol=1e-9)
    assert statistics.variance[2] == 0
    np.testing.assert_array_equal(statistics.minimum, X[rows].min(0))
    np.testing.assert_array_equal(statistics.maximum, X[rows].max(0))


def test_statistics_of_several_chunks_are_those_of_one(monkeypatch):
    X = np.random.RandomState(0).standard_normal((500, 3))
    whole = column_statistics(X, np.arange(500))
    monkeypatch.setattr("skvae.training.statistics.STATISTICS_ENTRIES", 21)
    for chunked, expected in zip(column_statistics(X, np.arange(500)), whole, strict=True):
        np.testing.assert_allclose(chunked, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("width", [1, 2**19, 2**30])
def test_chunks_join_to_the_whole(width):
    X = np.arange(12.0).reshape(6, 2)
    result = in_chunks(lambda x: 2 * x, X, 2, width, np.float32)
    np.testing.assert_array_equal(result, 2 * X)
    assert result.dtype == np.float32
    result = in_chunks(lambda x: x.sum(1), X, None, width, np.float64)
    np.testing.assert_array_equal(result, X.sum(1))


@pytest.mark.parametrize(
    ("dtype", "working"),
    [
        *((narrow, "f4") for narrow in ("f2", "f4", "u1", "i1", "?")),
        *((wide, "f8") for wide in ("f8", "i2", "i4", "i8", "u2")),
    ],
)
def test_one_byte_types_work_in_float32_and_other_integers_in_float64(dtype, working):
    assert working_dtype(np.dtype(dtype)) == np.dtype(working)
