"""The layout: imports point one way, and what is optional stays out of ``import skvae``."""

import ast
import importlib
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import numpy as np
import pytest
from skorch import NeuralNet
from torch import nn

import skvae

PACKAGE = Path(skvae.__file__).parent
TESTS = Path(__file__).parent
LONGEST = 330  # lines of a file: 300, and a tenth more before it has to be split
# A room is a folder, or a file beside the folders. It imports from the floors below its own;
# within a folder, files import each other without going round in circles.
FLOORS = [
    ["_frames", "_typing", "_version", "_warnings", "files"],
    ["_results", "nn"],
    ["datasets", "training"],
    ["base"],
    ["autoencoder", "vae", "beta_vae", "beta_tcvae"],
    ["imputation"],
    ["metrics"],
    ["model_selection", "outlier", "tabular"],
    ["plotting", "saving"],
    ["exporting"],
]
RANK = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
FILES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
EXPORTS = FILES.pop("__init__")  # what the package exports comes from any floor
PUBLIC = [
    "skvae",
    *(
        f"skvae.{room}"
        for room in ("metrics", "datasets", "model_selection", "plotting", "tabular")
    ),
]
OPTIONAL = [
    "matplotlib",
    "pandas",
    "polars",
    "pyarrow",
    "PIL",
    "dask",
    "accelerate",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "safetensors",
    "skops",
]
SCIKIT = ("sklearn", "skorch")
SKORCH = {"training.net", "training.hearing"}
PRIVATE_NAMES = {"base.documentation", "base.hyperparameters"}  # may import scikit-learn's
# What is optional is imported inside a function, so that nothing else loads it, at one place.
ONE_PLACE = {
    "PIL": "datasets.pixels",
    "pandas": "_frames",
    "polars": "_frames",
    "pyarrow": "_frames",
    "matplotlib": "plotting.figures",
    "onnxruntime": "exporting.onnx_files",
    "onnxscript": "exporting.onnx_files",
    "safetensors": "files.container",
    "skops": "saving.sklearn_parts",
}


def room_of(module):
    """Return the room of a module, named with or without the package."""
    return module.removeprefix("skvae.").split(".")[0]


