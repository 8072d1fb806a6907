"""Every fit has callbacks of its own: copies, or what a callable returns."""

import pickle
from functools import partial
from threading import Lock

import numpy as np
import pytest
from sentences import exactly
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback, EarlyStopping, LRScheduler, MlflowLogger, TensorBoard
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from skvae import VAETransformer


def make(callbacks, **parameters):
    settings = {"n_components": 2, "max_epochs": 2, "random_state": 0, **parameters}
    return VAETransformer(callbacks=callbacks, **settings)


def fitted_names(vae, table):
    return [name for name, _ in vae.fit(table).net_.callbacks_]


# ------------------------------------------------------------------ what is taken


@pytest.mark.filterwarnings("ignore:The model must reconstruct")  # skorch's rates begin at 0.05
def test_callables_classes_and_instances_alone_or_named(table):
    rate = EarlyStopping(monitor="train_loss")
    callbacks = [
        LRScheduler,
        rate,
        lambda: EarlyStopping(monitor="train_loss"),
        ("named", partial(EarlyStopping, monitor="train_loss")),
        ("copied", rate),
    ]
    vae = make(callbacks).fit(table)
    names = ["LRScheduler", "EarlyStopping_1", "EarlyStopping_2", "named", "copied"]
    assert sorted(dict(vae.net_.callbacks_)) == sorted(names)
    assert not any(callback is rate for _, callback in vae.net_.callbacks_)


def test_a_tuple_is_a_list(table):
    assert fitted_names(make((EarlyStopping(monitor="train_loss"),)), table) == ["EarlyStopping"]
    assert fitted_names(make(()), table) == []


@pytest.mark.parametrize(
    ("callbacks", "got"),
    [
        (["x"], "'x'"),
        ([("name", 3)], "3"),
        ([lambda: None], "None"),
        (("name", EarlyStopping()), "'name'"),
    ],
)
def test_what_is_no_callback_is_refused(callbacks, got, table):
    sentence = (
        "callbacks= takes skorch's callbacks, and callables without arguments that return one, "
        f"each alone or as (name, callback). Got {got} instead. Use those of skorch.callbacks, or "
        "a subclass of its Callback."
    )
    with pytest.raises(TypeError, match=exactly(sentence)):
        make(callbacks).fit(table)


def test_a_callable_with_arguments_is_refused(table):
    def log(net):
        """Not what fit calls at every epoch."""

    sentence = (
        "callbacks= takes skorch's callbacks, and callables without arguments that return one, "
        "each alone or as (name, callback). Got an error from one instead: "
        "test_a_callable_with_arguments_is_refused.<locals>.log() missing 1 required positional "
        "argument: 'net'. Use those of skorch.callbacks, or a subclass of its Callback."
    )
    with pytest.raises(TypeError, match=exactly(sentence)):
        make([log]).fit(table)


# ------------------------------------------------------------------ what cannot be copied


class Logger(Callback):
    """Holds what cannot be copied, as a writer does that has a thread."""

    def __init__(self, writer):
        self.writer = writer


def logger():
    return Logger(Lock())


@pytest.mark.parametrize("callback", [logger(), ("log", logger())])
@pytest.mark.parametrize(
    "use",
    [
        lambda vae, X: vae.fit(X),
        lambda vae, X: clone(make_pipeline(StandardScaler(), vae)),
        lambda vae, X: GridSearchCV(vae, {"n_components": [1, 2]}).fit(X),
    ],
)
def test_a_callback_that_cannot_be_copied_is_refused_with_the_way(use, callback, table):
    sentence = (
        "The callbacks of callbacks= must be copyable, since every fit uses its own copies. Got a "
        "Logger that cannot be copied (cannot pickle '_thread.lock' object) instead. Pass a "
        "function that makes and returns it: fit calls that function."
    )
    with pytest.raises(TypeError, match=exactly(sentence)):
        use(make([callback]), table)


def test_a_function_that_makes_it_is_called_by_every_fit(table):
    vae = make([logger], warm_start=True)
    locks = [dict(vae.fit(table).net_.callbacks_)["Logger"].writer for _ in range(2)]
    assert locks[0] is not locks[1]
    assert clone(vae).callbacks == [logger]
    assert "callbacks=[<function logger" in repr(vae)
    assert vae._repr_html_()
    again = pickle.loads(pickle.dumps(vae))
    np.testing.assert_array_equal(again.transform(table), vae.transform(table))
    assert again.callbacks == [logger]


# ------------------------------------------------------------------ skorch's loggers


class TensorBoardIn:
    """Makes a TensorBoard that writes in a folder of its own below one."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self):
        number = len(list(self.folder.iterdir()))
        return TensorBoard(SummaryWriter(self.folder / str(number)))


def test_tensorboard_has_a_writer_in_every_fit(tmp_path, table):
    vae = make([TensorBoardIn(tmp_path)], early_stopping=True)
    search = GridSearchCV(vae, {"n_components": [1, 2]}, cv=2).fit(table)
    assert len(list(tmp_path.iterdir())) == 5
    events = EventAccumulator(str(tmp_path / "4")).Reload()
    history = search.best_estimator_.history_
    assert {"Loss/train_loss", "Loss/valid_loss"} <= set(events.Tags()["scalars"])
    logged = [event.value for event in events.Scalars("Loss/train_loss")]
    np.testing.assert_allclose(logged, history["train_loss"], rtol=1e-6)


def test_tensorboards_writer_itself_is_refused_with_the_way(tmp_path, table):
    with SummaryWriter(tmp_path) as writer:
        vae = make([TensorBoard(writer)])
        for use in (vae.fit, lambda _: clone(vae)):
            with pytest.raises(TypeError, match="Pass a function that makes and returns it"):
                use(table)


def test_mlflow_has_a_run_in_every_fit(tmp_path, monkeypatch, table):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # without a database
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient

    client = MlflowClient(tmp_path.as_uri())
    experiment = client.create_experiment("epochs")

    def mlflow_logger():
        return MlflowLogger(client.create_run(experiment), client)

    search = GridSearchCV(make([mlflow_logger]), {"n_components": [1, 2]}, cv=2).fit(table)
    runs = client.search_runs([experiment])
    assert [run.info.status for run in runs] == ["FINISHED"] * 5
    last = max(runs, key=lambda run: run.info.start_time).info.run_id
    logged = [metric.value for metric in client.get_metric_history(last, "train_loss")]
    np.testing.assert_array_equal(logged, search.best_estimator_.history_["train_loss"])
    assert "params.pth" in [artifact.path for artifact in client.list_artifacts(last)]
