"""Who looks while another thread fits sees the state of before, or that of after."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event, Thread

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from skorch.callbacks import Callback

from skvae import AutoencoderOutlierDetector, AutoencoderTransformer, VAETransformer
from skvae.base.states import adopt, fitted_as_a_whole, of_one_state

SMALL = {"hidden_layer_sizes": (4,), "max_epochs": 1, "random_state": 0}


class Pause(Callback):
    """Stops a fit at the end of its first epoch until it may go on; cloned as it is."""

    reached, go_on = Event(), Event()

    def on_epoch_end(self, net, **kwargs):
        self.reached.set()
        assert self.go_on.wait(60)


class PausingPCA(PCA):
    """Stops a fit before it begins until it may go on."""

    reached, go_on = Event(), Event()
    pauses = False

    def fit(self, X, y=None):
        if PausingPCA.pauses:
            self.reached.set()
            assert self.go_on.wait(60)
        return super().fit(X)


class WrongColumns(Exception):
    """Rows like those of another fit."""


def in_the_middle(pause, fit):
    """Return a thread that fits, at a moment when it is half done."""
    pause.reached.clear()
    pause.go_on.clear()
    thread = Thread(target=fit)
    thread.start()
    assert pause.reached.wait(60)
    return thread


def end(pause, thread):
    pause.go_on.set()
    thread.join(60)
    assert not thread.is_alive()


@pytest.mark.parametrize("Estimator", [AutoencoderTransformer, VAETransformer])
@pytest.mark.parametrize("warm_start", [False, True])
def test_during_a_fit_a_transformer_answers_by_the_fit_before(Estimator, warm_start, table):
    estimator = Estimator(2, warm_start=warm_start, **SMALL).fit(table)
    before, codes = vars(estimator).copy(), estimator.transform(table)
    estimator.set_params(callbacks=[Pause()])
    thread = in_the_middle(Pause, lambda: estimator.fit(table[:300]))
    try:
        np.testing.assert_array_equal(estimator.transform(table), codes)
        copy = pickle.loads(pickle.dumps(estimator.set_params(callbacks=None)))
        np.testing.assert_array_equal(copy.transform(table), codes)
        assert {name: vars(estimator)[name] for name in before if name.endswith("_")} == {
            name: value for name, value in before.items() if name.endswith("_")
        }
    finally:
        end(Pause, thread)
    assert not np.array_equal(estimator.transform(table), codes)


def test_during_a_fit_a_detector_answers_by_the_fit_before(table):
    detector = AutoencoderOutlierDetector(PausingPCA(2), random_state=0).fit(table)
    scores = detector.score_samples(table)
    PausingPCA.pauses = True
    try:
        thread = in_the_middle(PausingPCA, lambda: detector.fit(table[:, :4]))
        np.testing.assert_array_equal(detector.score_samples(table), scores)
        end(PausingPCA, thread)
    finally:
        PausingPCA.pauses = False
    assert detector.n_features_in_ == 4
    assert detector.score_samples(table[:, :4]).shape == (len(table),)


def test_threads_that_transform_while_one_fits_find_whole_states(table):
    """Fits by turns of six and of four columns, under a narrow and a wide code."""
    estimator = VAETransformer(2, **SMALL).fit(table)
    narrow = table[:, :4]
    expected = {6: estimator.transform(table), 4: VAETransformer(2, **SMALL).fit_transform(narrow)}

    def fit():
        for turn in range(12):
            estimator.fit(narrow if turn % 2 == 0 else table)

    def answer(n_columns):
        try:
            return estimator.transform(table[:, :n_columns])
        except ValueError as error:
            if f"X has {n_columns} features, but VAETransformer is expecting" in str(error):
                raise WrongColumns from error
            raise

    def ask(n_columns):
        answers = 0
        while not done.is_set():
            with suppress(WrongColumns):
                np.testing.assert_array_equal(answer(n_columns), expected[n_columns])
                answers += 1
        return answers

    done = Event()
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask, n_columns) for n_columns in (4, 6, 4, 6)]
        try:
            fit()
        finally:
            done.set()
        assert all(answers.result() > 0 for answers in asked)


def test_a_method_reads_one_state_though_another_comes(table):
    class Slow:
        @of_one_state
        def read(self):
            first = self.a_
            adopt(owner, {"a_": 2, "b_": 2})
            return first, self.b_

    owner = Slow()
    adopt(owner, {"a_": 1, "b_": 1})
    assert owner.read() == (1, 1)
    assert owner.read() == (2, 2)


def test_a_fit_takes_all_at_once_and_keeps_what_was_set_meanwhile():
    scaler = PCA(2)
    scaler.old_ = 1
    with fitted_as_a_whole(scaler) as fresh:
        assert not hasattr(fresh, "old_")
        fresh.new_ = fresh.seen = 1
        scaler.set_params(n_components=3)
        assert scaler.old_ == 1
    assert (scaler.new_, scaler.seen, scaler.n_components) == (1, 1, 3)
    assert not hasattr(scaler, "old_")


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_a_fit_that_fails_leaves_none(kind):
    scaler = PCA(2)
    scaler.old_ = 1

    def fail():
        with fitted_as_a_whole(scaler) as fresh:
            fresh.new_ = 1
            raise kind

    with pytest.raises(kind):
        fail()
    assert [name for name in vars(scaler) if name.endswith("_")] == []


def test_names_of_an_earlier_fit_do_not_stay(table):
    estimator = VAETransformer(2, **SMALL).fit(pd.DataFrame(table, columns=list("abcdef")))
    estimator.fit(table)
    assert not hasattr(estimator, "feature_names_in_")


def test_names_of_codes_are_of_the_state_that_made_them(table):
    estimator = VAETransformer(2, **SMALL).set_output(transform="pandas").fit(table)
    wider = VAETransformer(3, **SMALL).fit(table)

    class Late(np.ndarray):
        """Rows that are read when another fit ends."""

        def __array_finalize__(self, obj):
            adopt(estimator, vars(wider))

    rows = table.copy().view(Late)
    adopt(estimator, vars(VAETransformer(2, **SMALL).fit(table)))
    assert list(estimator.transform(rows).columns) == ["vaetransformer0", "vaetransformer1"]
