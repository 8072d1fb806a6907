"""docs/guide/logging.md: its three recipes, and the names that it says one finds."""

import re
import sys
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from skorch.callbacks import Callback, MlflowLogger, TensorBoard, WandbLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from skvae import AutoencoderTransformer, BetaTCVAETransformer, BetaVAETransformer, VAETransformer

PAGE = Path(__file__).parents[2] / "docs/guide/logging.md"
SETTINGS = {"n_components": 2, "max_epochs": 2, "early_stopping": True, "random_state": 0}
MODELS = [
    AutoencoderTransformer(**SETTINGS),
    VAETransformer(**SETTINGS),
    BetaVAETransformer(**SETTINGS, capacity=2.0, capacity_epochs=2),
    BetaTCVAETransformer(**SETTINGS),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the page's code runs."""
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def recipes(folder):
    """Return what the page's code defines."""
    namespace = {"__name__": "__main__"}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for block in re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S):
            exec(compile(block, str(PAGE), "exec"), namespace)
    return namespace


class Run:
    """A run of Weights & Biases, an MLflow client and a TensorBoard writer, to their loggers."""

    def __init__(self, folder="."):
        self.dir, self.info = folder, SimpleNamespace(run_id="1")
        self.logged, self.finished, self.gradients = {}, False, []

    def watch(self, module):
        self.watched = module
        for weight in module.parameters():
            weight.register_hook(self.gradients.append)

    def log(self, values):
        for name, value in values.items():
            self._add(name, value)

    def log_metric(self, run_id, key, value, step=None):
        self._add(key, value)

    def add_scalar(self, tag, scalar_value, global_step):
        self._add(tag, scalar_value)

    def finish(self):
        self.finished = True

    close = finish

    def set_terminated(self, run_id, status=None, end_time=None):
        self.finished = True

    def _add(self, name, value):
        self.logged.setdefault(name, []).append(value)


LOGGERS = {
    "TensorBoard": TensorBoard,
    "MLflow": lambda run: MlflowLogger(run, run, create_artifact=False),
    "Weights & Biases": lambda run: WandbLogger(run, save_model=False),
}


def table_of_names():
    """Return [(pattern in history_, {logger: pattern})], from the page."""
    rows = re.findall(r"^\| `(\S+)` \| `(\S+)` \| `(\S+)` \|", PAGE.read_text("utf-8"), re.M)
    rows = [tuple(name.replace("...", "*") for name in row) for row in rows]
    return [
        (name, {"TensorBoard": board, "MLflow": others, "Weights & Biases": others})
        for name, board, others in rows
    ]


def rows_of(name, logger=None):
    """Return the row that names ``name`` whole, or else those whose pattern it has."""
    patterns = [row[0] if logger is None else row[1][logger] for row in table_of_names()]
    return patterns.count(name) or sum(fnmatch(name, pattern) for pattern in patterns)


@pytest.mark.parametrize("logger", LOGGERS)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_what_is_logged_is_history_under_the_names_of_the_table(model, logger, table):
    run = Run()
    model.set_params(callbacks=[lambda: LOGGERS[logger](run)]).fit(table)
    for name in run.logged:
        assert rows_of(name, logger) == 1, name
    expected = {
        f"Loss/{name}" if logger == "TensorBoard" and name[:6] in ("train_", "valid_") else name
        for name in model.history_
    }
    assert set(run.logged) == expected
    for name, values in model.history_.items():
        assert rows_of(name) == 1, name
        logged = run.logged.get(name) or run.logged[f"Loss/{name}"]
        np.testing.assert_array_equal(logged, values)


def test_the_table_names_nothing_that_no_model_has(table):
    names = {
        name for model in MODELS for name in model.set_params(callbacks=None).fit(table).history_
    }
    for pattern, _ in table_of_names():
        assert any(fnmatch(name, pattern) for name in names), pattern


@pytest.mark.parametrize("beta", [1.0, 4.0])
def test_the_loss_is_reconstruction_and_beta_times_kl(beta, table):
    run = Run()
    model = BetaVAETransformer(**SETTINGS, beta=beta, callbacks=[lambda: TensorBoard(run)])
    model.fit(table)
    weighed = np.add(run.logged["reconstruction"], np.multiply(beta, run.logged["kl"]))
    np.testing.assert_allclose(run.logged["Loss/train_loss"], weighed, rtol=1e-5)


class Adds(Callback):
    def on_epoch_end(self, net, **kwargs):
        net.history.record("of_my_own", 3)


def test_what_a_callback_before_the_logger_adds_is_logged(table):
    run = Run()
    VAETransformer(**SETTINGS, callbacks=[Adds, lambda: TensorBoard(run)]).fit(table)
    assert run.logged["of_my_own"] == [3, 3]


# ------------------------------------------------------------------ the recipes


def test_the_recipe_of_tensorboard(recipes, folder):
    (written,) = folder.glob("run_*")  # the page has fitted one
    events = EventAccumulator(str(written)).Reload()
    assert set(events.Tags()["scalars"]) == {"Loss/train_loss", "reconstruction", "kl"}
    assert [event.step for event in events.Scalars("kl")] == [1, 2, 3, 4, 5]


def test_the_recipe_of_mlflow(recipes, tmp_path, monkeypatch, table):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # without a database
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlflow").as_uri())
    from mlflow import MlflowClient

    MlflowClient().search_experiments()  # a new store makes the default one
    model = VAETransformer(2, max_epochs=2, random_state=0, callbacks=[recipes["mlflow"]])
    model.fit(table)
    (run,) = MlflowClient().search_runs(["0"])
    assert run.info.status == "FINISHED"
    assert run.data.metrics["kl"] == model.history_["kl"][-1]
    assert {"params.pth", "history.json"} <= {
        artifact.path for artifact in MlflowClient().list_artifacts(run.info.run_id)
    }


def test_the_recipe_of_weights_and_biases(recipes, monkeypatch, table):
    runs = []

    def init(project):
        assert project == "skvae"
        runs.append(Run())
        return runs[-1]

    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=init))
    callbacks = [recipes["weights_and_biases"]]
    model = VAETransformer(2, max_epochs=2, random_state=0, callbacks=callbacks, warm_start=True)
    model.fit(table).fit(table)
    assert [run.finished for run in runs] == [True, True]
    logged = [run.logged["kl"] for run in runs]
    np.testing.assert_array_equal(logged[1], model.history_["kl"][2:])
    assert runs[1].watched is model.net_.module_
    n_weights = len(list(model.net_.module_.parameters()))
    assert len(runs[1].gradients) == 2 * 2 * n_weights  # two epochs of two batches


def test_weights_and_biases_saves_the_best_weights_of_validation_alone(tmp_path, table):
    def log():
        return WandbLogger(Run(tmp_path))

    VAETransformer(**SETTINGS, callbacks=[log]).fit(table)
    assert (tmp_path / "best_model.pth").exists()
    with pytest.raises(KeyError, match="valid_loss_best"):
        VAETransformer(2, max_epochs=2, callbacks=[log]).fit(table)
