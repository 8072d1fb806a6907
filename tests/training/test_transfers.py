"""Rows on their way to a GPU, without one: the same blocks by any way, none overwritten early."""

import numpy as np
import pytest
import torch
from fake_cuda import FakeCuda
from scipy.sparse import csr_array

from skvae.training import transfers
from skvae.training.batches import Batches, in_chunks, tensor_chunks
from skvae.training.transfers import ResidentRows, SentRows, rows_on, sent_ahead, torch_dtype

BOUNDS = [(0, 3), (3, 6), (6, 9), (9, 12), (12, 14)]


def reader(X):
    def read(places, out):
        out[:] = X[places]

    return read


@pytest.mark.parametrize("order", [None, np.random.RandomState(0).permutation(14)])
def test_no_block_is_overwritten_before_it_was_computed_with(order, monkeypatch):
    cuda = FakeCuda(monkeypatch, prompt=False)
    X = np.arange(28.0, dtype=np.float32).reshape(14, 2)
    computed = []
    blocks = sent_ahead(reader(X), BOUNDS, 2, torch.float32, "cpu", order)
    for block in blocks:
        cuda.computing.do(lambda block=block: computed.append(block.clone()))
    cuda.computing.run(len(cuda.computing.operations))
    np.testing.assert_array_equal(torch.cat(computed), X if order is None else X[order])


def test_the_next_block_is_on_its_way_before_one_is_computed_with(monkeypatch):
    cuda = FakeCuda(monkeypatch, prompt=False)
    X = np.zeros((14, 2), np.float32)
    blocks = sent_ahead(reader(X), BOUNDS, 2, torch.float32, "cpu")
    n_sent = [len(cuda.sent) for _ in blocks]
    assert n_sent == [2, 3, 4, 5, 5]


def test_the_host_waits_for_no_block_but_the_one_before_the_last(monkeypatch):
    cuda = FakeCuda(monkeypatch, prompt=False)
    X = np.zeros((14, 2), np.float32)
    computed = []
    blocks = sent_ahead(reader(X), BOUNDS, 2, torch.float32, "cpu")
    n_computed = []
    for number, _ in enumerate(blocks):
        cuda.computing.do(lambda number=number: computed.append(number))
        n_computed.append(len(computed))
    # Before block n is handed out, block n + 1 is written where block n - 1 was copied from, which
    # was copied to where block n - 3 was computed with.
    assert n_computed == [0, 0, 0, 1, 1]


def test_the_first_copies_wait_for_what_computed_in_their_memory_before(monkeypatch):
    cuda = FakeCuda(monkeypatch, prompt=False)
    streams, done = [], []
    plain = torch.cuda.Stream
    monkeypatch.setattr(torch.cuda, "Stream", lambda d: streams.append(plain(d)) or streams[-1])
    cuda.computing.do(lambda: done.append("before"))
    X = np.zeros((14, 2), np.float32)
    next(sent_ahead(reader(X), BOUNDS, 2, torch.float32, "cpu"))
    assert not done
    streams[0].run(1)
    assert done == ["before"]


@pytest.mark.parametrize("kind", [ResidentRows, SentRows])
@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.float64, bool, np.float16, np.int64])
@pytest.mark.parametrize("entries", [40, 2**22])
def test_blocks_are_those_of_the_cpu(kind, dtype, entries, gpu, monkeypatch):
    monkeypatch.setattr(transfers, "BLOCK_ENTRIES", entries)
    X = np.random.RandomState(0).randint(0, 2, (60, 5)).astype(dtype)
    rows = kind(reader(X), X.shape, torch_dtype(X.dtype), torch.device("cpu"))
    order = torch.randperm(60, generator=torch.Generator().manual_seed(0))
    bounds = [(0, 25), (25, 50), (50, 60)]
    for place in (order, None):
        expected = X if place is None else X[place]
        blocks = [block.clone() for block in rows.blocks(place, bounds)]
        assert [len(block) for block in blocks] == [25, 25, 10]
        assert {block.dtype for block in blocks} == {torch.float32}
        np.testing.assert_array_equal(torch.cat(blocks), expected.astype(np.float32))


def test_bytes_stay_bytes_on_the_way_and_on_the_device(gpu):
    X = np.zeros((10, 4), np.uint8)
    rows = rows_on("cpu", reader(X), X.shape, torch_dtype(X.dtype))
    assert rows.rows.dtype == torch.uint8
    assert {dtype for dtype, _ in gpu.sent} == {torch.uint8}


@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.uint16, np.dtype(">f4")])
def test_what_float32_takes_no_more_room_for_is_sent_as_it(dtype):
    assert torch_dtype(np.dtype(dtype)) == torch.float32


@pytest.mark.parametrize(("free", "kind"), [(2 * 40 * 4, ResidentRows), (2 * 40 * 4 - 1, SentRows)])
def test_rows_are_resident_where_they_take_half_of_what_is_free(free, kind, monkeypatch):
    FakeCuda(monkeypatch, free=free)
    X = np.zeros((10, 4), np.float32)
    assert type(rows_on("cpu", reader(X), X.shape, torch.float32)) is kind


