"""The runs of the paper's experiment: which fits they have, and how they go on."""

import json
from dataclasses import replace

import _common
import _paper_runs
import numpy as np
import paper
import pytest
from _paper_factors import features_of
from _paper_fits import Model, Setting, fingerprint
from _paper_pictures import draw_betas, draw_samples, telling_images
from _paper_rare import rare_and_common
from _paper_runs import AS_THEY_ARE, Run, measure_all
from _paper_traversals import draw_traversals
from made_up_images import quarters
from PIL import Image
from sentences import exactly

SETTING = Setting("quarters", "0", 400, 100, "hybrid", "cpu", "float32", 1, 1e-3, 0.5, 0)


@pytest.fixture(scope="module")
def images():
    return quarters()


@pytest.fixture(scope="module")
def resampled(images):
    features = features_of(images).values()
    return dict(zip(("rare", "common"), rare_and_common(images, features), strict=True))


def make_run(seeds=(0,), **options):
    return Run(SETTING, list(seeds), 4, [5.0, 2.0], [20.0, 100.0], **options)


def test_a_run_has_every_model_for_every_seed(resampled):
    run = make_run((0, 3))
    assert len(run.models) == len(set(run.models)) == 13
    fits = run.fits({})
    assert [(fit.model, fit.setting.seed) for fit in fits] == [
        (model, seed) for seed in (0, 3) for model in run.models
    ]
    fits = run.fits(resampled)
    assert len({fit.key for fit in fits}) == len(fits) == 2 * 13 + 2 * 2 * 4
    assert {(fit.images, fit.setting.data) for fit in fits} == {
        (AS_THEY_ARE, "quarters"),
        ("rare", "quarters-rare"),
        ("common", "quarters-common"),
    }


def test_a_run_of_four_has_no_others():
    run = make_run(whole=False, learned=False)
    assert [model.name for model in run.models] == ["AE", "VAE", "BetaVAE", "BetaTCVAE"]
    assert run.table == run.four
    assert make_run(whole=False).models[4:] == [Model("VAE", 1.0, 4, learned=True)]


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """Stand-ins for what takes long, which tell what they were asked."""
    asked = []

    def measure(model, estimator, images, reference, setting):
        asked.append((model, images.name, setting.seed))
        named = {"hair": {"gap": 0.5}}
        return {"test_mse": float(setting.noise_variance), "n": len(asked), "named": named}

    monkeypatch.setattr(_paper_runs, "measure", measure)
    monkeypatch.setattr(_common, "RESULTS", tmp_path)
    return asked


def test_a_run_is_measured_once_and_goes_on(measured, images, resampled, tmp_path, capsys):
    run = make_run((0, 1), whole=False)
    arguments = (images, resampled, None, tmp_path / "out", tmp_path, 1)
    results = measure_all(run, *arguments, why="settings")
    assert len(measured) == 2 * 5 + 2 * 2 * 4
    assert "26 of 26: BetaTCVAE-20-4-hybrid-seed1-" in capsys.readouterr().out
    assert measure_all(run, *arguments, why="settings") == results
    assert len(measured) == 26
    content = json.loads((tmp_path / "out.json").read_text())
    assert content["settings"] == {"why": "settings"}
    first, last = content["rows"][0], content["rows"][-1]
    assert first["details"] == [{"named": {"hair": {"gap": 0.5}}}]  # the page leaves out lists
    assert not any(isinstance(cell, dict) for cell in first.values())
    assert (first["name"], first["images"], first["seed"]) == ("AE", AS_THEY_ARE, 0)
    assert (last["name"], last["images"], last["seed"]) == ("BetaTCVAE", "common", 1)
    for model, rows in results[AS_THEY_ARE].items():
        assert [row["seed"] for row in rows] == [0, 1]
        assert model.learned == (rows[0]["test_mse"] != 0.5)
    more = make_run((0, 1, 2), whole=False)
    results = measure_all(more, images, {}, *arguments[2:], why="more")
    assert [row["seed"] for row in results[AS_THEY_ARE][run.four[0]]] == [0, 1, 2]
    assert len(measured) == 26 + 5
    assert len(json.loads((tmp_path / "out.json").read_text())["rows"]) == 26 + 5


