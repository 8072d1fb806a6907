"""Benchmarks that keep their fits on the disk read them whole, or measure them again."""

from collections import Counter
from types import SimpleNamespace

import anomaly
import false_alarms
import numpy as np
import pytest
from _common import write_whole
from _disentanglement_fits import Setting, fit_all, plan
from _disentanglement_measures import measure_all

IMAGES = SimpleNamespace(
    X=np.random.default_rng(0).integers(0, 255, (60, 16), dtype=np.uint8),
    input_scale=1 / 255,
    factors=np.indices((3, 4, 5)).reshape(3, -1).T,
    name="made-up",
    digest="",
)
SETTING = Setting(n_components=2, hidden_layer_sizes=(4,), max_epochs=1, kl_warmup_epochs=1)


def test_a_file_is_replaced_only_by_a_whole_one(tmp_path):
    path = tmp_path / "kept.json"
    path.write_text("old")

    def fail(part):
        part.write_text("half")
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        write_whole(path, fail)
    assert path.read_text() == "old"
    write_whole(path, lambda part: part.write_text("new"))
    assert [file.read_text() for file in tmp_path.iterdir() if file.suffix == ".json"] == ["new"]


def test_fits_and_measures_are_kept_and_read_again(tmp_path, monkeypatch):
    fits = plan(("PCA", "VAE"), (), (0,))
    results = fit_all(fits, SETTING, IMAGES, tmp_path, verbose=0)
    measures = measure_all(results, IMAGES, whole=False)
    suffixes = Counter(file.suffix for file in tmp_path.iterdir())
    assert suffixes == {".joblib": 2, ".json": 2, ".npz": 2}
    monkeypatch.setattr("_disentanglement_fits._fit", None)
    monkeypatch.setattr("_disentanglement_measures.mutual_information_gap", None)
    again = fit_all(fits, SETTING, IMAGES, tmp_path, verbose=0)
    assert measure_all(again, IMAGES, whole=False) == measures
    for fit in fits:
        np.testing.assert_array_equal(again[fit].codes, results[fit].codes)
        assert again[fit].codes.shape == (60, 2)


def test_scores_of_anomalies_are_kept_and_read_again(tmp_path, monkeypatch):
    X, y = np.random.default_rng(0).standard_normal((40, 3)), np.arange(40) % 8 == 0
    np.savez(tmp_path / "1_made_up.npz", X=X, y=y)
    monkeypatch.setattr(anomaly, "CACHE", tmp_path / "cache")
    options = SimpleNamespace(most_rows=100, fresh=False)
    case = tmp_path / "1_made_up.npz", "unsupervised", "distance to the mean", 0, options
    row = anomaly.measure(*case)
    monkeypatch.setattr(anomaly, "METHODS", None)
    assert anomaly.measure(*case) == row
    assert [file.suffix for file in (tmp_path / "cache").iterdir()] == [".json"]


def test_shares_of_false_alarms_are_kept_and_read_again(tmp_path, monkeypatch):
    X = np.random.default_rng(0).standard_normal((200, 3))
    monkeypatch.setattr(false_alarms, "CACHE", tmp_path / "cache")
    options = SimpleNamespace(most_rows=100, n_seeds=1, fresh=False)
    case = "made up", X, "50", 0, "LocalOutlierFactor", options
    rows = false_alarms.measure(*case)
    monkeypatch.setattr(false_alarms, "METHODS", None)
    assert false_alarms.measure(*case) == rows != []
    assert [file.suffix for file in (tmp_path / "cache").iterdir()] == [".json"]