def unindented(body):
    """Yield the statements of a file, those under its ``if`` and ``try`` with them."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from unindented([*node.body, *node.orelse])


def imports(path):
    """Yield (module imported, whether at the top level of the file)."""
    tree = ast.parse(path.read_text())
    top = {id(node) for node in unindented(tree.body)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in top
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} has a relative import"
            yield node.module, id(node) in top


@pytest.mark.parametrize("name", FILES)
def test_imports_point_down_and_stand_at_the_top(name):
    for module, at_top in imports(FILES[name]):
        assert at_top or ONE_PLACE.get(module) == name, f"{name} imports {module} in a function"
        if module.startswith("skvae"):
            of, into = room_of(module), room_of(name)
            assert of == into or RANK[of] < RANK[into], f"{name} imports {module}"
            assert of == into or of != "datasets", f"{name} imports {module}"


def test_what_is_optional_is_imported_at_one_place():
    places = [(module.split(".")[0], name) for name in FILES for module, _ in imports(FILES[name])]
    assert sorted(place for place in places if place[0] in OPTIONAL) == sorted(ONE_PLACE.items())


def test_files_of_a_room_do_not_import_in_circles():
    graph = {
        name: [
            module.removeprefix("skvae.")
            for module, _ in imports(path)
            if module.startswith("skvae.")
        ]
        for name, path in FILES.items()
    }
    TopologicalSorter(graph).prepare()


def test_names_before_the_folders_still_import():
    for before, now in skvae.BEFORE.items():
        assert importlib.import_module(f"skvae.{before}") is importlib.import_module(f"skvae.{now}")
    from_before = importlib.import_module("skvae.objectives").BetaObjective
    assert from_before is importlib.import_module("skvae.nn").BetaObjective


@pytest.mark.parametrize("name", [name for name in FILES if room_of(name) == "nn"])
def test_nn_is_torch_alone(name):
    assert not [module for module, _ in imports(FILES[name]) if module.startswith(SCIKIT)]


def test_skorch_and_private_names_of_scikit_learn_have_their_places():
    for name, path in FILES.items():
        for module, _ in imports(path):
            if name not in SKORCH:
                assert not module.startswith("skorch"), name
            if name not in PRIVATE_NAMES:
                assert not module.startswith("sklearn.utils._"), name
            if name != "base.sklearn_callbacks":
                assert not module.startswith("sklearn.callback"), name


def test_importing_the_package_loads_nothing_optional():
    # scikit-learn itself loads pandas where there is one.
    code = (
        "import sys, sklearn.base, skorch, tqdm.auto; before = set(sys.modules); "
        f"import {', '.join(PUBLIC)}; "
        f"print([name for name in {OPTIONAL} if name in set(sys.modules) - before])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stdout + result.stderr


def test_importing_the_package_leaves_files_for_when_they_are_asked_for():
    code = (
        "import sys, skvae; rooms = ('skvae.saving', 'skvae.exporting', 'skvae.tabular'); "
        "print([room for room in rooms if room in sys.modules]); "
        "print(set(skvae.__all__) <= set(dir(skvae)), skvae.save.__module__); "
        "from skvae import *; print(to_onnx.__module__)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    lines = result.stdout.splitlines()
    assert lines == ["[]", "True skvae.saving.files", "skvae.exporting.onnx_files"], result.stderr


def test_every_file_is_short_and_says_its_one_idea():
    for name, path in FILES.items():
        assert len(path.read_text().splitlines()) <= LONGEST, name
        assert ast.get_docstring(ast.parse(path.read_text())), name


def test_every_file_of_the_tests_is_short():
    for path in sorted(TESTS.rglob("*.py")):
        assert len(path.read_text().splitlines()) <= LONGEST, path.relative_to(TESTS)


def test_no_function_is_long():
    for name, path in FILES.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                length = node.end_lineno - node.lineno + 1
                if ast.get_docstring(node):
                    length -= node.body[0].end_lineno - node.body[0].lineno + 1
                assert length <= 50, f"{node.name} of {name} has {length} lines"


CALL_WHAT_THEY_ARE_GIVEN = ("training/threads.py", "training/batches.py")
LOWER = [name for name in FILES if room_of(name) in ("nn", "training")]


def nodes(name):
    return ast.walk(ast.parse(FILES[name].read_text()))


def defined(node):
    """Return whether a node gives a name: a function, a field, an attribute that is set."""
    return (
        isinstance(node, ast.FunctionDef | ast.ClassDef)
        or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
        or (isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store))
    )


def named(node):
    """Return the name that a node is about, or None."""
    return next((getattr(node, k) for k in ("name", "id", "attr", "arg") if hasattr(node, k)), None)


def of_estimators_alone():
    """Return the attributes of fitted estimators that nothing below them has as well."""
    fitted = [
        getattr(skvae, name)(1, max_epochs=1).fit(np.eye(4))
        for name in skvae.__all__
        if name.endswith("Transformer")
    ]
    below = {named(node) for name in LOWER for node in nodes(name) if defined(node)}
    of_libraries = {name for thing in (NeuralNet, nn.Module, np.ndarray) for name in dir(thing)}
    return {name for estimator in fitted for name in dir(estimator)} - below - of_libraries


def calls_upwards(function):
    """Return what of base and above ``function()`` has called from training or nn."""
    called = set()

    def place(frame):
        path = Path(frame.f_code.co_filename)
        return str(path.relative_to(PACKAGE)) if path.is_relative_to(PACKAGE) else None

    def watch(frame, event, argument):
        if event != "call" or not place(frame) or place(frame).startswith(("training", "nn")):
            return
        caller = frame.f_back
        while caller is not None and not place(caller):
            caller = caller.f_back
        of = "" if caller is None else place(caller)
        if of.startswith(("training", "nn")) and of not in CALL_WHAT_THEY_ARE_GIVEN:
            called.add(frame.f_code.co_qualname)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        function()
    finally:
        sys.setprofile(before)
    return called


@pytest.mark.parametrize("name", [name for name in skvae.__all__ if name.endswith("Transformer")])
def test_neither_training_nor_nn_calls_up_in_a_fit(name):
    X = np.random.RandomState(0).standard_normal((20, 4))
    estimator = getattr(skvae, name)(2, max_epochs=2, early_stopping=True, warm_start=True)
    assert not calls_upwards(lambda: estimator.fit(X).fit(X))
    estimator.set_params(early_stopping=False)
    assert not calls_upwards(lambda: estimator.partial_fit(X).score_samples(X))


def test_a_fit_names_no_attribute_of_estimators_below_them():
    alone = of_estimators_alone()
    assert {"net_", "history_", "_objective", "_network", "max_epochs", "early_stopping"} < alone
    for name in LOWER:
        for node in nodes(name):
            if isinstance(node, ast.Attribute):
                assert node.attr not in alone, f"{name} names {node.attr}"
            elif isinstance(node, ast.arg | ast.Name):
                assert named(node).lower() != "estimator", name
