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
    ["_version", "caution", "documentation", "sklearn_callbacks", "steps", "tables", "wrapping"],
    ["datasets.drawing", "datasets.frames", "datasets.pixels", "datasets.rows"],
    ["datasets.grids", "datasets.images", "datasets.dsprites"],
    ["datasets.celeba", "datasets.linear_gaussian", "datasets.sprites", "datasets.xy_squares"],
    ["datasets"],
    ["distributions", "schedules", "stopping", "batches", "threads", "devices"],
    ["encoders", "paths"],
    ["images", "perceptrons"],
    ["training"],
    ["aggregate", "networks", "likelihoods"],
    ["objectives", "observations"],
    ["hyperparameters", "state"],
    ["conclusion"],
    ["fitting", "verbs"],
    ["base", "probabilities"],
    ["base_vae"],
    ["autoencoder", "vae", "beta_vae", "beta_tcvae"],
    ["anomaly_scores", "robust_vae"],
    ["outlier_verbs"],
    ["outlier"],
    ["__init__"],
    ["metrics.inputs", "metrics.factors", "metrics.information"],
    ["metrics.prediction"],
    ["metrics.decomposition", "metrics.latents", "metrics.gaps"],
    ["metrics.interventions", "metrics.sap", "metrics.udr"],
    ["metrics.dci", "metrics.explicitness", "metrics.infomec"],
    ["metrics.report"],
    ["metrics"],
    ["model_selection.path", "model_selection.spectrum", "model_selection.scorers"],
    ["model_selection.code_scorers", "model_selection.ranking"],
    ["model_selection.curve"],
    ["model_selection"],
    ["plotting.figures", "plotting.models", "plotting.rows"],
    ["plotting.scores"],
    ["plotting.beta_curves", "plotting.errors", "plotting.latent_space", "plotting.summaries"],
    ["plotting.reconstructions", "plotting.samples", "plotting.training", "plotting.traversals"],
    ["plotting"],
]
RANK = {module: rank for rank, layer in enumerate(LAYERS) for module in layer}
FILES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").strip(".")
    or "__init__": path
    for path in sorted(PACKAGE.rglob("*.py"))
}
OPTIONAL = ["matplotlib", "pandas", "polars", "PIL", "dask", "accelerate", "onnx", "safetensors"]
PRIVATE_NAMES = {"documentation", "hyperparameters"}  # may import scikit-learn's
# What is optional is imported inside a function, so that nothing else loads it, at one place.
ONE_PLACE = {
    "PIL": "datasets.pixels",
    "pandas": "datasets.frames",
    "matplotlib": "plotting.figures",
}


def imports(path):
    """Yield (module imported, whether at the top level of the file)."""
    tree = ast.parse(path.read_text())
    top = {id(node) for node in tree.body}
    top |= {id(node) for block in tree.body if isinstance(block, ast.Try) for node in block.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in top
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} has a relative import"
            yield node.module, id(node) in top


@pytest.mark.parametrize("name", FILES)
def test_imports_point_down_and_stand_at_the_top(name):
    assert name in RANK, f"{name} has no layer"
    for module, at_top in imports(FILES[name]):
        assert at_top or ONE_PLACE.get(module) == name, f"{name} imports {module} in a function"
        if module.startswith("skvae"):
            imported = module.removeprefix("skvae.")
            assert RANK[imported] < RANK[name], f"{name} imports {imported}"


def test_what_is_optional_is_imported_at_one_place():
    places = [(module.split(".")[0], name) for name in FILES for module, _ in imports(FILES[name])]
    assert sorted(place for place in places if place[0] in OPTIONAL) == sorted(ONE_PLACE.items())


def test_datasets_stand_alone():
    allowed = ("skvae.datasets", "skvae.caution", "skvae._version")
    for name, path in FILES.items():
        for module, _ in imports(path):
            if name.startswith("datasets"):
                assert not module.startswith("skvae") or module.startswith(allowed), name
            else:
                assert not module.startswith("skvae.datasets"), name


def test_skorch_and_private_names_of_scikit_learn_have_their_places():
    for name, path in FILES.items():
        for module, _ in imports(path):
            if name != "training":
                assert not module.startswith("skorch"), name
            if name not in PRIVATE_NAMES:
                assert not module.startswith("sklearn.utils._"), name
            if name != "sklearn_callbacks":
                assert not module.startswith("sklearn.callback"), name


@pytest.mark.parametrize(
    "package",
    ["skvae", "skvae.metrics", "skvae.datasets", "skvae.model_selection", "skvae.plotting"],
)
def test_importing_the_package_loads_nothing_optional(package):
    # scikit-learn itself loads pandas where there is one.
    code = (
        "import sys, sklearn.base, skorch, tqdm.auto; before = set(sys.modules); "
        f"import {package}; "
        f"print([name for name in {OPTIONAL} if name in set(sys.modules) - before])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stdout + result.stderr


def test_every_file_is_short_and_says_its_one_idea():
    for name, path in FILES.items():
        assert len(path.read_text().splitlines()) <= 330, name
        assert ast.get_docstring(ast.parse(path.read_text())), name
