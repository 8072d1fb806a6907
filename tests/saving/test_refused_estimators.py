"""What save refuses: estimators and values that a file has no place for."""

import re
import subprocess
import sys

import pytest
from refused_files import SMALL, X
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skvae
from skvae import SavingError, VAETransformer
from skvae.files.container import pack_file


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