def test_rows_of_other_measures_are_measured_again_and_fits_are_kept(
    measured, images, tmp_path, capsys
):
    run = make_run(whole=False, learned=False)
    arguments = (images, {}, None, tmp_path / "out", tmp_path, 1)
    expected = measure_all(run, *arguments)
    fitted = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.joblib")}
    content = json.loads((tmp_path / "out.json").read_text())
    del content["rows"][0]["measures"], content["rows"][0]["details"]  # as they were at first
    content["rows"][2]["measures"] -= 1
    (tmp_path / "out.json").write_text(json.dumps(content))
    capsys.readouterr()
    results = measure_all(run, *arguments)
    assert capsys.readouterr().out.splitlines()[0] == (
        "2 rows of out.json have measures of another version than 3. They are left out. This run "
        "measures its own again, and keeps the fits."
    )
    assert [model.name for model, _, _ in measured[4:]] == ["AE", "BetaVAE"]
    assert len(fitted) == 4
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.joblib")} == fitted
    for model, rows in results[AS_THEY_ARE].items():
        (row,), (before,) = rows, expected[AS_THEY_ARE][model]
        assert row["measures"] == before["measures"] == 3
        assert row["test_mse"] == before["test_mse"]
    measure_all(run, *arguments)
    assert len(measured) == 6
    assert "other measures" not in capsys.readouterr().out


COUNTS = ("--epochs", "--latent", "--n-jobs")


def options_of(*arguments):
    return paper.parse("", ["--data", "npz:faces.npz", *arguments])


def test_the_defaults_are_the_papers():
    options = options_of()
    assert (options.architecture, options.device, options.seeds) == ("paper", "cpu", [0])
    assert (options.lr, options.latent, options.noise_variance) == (1e-4, 32, 0.5)
    assert (options.betas[0], options.tc_betas[0], paper.EPOCHS) == (5.0, 20.0, 30)
    assert (options.rows, options.learned, options.rare, options.n_jobs) == (None, True, True, 2)


DEFAULT = "paper-faces-paper"


@pytest.mark.parametrize(
    ("arguments", "lr", "name"),
    [
        ([], 1e-4, DEFAULT),
        (["--lr", "1e-4"], 1e-4, "paper-faces-paper"),
        (["--lr", "1e-3"], 1e-3, "paper-faces-paper-lr0.001"),
        (["--architecture", "hybrid"], 1e-3, "paper-faces-hybrid"),
        (["--architecture", "hybrid", "--quick"], 1e-3, "paper-faces-hybrid-quick"),
        (["--quick"], 1e-3, "paper-faces-paper-quick"),
        (["--as-coded", "--device", "cuda"], 1e-4, "paper-faces-paper-as-coded-cuda"),
        (["--epochs", "5", "--rows", "500"], 1e-4, "paper-faces-paper-epochs5-rows500"),
        (["--epochs", "30", "--latent", "32", "--noise-variance", "0.5"], 1e-4, DEFAULT),
        (["--betas", "5", "2", "20", "--tc-betas", "20", "5", "100"], 1e-4, DEFAULT),
        (["--quick", "--epochs", "30"], 1e-3, "paper-faces-paper-epochs30-quick"),
        (["--quick", "--rows", "2000"], 1e-3, "paper-faces-paper-quick"),
        (["--latent", "8", "--lr", "0.01"], 0.01, "paper-faces-paper-lr0.01-latent8"),
        (["--noise-variance", "0.1"], 1e-4, "paper-faces-paper-variance0.1"),
        (["--betas", "4", "--tc-betas", "2", "8"], 1e-4, "paper-faces-paper-betas4-tc-betas2_8"),
        (["--precision", "bfloat16", "--latent", "8"], 1e-4, "paper-faces-paper-latent8-bfloat16"),
        (["--seeds", "3", "4", "--n-jobs", "1", "--models", "four", "--rare"], 1e-4, DEFAULT),
    ],
)
def test_whatever_makes_other_fits_has_a_file_of_its_own(arguments, lr, name):
    options = options_of(*arguments)
    assert options.lr == lr
    assert paper.file_name(options, "faces") == name


@pytest.mark.parametrize(
    ("arguments", "learned", "rare"),
    [
        (["--models", "four"], False, False),
        (["--models", "four", "--learned", "--rare"], True, True),
        (["--no-learned", "--no-rare"], False, False),
        (["--quick"], True, False),
        (["--data", "celeba:faces"], True, False),
    ],
)
def test_what_is_beside_the_four_can_be_chosen(arguments, learned, rare):
    options = options_of(*arguments)
    assert (options.learned, options.rare) == (learned, rare)


def test_a_gpu_takes_one_fit_at_a_time_and_seeds_count_once():
    options = options_of("--device", "cuda", "--seeds", "2", "0", "2")
    assert (options.n_jobs, options.seeds) == (1, [2, 0])


WHOLE = "argument {}: needs a whole number {}. Got {} instead."
NUMBER = "argument {}: needs a finite, {} number. Got {} instead."


