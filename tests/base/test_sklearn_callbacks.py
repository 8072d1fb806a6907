"""What scikit-learn's callbacks hear of a fit, and that nobody else notices."""

import importlib
import pickle
import re

import numpy as np
import pandas as pd
import pytest
import torch
from releases import needs_scikit_learn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import EpochScoring

from skvae import (
    AutoencoderTransformer,
    BetaTCVAETransformer,
    BetaVAETransformer,
    VAETransformer,
)

pytestmark = needs_scikit_learn("1.9", "callbacks")
KINDS = [AutoencoderTransformer, VAETransformer, BetaVAETransformer, BetaTCVAETransformer]


@pytest.fixture
def callback():
    """scikit-learn's module of them."""
    return importlib.import_module("sklearn.callback")


def make(Estimator=VAETransformer, **parameters):
    settings = {"n_components": 2, "hidden_layer_sizes": (8,), "max_epochs": 4, "random_state": 0}
    return Estimator(**{**settings, **parameters})


class Listener:
    """Notes everything, and asks to stop after an epoch."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.heard, self.fitted, self.data = [], [], []

    def setup(self, estimator, context):
        self.heard.append("setup")

    def teardown(self, estimator, context):
        self.heard.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.heard.append(("begin", context.task_name, context.task_id, context.max_subtasks))

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        self.heard.append(("end", context.task_name, context.task_id))
        self.fitted.append(fitted_estimator)
        self.data.append((X, y))
        return context.task_id + 1 == self.stop_after and context.task_name == "epoch"


def same(one, other):
    """Whether two fitted estimators have equal weights, histories and scores, bit for bit."""
    weights = other.net_.module_.state_dict()
    for name, value in one.net_.module_.state_dict().items():
        assert torch.equal(value, weights[name]), name
    assert one.history_.keys() == other.history_.keys()
    for name, values in one.history_.items():
        np.testing.assert_array_equal(values, other.history_[name], name)
    assert one.n_iter_ == other.n_iter_


def test_a_fit_is_a_task_and_every_epoch_a_task_in_it(table):
    listener = Listener()
    vae = make(max_epochs=2).set_callbacks(listener)
    assert vae.fit(table) is vae
    assert listener.heard == [
        "setup",
        ("begin", "fit", 0, 2),
        ("begin", "epoch", 0, 0),
        ("end", "epoch", 0),
        ("begin", "epoch", 1, 0),
        ("end", "epoch", 1),
        ("end", "fit", 0),
        "teardown",
    ]
    assert all(X is table and y is table for X, y in listener.data)
    labels = np.array(["a", "b"] * 200)
    vae.fit(table, labels)
    assert listener.data[-1][1] is labels


@pytest.mark.parametrize("Estimator", KINDS)
def test_after_an_epoch_they_get_the_fit_of_as_many_epochs(Estimator, table):
    listener = Listener()
    fitted = make(Estimator, batch_size=100).set_callbacks(listener).fit(table)
    assert len(listener.fitted) == 5
    for epoch, then in enumerate(listener.fitted[:4], start=1):
        shorter = make(Estimator, batch_size=100, max_epochs=epoch).fit(table)
        same(then, shorter)
        np.testing.assert_array_equal(then.score_samples(table), shorter.score_samples(table))
        np.testing.assert_array_equal(
            then.sample(3, random_state=0), shorter.sample(3, random_state=0)
        )
    same(listener.fitted[4], fitted)


def test_under_early_stopping_it_has_the_best_weights_so_far(table):
    parameters = {"early_stopping": True, "n_iter_no_change": 2, "lr": 0.05, "max_epochs": 12}
    listener = Listener()
    make(**parameters).set_callbacks(listener).fit(table)
    for epoch, then in enumerate(listener.fitted[:-1], start=1):
        same(then, make(**{**parameters, "max_epochs": epoch}).fit(table))
    assert listener.fitted[-1].n_iter_ == len(listener.fitted) - 1


def test_a_warm_start_is_a_fit_of_its_own(table):
    listener = Listener()
    vae = make(warm_start=True, max_epochs=2).set_callbacks(listener).fit(table).fit(table)
    assert [then.n_iter_ for then in listener.fitted] == [1, 2, 2, 3, 4, 4]
    same(listener.fitted[-2], vae)
    same(vae, make(warm_start=True, max_epochs=2).fit(table).fit(table))


def test_being_watched_changes_nothing(table):
    def encoder(n_inputs, n_outputs):
        return torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.Linear(n_inputs, n_outputs))

    parameters = {"encoder": encoder, "batch_size": 50, "early_stopping": True}
    torch.manual_seed(0)
    unwatched = make(**parameters).fit(table)
    torch.manual_seed(0)
    watched = make(**parameters).set_callbacks(Listener()).fit(table)
    same(watched, unwatched)
    assert watched.net_.callbacks_ == []
    assert vars(watched).keys() - vars(unwatched).keys() == {"_skl_callbacks"}


def test_a_fit_that_nobody_watches_makes_no_tasks(table, monkeypatch):
    monkeypatch.setattr(VAETransformer, "_init_callback_context", None)
    assert make().fit(table).n_iter_ == 4
    assert make().set_callbacks(Listener()).set_callbacks().fit(table).n_iter_ == 4


def test_they_may_end_the_training(table):
    stopped = make().set_callbacks(Listener(stop_after=2)).fit(table)
    same(stopped, make(max_epochs=2).fit(table))


def test_they_get_the_rows_as_they_were_given(table, callback):
    frame = pd.DataFrame(table, columns=list("abcdef"))
    monitor = callback.ScoringMonitor(scoring={"elbo": lambda vae, X, y: vae.score(X)})
    make().set_callbacks(monitor).fit(frame)
    assert len(monitor.get_logs().data) == 5


def test_a_fit_that_fails_is_torn_down_and_leaves_nothing(table):
    listener = Listener()
    vae = make(lr=1e9).set_callbacks(listener)
    with pytest.raises(ValueError, match="loss must stay finite"):
        vae.fit(table)
    assert listener.heard[-1] == "teardown"
    assert [name for name in vars(vae) if name.endswith("_") or "ctx" in name] == []


def test_those_of_skorch_stay_a_parameter_and_may_listen_too(table):
    listener, scoring = Listener(), EpochScoring("r2", name="r2", on_train=True)
    vae = make(callbacks=[scoring]).set_callbacks(listener).fit(table)
    assert vae.callbacks == [scoring]
    assert len(vae.net_.callbacks_) == 1
    np.testing.assert_array_equal(listener.fitted[-2].history_["r2"], vae.history_["r2"])
    sentence = (
        "callbacks= takes skorch's callbacks. Got Listener, one of scikit-learn's, instead. Pass "
        "it to set_callbacks."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        make(callbacks=[listener]).fit(table)


def test_clones_keep_them_and_pickles_of_fitted_estimators_work(table):
    vae = make().set_callbacks(Listener()).fit(table)
    assert clone(vae)._skl_callbacks == vae._skl_callbacks
    kept = pickle.loads(pickle.dumps(vae))
    np.testing.assert_array_equal(kept.transform(table), vae.transform(table))


def test_scoring_monitor_scores_every_epoch_of_every_fit_of_a_search(table, callback):
    monitor = callback.ScoringMonitor(scoring={"elbo": lambda vae, X, y: vae.score(X)})
    vae = make(max_epochs=3).set_callbacks(monitor)
    search = GridSearchCV(vae, {"lr": [1e-3, 1e-2]}, cv=2, return_train_score=True)
    search.set_callbacks().fit(table)
    scores = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert len(scores) == (2 * 2 + 1) * 3  # fits of three epochs, the last one on all rows
    last = [row["elbo"] for row in scores if row["task_id"] == 2]
    expected = [search.cv_results_[f"split{split}_train_score"] for split in (0, 1)]
    expected = [*np.ravel(expected), search.best_estimator_.score(table)]
    np.testing.assert_allclose(sorted(last), sorted(expected))


def test_a_progress_bar_shows_the_fits_of_a_search(table, callback, capsys):
    pipeline = make_pipeline(StandardScaler(), make(max_epochs=2))
    bar = callback.ProgressBar(max_propagation_depth=None)
    search = GridSearchCV(pipeline, {"vaetransformer__lr": [1e-3, 1e-2]}, cv=2)
    search.set_callbacks(bar).fit(table)
    lines = [line for line in capsys.readouterr().out.splitlines() if "VAETransformer" in line]
    assert len(lines) == 5
    assert all("VAETransformer - fit" in line for line in lines)
