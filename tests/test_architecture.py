"""The layout: imports point one way, and what is optional stays out of ``import skvae``."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import skvae

PACKAGE = Path(skvae.__file__).parent
# A module imports only from modules of a lower layer.
LAYERS = [
    ["_version"],
    ["distributions", "schedules", "stopping", "batches", "threads", "training"],
    ["aggregate", "networks", "observations"],
    ["objectives"],
    ["hyperparameters", "state"],
    ["fitting", "verbs"],
    ["base", "probabilities"],
    ["base_vae"],
    ["autoencoder", "vae", "beta_vae", "beta_tcvae"],
    ["model_selection"],
    ["__init__"],
]
RANK = {module: rank for rank, layer in enumerate(LAYERS) for module in layer}
OPTIONAL = ["matplotlib", "pandas", "polars", "PIL", "dask", "accelerate", "onnx", "safetensors"]


def imports(path):
    """Yield (module imported, whether at the top level of the file)."""
    tree = ast.parse(path.read_text())
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in top
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} has a relative import"
            yield node.module, id(node) in top


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_imports_point_down_and_stand_at_the_top(path):
    assert path.stem in RANK, f"{path.name} has no layer"
    for module, at_top in imports(path):
        assert at_top, f"{path.name} imports {module} inside a function"
        if module.startswith("skvae"):
            imported = module.removeprefix("skvae.")
            assert RANK[imported] < RANK[path.stem], f"{path.stem} imports {imported}"


def test_skorch_and_private_names_of_scikit_learn_have_one_place_each():
    for path in PACKAGE.glob("*.py"):
        for module, _ in imports(path):
            if path.stem != "training":
                assert not module.startswith("skorch"), path.name
            if path.stem != "hyperparameters":
                assert not module.startswith("sklearn.utils._"), path.name


def test_importing_the_package_loads_nothing_optional():
    # scikit-learn itself loads pandas where there is one.
    code = (
        "import sys, sklearn.base, skorch, tqdm.auto; before = set(sys.modules); import skvae; "
        f"print([name for name in {OPTIONAL} if name in set(sys.modules) - before])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stdout + result.stderr


def test_every_file_is_short_and_says_its_one_idea():
    for path in PACKAGE.glob("*.py"):
        assert len(path.read_text().splitlines()) <= 330, path.name
        assert ast.get_docstring(ast.parse(path.read_text())), path.name