@pytest.mark.parametrize(
    ("option", "value", "text"),
    [
        *((name, "0", WHOLE.format(name, "of at least 1", "0")) for name in COUNTS),
        *((name, "-1", WHOLE.format(name, "of at least 1", "-1")) for name in COUNTS),
        ("--epochs", "2.5", WHOLE.format("--epochs", "of at least 1", "2.5")),
        ("--rows", "1", WHOLE.format("--rows", "of at least 128", "1")),
        ("--rows", "0", WHOLE.format("--rows", "of at least 128", "0")),
        ("--seeds", "-1", WHOLE.format("--seeds", "from 0 to 4294967295", "-1")),
        ("--seeds", "4294967296", WHOLE.format("--seeds", "from 0 to 4294967295", "4294967296")),
        *(
            (name, value, NUMBER.format(name, "positive", value))
            for name in ("--lr", "--noise-variance")
            for value in ("0", "-1", "nan", "inf", "much")
        ),
        *(
            (name, value, NUMBER.format(name, "non-negative", value))
            for name in ("--betas", "--tc-betas")
            for value in ("-1", "nan", "inf", "much")
        ),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(option, value, text, capsys):
    with pytest.raises(SystemExit):
        options_of(option, value)
    assert capsys.readouterr().err.endswith(f"error: {text}\n")


def test_a_variance_is_given_once(capsys):
    with pytest.raises(SystemExit):
        options_of("--as-coded", "--noise-variance", "0.5")
    assert capsys.readouterr().err.endswith(
        "error: argument --noise-variance: not allowed with argument --as-coded\n"
    )


def test_results_go_to_a_folder(tmp_path, capsys):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(SystemExit):
            options_of("--out", str(path))
        text = f"needs a folder. Got {path} instead, which is a file or in one."
        assert capsys.readouterr().err.endswith(f"error: argument --out: {text}\n")
    assert options_of("--out", str(tmp_path / "new")).out == tmp_path / "new"


def test_what_is_given_is_taken_however_small(images):
    options = options_of("--epochs", "1", "--lr", "1e-9", "--betas", "0", "--rows", "128")
    assert (options.lr, options.betas, options.rows) == (1e-9, [0.0], 128)
    assert paper.setting_of(options, images).max_epochs == 1
    assert paper.setting_of(options_of("--quick", "--epochs", "1"), images).max_epochs == 1


def test_a_gpu_that_is_not_there_is_said_before_anything_else(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("sys.argv", ["paper.py", "--data", "npz:missing", "--device", "cuda"])
    text = (
        "--device cuda: needs a GPU that torch can use. Got none instead. Install torch for CUDA, "
        "or take --device cpu."
    )
    with pytest.raises(SystemExit, match=exactly(text)):
        paper.main()


def test_features_that_images_do_not_have_cannot_be_made_rare(images, tmp_path, monkeypatch):
    np.savez(tmp_path / "grey.npz", X=np.vstack([images.train, images.test]).reshape(-1, 16, 16))
    command = ["paper.py", "--data", f"npz:{tmp_path / 'grey.npz'}", "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", [*command, "--rare"])
    text = (
        "--rare: needs images with factors for baldness, any glasses, any beard. Got grey without "
        "them instead. Leave --rare out."
    )
    with pytest.raises(SystemExit, match=exactly(text)):
        paper.main()
    without = replace(images, name="grey", factors_train=None)
    paper.check_rare(options_of(), without, {})  # the default takes what there is
    paper.check_rare(options_of("--rare"), images, features_of(images))


def test_a_setting_says_what_the_options_and_the_images_are(images):
    options = options_of("--architecture", "hybrid", "--seeds", "7", "8")
    setting = paper.setting_of(options, images)
    assert setting == replace(SETTING, fingerprint=fingerprint(images.train), max_epochs=30, seed=7)
    assert paper.setting_of(options_of("--quick"), images).max_epochs == 12  # of four steps


def test_images_of_a_figure_have_the_features_that_get_lost(images):
    shown = telling_images(images)
    assert shown.shape == (4, 256)
    (baldness,) = features_of(images).values()
    bald = np.flatnonzero(baldness.of(images.factors_test))[0]
    np.testing.assert_array_equal(shown[0], images.test[bald])
    assert len(np.unique(np.vstack([shown, images.test]), axis=0)) <= len(images.test)
    np.testing.assert_array_equal(
        telling_images(replace(images, factors_train=None)), images.test[[0, 33, 66, 99]]
    )


@pytest.mark.parametrize("known", [True, False])
def test_the_figures_are_drawn_of_images_with_and_without_factors(known, images, tmp_path):
    if not known:
        images = replace(images, factors_train=None)
    models = [Model("AE", None, 3), Model("VAE", 1.0, 3)]
    fitted = {
        model: model.estimator(SETTING, images.image_shape).fit(images.train) for model in models
    }
    draw_traversals(tmp_path / "traversals.png", fitted, images, 0)
    draw_samples(tmp_path / "samples.png", fitted, images, 0)
    sweep = {models[1]: fitted[models[1]]}
    draw_betas(tmp_path / "betas.png", [sweep, sweep], {models[0]: fitted[models[0]]}, images)
    for path in tmp_path.iterdir():
        with Image.open(path) as picture:
            assert picture.mode == "P"
            assert min(picture.size) > 200
        assert path.stat().st_size < 400_000
