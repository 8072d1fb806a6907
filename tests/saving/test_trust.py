"""Code that a file names is imported only where its name is trusted."""

import os
import re
import sys

import pytest
from own_modules import make_encoder
from refused_files import SMALL, X, assert_refuses, parameter
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import skvae
from skvae import SavingError, VAETransformer


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
