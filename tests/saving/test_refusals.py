"""What load and save refuse, and the sentences in which they do."""

import contextlib
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from own_modules import make_encoder
from saved_files import HOSTILE, must_hold, resealed
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import skvae
from skvae import AutoencoderOutlierDetector, AutoencoderTransformer, SavingError, VAETransformer
from skvae.files.container import pack_file
from skvae.files.context import Reading
from skvae.files.values import read_value
from skvae.saving.estimators import read_estimator
from skvae.saving.values import KINDS

SMALL = {"hidden_layer_sizes": (4,), "max_epochs": 1, "random_state": 0}
X = np.random.RandomState(0).standard_normal((40, 4))
REMEDY = "Take another copy of it, or save the estimator again."


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """Files of estimators by name."""
    folder = tmp_path_factory.mktemp("originals")
    estimators = {
        "ae": AutoencoderTransformer(2, **SMALL),
        "vae": VAETransformer(2, warm_start=True, **SMALL),
        "detector": AutoencoderOutlierDetector(
            PCA(2), anomaly_score="reconstruction", random_state=0
        ),
        "pipeline": make_pipeline(StandardScaler(), VAETransformer(2, **SMALL)),
    }
    for name, estimator in estimators.items():
        skvae.save(estimator.fit(X), folder / name)
    return folder


@pytest.fixture
def changed(originals, tmp_path):
    """Return the path of a file that was changed by a function of its document and arrays."""

    def change(name, function):
        path = tmp_path / name
        path.write_bytes((originals / name).read_bytes())
        resealed(path, function)
        return path

    return change


def assert_refuses(path, sentence, **options):
    with pytest.raises(SavingError, match=f"^{re.escape(sentence)}$"):
        skvae.load(path, **options)


def must_be_whole(got):
    return f"load takes a file that skvae.save wrote, whole. Got {got} instead. {REMEDY}"


# ------------------------------------------------------------------ the file


