"""Several processes, and arrays in blocks: results are those of one process, and of one array."""

import os
import pickle

import dask
import dask.array as da
import joblib
import numpy as np
import pytest
from dask.distributed import Client, LocalCluster
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback

from skvae import (
    AutoencoderTransformer,
    BetaTCVAETransformer,
    BetaVAETransformer,
    VAETransformer,
)

every_kind = pytest.mark.parametrize(
    "Estimator",
    [AutoencoderTransformer, VAETransformer, BetaVAETransformer, BetaTCVAETransformer],
)


def make(Estimator=VAETransformer, **parameters):
    settings = {"n_components": 2, "hidden_layer_sizes": (8,), "max_epochs": 2, "random_state": 0}
    return Estimator(**{**settings, **parameters})


# ------------------------------------------------------------------ a search on a cluster


def test_a_search_on_a_dask_cluster_is_the_local_one(table, tmp_path):
    search = GridSearchCV(make(BetaVAETransformer), {"beta": [1.0, 4.0]}, cv=2)
    expected = clone(search).fit(table).cv_results_
    settings = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with (
        dask.config.set({"temporary-directory": str(tmp_path)}),
        LocalCluster(processes=True, **settings) as cluster,
        Client(cluster) as client,
        joblib.parallel_config(backend="dask"),
    ):
        workers = client.run(os.getpid).values()
        results = search.fit(table).cv_results_
    assert len(set(workers)) == 2
    assert os.getpid() not in workers
    assert results.keys() == expected.keys()
    for name in results:
        if not name.endswith("time"):
            np.testing.assert_array_equal(results[name], expected[name], name)
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


# ------------------------------------------------------------------ arrays in blocks


@every_kind
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_blocks_of_a_dask_array_have_the_results_of_their_rows(Estimator, dtype, table):
    X = table.astype(dtype)
    blocks = da.from_array(X, chunks=(150, 6))
    model = make(Estimator).fit(X)
    codes = blocks.map_blocks(model.transform, dtype=dtype, chunks=(blocks.chunks[0], (2,)))
    scores = blocks.map_blocks(model.score_samples, dtype=np.float64, drop_axis=1)
    assert codes.chunks == ((150, 150, 100), (2,))
    assert scores.chunks == ((150, 150, 100),)
    rtol = 1e-4 if dtype == np.float32 else 1e-10
    for lazy, expected in ((codes, model.transform(X)), (scores, model.score_samples(X))):
        result = lazy.compute(scheduler="synchronous")
        assert result.dtype == lazy.dtype == expected.dtype
        np.testing.assert_allclose(result, expected, rtol=rtol, atol=rtol)


@every_kind
def test_passes_over_blocks_are_those_over_slices(Estimator, table):
    blocks = da.from_array(table, chunks=(150, 6))
    model, expected = make(Estimator), make(Estimator)
    for block in blocks.blocks:
        model.partial_fit(block.compute(scheduler="synchronous"))
    for start in (0, 150, 300):
        expected.partial_fit(table[start : start + 150])
    assert model.n_samples_seen_ == expected.n_samples_seen_ == 400
    for name, weights in model.net_.module_.state_dict().items():
        np.testing.assert_array_equal(weights, expected.net_.module_.state_dict()[name], name)
    np.testing.assert_array_equal(model.transform(table), expected.transform(table))


# ------------------------------------------------------------------ what workers are given


class Source(Callback):
    """Writes down the file that the rows are a view of that training reads."""

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        while X is not None and not isinstance(X, np.memmap):
            X = X.base
        self.file_ = getattr(X, "filename", None)


def fit_in_a_worker(model, X):
    return os.getpid(), model.fit(X).net_.callbacks_[0][1].file_, model.transform(X)


@pytest.mark.long
def test_workers_of_joblib_read_a_memory_map_in_place(table, tmp_path):
    np.save(tmp_path / "X.npy", table)
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    models = [make(BetaVAETransformer, beta=beta, callbacks=[Source()]) for beta in (1.0, 4.0)]
    with joblib.parallel_config("loky", n_jobs=2):
        results = joblib.Parallel()(joblib.delayed(fit_in_a_worker)(model, X) for model in models)
    for (worker, file, codes), model in zip(results, models, strict=True):
        assert worker != os.getpid()
        assert file == tmp_path / "X.npy"
        np.testing.assert_array_equal(codes, clone(model).fit(table).transform(table))


def pickled_size(*things):
    return len(pickle.dumps(things))


@every_kind
def test_a_worker_is_sent_the_parameters_and_no_more(Estimator, table):
    fitted = make(Estimator, n_components=3).fit(table)
    sent = pickle.loads(pickle.dumps(clone(fitted)))
    assert vars(sent) == fitted.get_params()
    assert pickled_size(clone(fitted)) == pickled_size(make(Estimator, n_components=3))