def test_rows_are_sent_where_a_device_has_no_room_for_all_after_all(gpu, monkeypatch):
    monkeypatch.setattr(transfers, "BLOCK_ENTRIES", 12)
    X, plain, refused = np.random.RandomState(0).rand(10, 4).astype(np.float32), torch.empty, []

    def empty(shape, **options):
        if tuple(shape) == X.shape:
            refused.append(shape)
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return plain(shape, **options)

    monkeypatch.setattr(torch, "empty", empty)
    rows = rows_on("cpu", reader(X), X.shape, torch.float32)
    assert type(rows) is SentRows
    assert len(refused) == 1
    blocks = [block.clone() for block in rows.blocks(None, [(0, 6), (6, 10)])]
    np.testing.assert_array_equal(torch.cat(blocks), X)


def test_other_errors_of_a_device_are_raised(gpu, monkeypatch):
    def read(places, out):
        raise RuntimeError("CUDA error: device-side assert triggered")

    with pytest.raises(RuntimeError, match="device-side"):
        rows_on("cpu", read, (10, 4), torch.float32)


def test_memory_that_torch_holds_unused_is_free(monkeypatch):
    FakeCuda(monkeypatch, free=100)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 500)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 200)
    assert transfers._free_memory("cpu") == 400


def test_rows_of_the_meta_device_have_the_shapes_of_blocks(monkeypatch):
    FakeCuda(monkeypatch)
    X = np.zeros((60, 5), np.uint8)
    rows = ResidentRows(reader(X), X.shape, torch.uint8, torch.device("meta"))
    assert (rows.rows.device.type, rows.rows.dtype) == ("meta", torch.uint8)
    blocks = list(rows.blocks(torch.randperm(60), [(0, 40), (40, 60)]))
    assert [(tuple(block.shape), block.dtype) for block in blocks] == [
        ((40, 5), torch.float32),
        ((20, 5), torch.float32),
    ]
    assert {block.device.type for block in blocks} == {"meta"}


# ------------------------------------------------------------------ batches and chunks


@pytest.mark.parametrize("free", [2**30, 0])
@pytest.mark.parametrize("make", [np.asarray, np.asfortranarray, csr_array])
@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.float64])
def test_batches_of_a_gpu_are_those_of_the_cpu(free, make, dtype, monkeypatch):
    X = make(np.random.RandomState(0).randint(0, 9, (500, 6)).astype(dtype))
    rows = np.random.RandomState(1).permutation(500)[:301]

    def epochs():
        generator = torch.Generator().manual_seed(0)
        batches = Batches(X, rows, 20)
        again = batches.resized(7)
        for iteration in (batches.shuffled(generator), batches.shuffled(generator), batches, again):
            yield from (batch.clone() for batch in iteration)

    expected = list(epochs())
    FakeCuda(monkeypatch, free=free)
    monkeypatch.setattr("skvae.training.batches._is_gpu", lambda device: True)
    monkeypatch.setattr(transfers, "BLOCK_ENTRIES", 300)
    for batch, other in zip(epochs(), expected, strict=True):
        assert torch.equal(batch, other)


def test_rows_are_sent_once_whatever_the_epochs_and_the_sizes_of_batches(gpu):
    X = np.zeros((500, 6), np.float32)
    batches = Batches(X, np.arange(500), 20)
    for _ in range(3):
        list(batches.shuffled(torch.Generator()))
    list(batches.resized(100))
    assert gpu.sent == [(torch.float32, 500)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
@pytest.mark.parametrize("make", [np.asarray, csr_array])
def test_chunks_of_a_gpu_are_those_of_the_cpu(dtype, make, gpu, monkeypatch):
    monkeypatch.setattr("skvae.training.batches.GPU_CHUNK_ENTRIES", 40)
    monkeypatch.setattr("skvae.training.batches.GATHERED_ENTRIES", 60)
    X = np.random.RandomState(0).randint(0, 9, (50, 4)).astype(dtype)
    for working in (np.float32, np.float64):
        chunks = [x.clone() for x in tensor_chunks(make(X), 10, np.dtype(working))]
        assert [len(chunk) for chunk in chunks] == [4] * 12 + [2]
        np.testing.assert_array_equal(torch.cat(chunks), X.astype(working))
        result = in_chunks(lambda x: x, make(X), 4, 10, np.dtype(working))
        assert result.dtype == working
        np.testing.assert_array_equal(result, X)
        sums = in_chunks(lambda x: x.sum(1), make(X), None, 10, np.dtype(working))
        np.testing.assert_array_equal(sums, X.sum(1))


def test_inference_waits_once_for_a_result(gpu, monkeypatch):
    fetched = []
    plain = torch.Tensor.cpu
    monkeypatch.setattr(torch.Tensor, "cpu", lambda x: fetched.append(len(x)) or plain(x))
    monkeypatch.setattr("skvae.training.batches.GPU_CHUNK_ENTRIES", 40)
    X = np.zeros((50, 4), np.float32)
    in_chunks(lambda x: 2 * x, X, 4, 10, np.dtype(np.float32))
    assert fetched == [50]