def test_a_file_that_is_cut_lengthened_or_changed_is_refused(originals, tmp_path):
    data = (originals / "vae").read_bytes()
    path = tmp_path / "changed"
    for size in (0, 5, 8, 100, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(SavingError, match=r"^load takes a file that skvae\.save wrote, whole"):
            skvae.load(path)
    path.write_bytes(data[:4])
    assert_refuses(path, must_be_whole("one that is cut after 4 bytes, or another kind of file"))
    path.write_bytes(data + b"\0")
    with pytest.raises(SavingError, match="one that safetensors refuses"):
        skvae.load(path)
    flipped = bytearray(data)
    flipped[-3] ^= 1
    path.write_bytes(flipped)
    assert_refuses(path, must_be_whole("one with another checksum than it had when it was written"))


def test_a_header_of_any_length_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "long"
    path.write_bytes((2**63).to_bytes(8, "little") + b"{}")
    assert_refuses(path, must_be_whole("one that is cut after 10 bytes, or another kind of file"))
    with path.open("wb") as file:
        file.write((2**25).to_bytes(8, "little"))
        file.truncate(2**25 + 8)
    assert_refuses(path, must_be_whole("one with a header of 33554432 bytes, of at most 16777216"))


@pytest.mark.parametrize(
    ("header", "got"),
    [
        (b"[" * 100, "one with brackets in brackets 64 deep in its header"),
        (
            b"[" + b"[]," * 9000 + b"1]",
            "one with 18001 values in 27003 bytes of JSON in its header",
        ),
        (b'{"a": NaN}', "one with no JSON in its header (NaN is not of JSON)"),
        (b"9" * 5000, "one with no JSON in its header (99999999... is no integer of 64 bits)"),
        (b'{"a": 1, "a": 2}', "one with no JSON in its header (a name comes twice)"),
        (b'{"__metadata__": {"format": "pt"}}', "one that something else has written"),
        (b"\xff\xff", "one with a header that is no text"),
        (b"{}", "one that something else has written"),
    ],
)
def test_json_that_is_deep_wide_or_none_is_refused(header, got, tmp_path):
    path = tmp_path / "header"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    assert_refuses(path, must_be_whole(got))


def test_a_pickle_is_another_kind_of_file_and_is_not_run(tmp_path):
    path, trace = tmp_path / "pickle", tmp_path / "trace"
    path.write_bytes(f"cos\nsystem\n(S'touch {trace}'\ntR.".encode())
    with pytest.raises(SavingError, match="or another kind of file"):
        skvae.load(path)
    assert not trace.exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_a_device_and_a_folder_are_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", tmp_path):
        assert_refuses(
            path,
            f"A path must be that of a file. Got {os.fspath(path)!r}, which is something else, "
            f"instead. Give the path of a file.",
        )


def test_a_file_that_is_missing_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        skvae.load(tmp_path / "none")


def test_a_newer_format_says_what_wrote_it(changed):
    def newer(document, arrays):
        document.update(format=2, versions={"skvae": "9.1"})

    assert_refuses(
        changed("ae", newer),
        f"load of skvae {skvae.__version__} reads files of format 1 at most. Got format 2, written "
        f"by skvae 9.1, instead. Install that version.",
    )


# ------------------------------------------------------------------ what it holds


def parameter(name, value):
    return lambda document, arrays: document["estimator"]["parameters"].update({name: value})


def fitted(name, value):
    return lambda document, arrays: document["estimator"]["fitted"].update({name: value})


def array(name, change):
    def edit(document, arrays):
        arrays[name] = change(arrays[name].copy())

    return edit


def fill(value):
    def change(values):
        values.flat[0] = value
        return values

    return change


def fitted_parameter(name, value):
    def change(document, arrays):
        pairs = dict(document["estimator"]["fitted"]["_fitted_params_"]["dict"])
        document["estimator"]["fitted"]["_fitted_params_"]["dict"] = [
            *{**pairs, name: value}.items()
        ]

    return change


def other_class(document, arrays):
    document["estimator"]["class"] = "os.system"


def without(name):
    return lambda document, arrays: document["estimator"]["fitted"].pop(name)


def abstract(document, arrays):
    document["estimator"]["class"] = "skvae.base.BaseVAETransformer"


WEIGHT = "estimator._weights_.encoder.layers.0.weight"
MOMENT = "estimator._optimizer_state_.0.exp_avg"
REFUSED = [
    ("ae", other_class, "one of {classes}", "estimator", "os.system"),
    (
        "detector",
        without("_frame_type_"),
        "names and a kind of frames where it was fitted to such",
        "estimator",
        "others",
    ),
    ("vae", abstract, "the name of a class below BaseVAETransformer", "estimator", "none"),
    ("ae", array(WEIGHT, fill(np.nan)), "finite numbers", WEIGHT, "inf or nan"),
    ("ae", array(WEIGHT, lambda w: w[:-1]), "(4, 4) of float32", WEIGHT, "(3, 4) of float32"),
    (
        "ae",
        array(WEIGHT, lambda w: w.astype(np.float64)),
        "(4, 4) of float32",
        WEIGHT,
        "(4, 4) of float64",
    ),
    (
        "ae",
        array("estimator.code_mean_", lambda a: a[:1]),
        "n_components=1 as elsewhere",
        "estimator.code_covariance_",
        "2",
    ),
    (
        "ae",
        array("estimator.code_mean_", lambda a: a.astype(np.float32)),
        "an array of float64",
        "estimator.code_mean_",
        "float32",
    ),
    ("ae", fitted("n_iter_", 7), "n_epochs=1 as elsewhere", "estimator", "7"),
    ("ae", fitted("n_iter_", True), "an integer of at least 1", "estimator.n_iter_", "True"),
    (
        "ae",
        fitted("n_features_in_", 10**9),
        "parameters of a network as large as its weights",
        "estimator",
        "a larger one",
    ),
    (
        "ae",
        fitted_parameter("n_components", 10**9),
        "n_components=2 as elsewhere",
        "estimator",
        "1000000000",
    ),
    (
        "vae",
        fitted_parameter("n_components", 10**9),
        "parameters of a network as large as its weights",
        "estimator",
        "a larger one",
    ),
    (
        "vae",
        fitted_parameter("hidden_layer_sizes", {"tuple": [10**6]}),
        "(1000000, 4) of float32",
        WEIGHT,
        "(4, 4) of float32",
    ),
    ("ae", fitted("cache", 1), "some of {ae}", "estimator", "cache"),
    (
        "ae",
        parameter("beta", 1.0),
        "parameters that AutoencoderTransformer has",
        "estimator",
        "beta",
    ),
    (
        "ae",
        parameter("lr", -1.0),
        "valid parameters",
        "estimator",
        "The 'lr' parameter of AutoencoderTransformer must be a float in the range (0.0, ...",
    ),
    ("vae", array(MOMENT, fill(np.inf)), "finite numbers", MOMENT, "inf or nan"),
    (
        "vae",
        array("estimator._optimizer_state_.0.step", fill(-1)),
        "nothing negative",
        "estimator._optimizer_state_.0.step",
        "what is",
    ),
    (
        "vae",
        fitted("noise_variance_", {"float": "inf"}),
        "a finite number of at least 0.0",
        "estimator.noise_variance_",
        "inf",
    ),
    (
        "detector",
        fitted("offset_", {"float": "nan"}),
        "a finite number",
        "estimator.offset_",
        "nan",
    ),
    (
        "detector",
        array("estimator._seen_rows_.keys", lambda a: a[::-1]),
        "keys in order",
        "estimator._seen_rows_.keys",
        "others",
    ),
    (
        "detector",
        array("estimator.estimators_samples_[1]", fill(40)),
        "rows below 40",
        "estimator.estimators_samples_",
        "others",
    ),
    (
        "detector",
        array("estimator._calibration_.out_of_bag", lambda a: a[::-1]),
        "scores in order",
        "estimator._calibration_",
        "others",
    ),
    ("detector", fitted("n_features_in_", 3), "n_columns=4 as elsewhere", "estimator", "3"),
]


@pytest.mark.parametrize(("name", "change", "expected", "place", "got"), REFUSED)
def test_what_does_not_fit_together_is_refused(name, change, expected, place, got, changed):
    from skvae.saving.estimators import DECLARATIONS

    names = DECLARATIONS["skvae.AutoencoderTransformer"].fitted
    expected = expected.format(classes=", ".join(DECLARATIONS), ae=", ".join(names))
    assert_refuses(changed(name, change), must_hold(expected, place, got))


def test_arrays_that_are_missing_or_left_over_are_refused(changed):
    assert_refuses(
        changed("ae", lambda document, arrays: arrays.pop("estimator.code_mean_")),
        must_hold("an array", "estimator.code_mean_", "none"),
    )
    assert_refuses(
        changed("ae", lambda document, arrays: arrays.update(more=np.zeros(3))),
        must_hold("arrays of its own", "estimator", "also more"),
    )


def test_a_parameter_that_an_earlier_version_did_not_have_gets_its_default(changed):
    path = changed("ae", lambda document, arrays: document["estimator"]["parameters"].pop("tol"))
    assert skvae.load(path).tol == AutoencoderTransformer().tol


def test_a_cache_in_a_file_is_refused(changed):
    assert_refuses(
        changed("pipeline", parameter("memory", "cache")),
        "A file keeps Pipelines without a cache. Got estimator.memory with memory='cache' "
        "instead. Set memory=None.",
    )


# ------------------------------------------------------------------ trust


def test_code_by_name_is_imported_only_where_it_is_trusted(tmp_path, changed):
    path = tmp_path / "own"
    skvae.save(VAETransformer(2, encoder=make_encoder, **SMALL).fit(X), path)
    assert_refuses(
        path,
        "The file's estimator.encoder is code by name, which load imports only if it is trusted. "
        "Got 'own_modules.make_encoder', which is not in trusted=[], instead. Add it if you trust "
        "what it names.",
    )
    assert skvae.load(path, trusted={"own_modules.make_encoder"}).encoder is make_encoder
    named = parameter("encoder", {"callable": "no_such_module.function"})
    with pytest.raises(SavingError, match="must be importable here"):
        skvae.load(changed("ae", named), trusted=["no_such_module.function"])


def test_a_name_in_a_file_imports_nothing(changed):
    path = changed("ae", parameter("encoder", {"callable": "antigravity.fly"}))
    with pytest.raises(SavingError, match=r"'antigravity\.fly', which is not in trusted"):
        skvae.load(path)
    assert "antigravity" not in sys.modules


def test_trusted_is_a_collection_of_names(originals):
    sentence = "trusted must be a collection of names. Got 'a.b' instead. Give a list of str."
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        skvae.load(originals / "ae", trusted="a.b")


def test_a_function_in_a_scikit_learn_part_is_trusted_by_its_name(tmp_path):
    pipe = make_pipeline(FunctionTransformer(os.path.isdir), VAETransformer(2, **SMALL))
    skvae.save(pipe, tmp_path / "pipe")
    with pytest.raises(SavingError, match="code by name, which load imports only if it is trusted"):
        skvae.load(tmp_path / "pipe")
    loaded = skvae.load(tmp_path / "pipe", trusted=[f"{os.path.isdir.__module__}.isdir"])
    assert loaded[0].func is os.path.isdir


# ------------------------------------------------------------------ saving


class Foreign(StandardScaler):
    """A transformer of the user's: no file knows its class."""


@pytest.mark.parametrize(
    ("estimator", "sentence"),
    [
        (
            make_pipeline(Foreign(), VAETransformer(2)),
            "A file keeps this package's estimators, Pipelines, and what is of scikit-learn. Got "
            "estimator.steps.foreign, a Foreign, instead. Leave it out, or pickle the estimator.",
        ),
        (
            VAETransformer(2, callbacks=[object()]),
            "A file keeps numbers, text, arrays, estimators, and functions by name. Got "
            "estimator.callbacks[0] of type object instead. Set it to something else, or pickle "
            "the estimator.",
        ),
        (
            make_pipeline(make_column_transformer((VAETransformer(2), [0])), PCA()),
            "A file keeps this package's estimators by themselves, and as steps of a Pipeline. Got "
            "estimator.steps.columntransformer, a ColumnTransformer, which holds "
            "skvae.vae.VAETransformer, instead. Put it in a Pipeline, or pickle the estimator.",
        ),
        (
            VAETransformer(2, lr=-1.0),
            "save needs valid parameters. Got estimator, of which fit says: The 'lr' parameter of "
            "VAETransformer must be a float in the range (0.0, inf). Got -1.0 instead. Set it "
            "right.",
        ),
        (
            "VAE",
            "save takes an estimator. Got a str instead. Give an instance of one.",
        ),
    ],
)
def test_save_refuses_what_a_file_has_no_place_for(estimator, sentence, tmp_path):
    with pytest.raises(SavingError, match=f"^{re.escape(sentence)}$"):
        skvae.save(estimator, tmp_path / "file")
    assert not list(tmp_path.iterdir())


def test_save_refuses_a_lambda_and_an_attribute_of_the_users(tmp_path):
    with pytest.raises(SavingError, match=r"^A file keeps a function or class by the name that"):
        skvae.save(VAETransformer(2, encoder=lambda n_inputs, n_outputs: None), tmp_path / "file")
    estimator = VAETransformer(2, **SMALL).fit(X)
    estimator.note = "mine"
    sentence = (
        "A file keeps parameters, and what fit has found. Got estimator, with the attribute "
        "'note', instead. Delete it before saving."
    )
    with pytest.raises(SavingError, match=f"^{re.escape(sentence)}$"):
        skvae.save(estimator, tmp_path / "file")


def test_a_search_and_a_forest_are_refused(tmp_path):
    search = GridSearchCV(VAETransformer(2, **SMALL), {"lr": [1e-3]}, cv=2).fit(X)
    with pytest.raises(SavingError, match="which holds skvae"):
        skvae.save(search, tmp_path / "file")
    skvae.save(search.best_estimator_, tmp_path / "file")
    pipe = make_pipeline(VAETransformer(2, **SMALL), RandomForestClassifier(2, random_state=0))
    sentence = (
        "A file keeps scikit-learn's estimators that hold arrays of one dtype. Got "
        "estimator.steps.randomforestclassifier, a RandomForestClassifier, with an array of "
        "records instead, as trees have. Leave it out, or pickle the estimator."
    )
    with pytest.raises(SavingError, match=f"^{re.escape(sentence)}$"):
        skvae.save(pipe.fit(X, X[:, 0] > 0), tmp_path / "file")


@pytest.mark.parametrize(("package", "name"), [("safetensors", "pipeline"), ("skops", "detector")])
def test_without_the_extra_only_saving_fails_and_names_it(package, name, originals):
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        f"import skvae\n"
        f"try:\n    skvae.load({str(originals / name)!r})\n"
        f"except ImportError as error:\n    print(error)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.startswith("Saving and loading "), result.stderr
    assert result.stdout.endswith("Install it: pip install skvae[save]\n")


def test_what_save_writes_is_never_more_than_load_reads(monkeypatch):
    monkeypatch.setattr("skvae.files.container.MOST_HEADER", 100)
    with pytest.raises(SavingError, match="with a header of"):
        pack_file({"text": "x" * 200}, {})


@pytest.mark.parametrize("name", KINDS)
def test_no_kind_of_value_is_read_from_what_it_is_not(name):
    """Whatever stands where a value of a kind should, alone, among others or in their place."""
    for one in HOSTILE:
        for content in (one, [one], [one, one], [one, 1], ["int8", one], ["date", one], [one] * 3):
            file = Reading(KINDS, {}, read_estimator)
            with contextlib.suppress(SavingError):
                read_value({name: content}, file, "place")
