"""The documentation: its code runs, and it has every public name."""

import inspect
import re
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path

import pytest
from numpydoc.validate import validate
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch

from skvae import VAETransformer

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
GUIDE = [f"docs/guide/{path.name}" for path in (ROOT / "docs/guide").glob("*.md")]
PAGES = ["README.md", "docs/index.md", *GUIDE]
TEXTS = ["CHANGES.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
WITHOUT_CODE = {"docs/guide/corrections.md"}
MADE_BY_THE_SITE = {"docs/benchmark_results.md", "docs/gallery/index"}
MODULES = [
    "skvae",
    "skvae.datasets",
    "skvae.metrics",
    "skvae.model_selection",
    "skvae.plotting",
    "skvae.tabular",
]
PUBLIC = [f"{module}.{name}" for module in MODULES for name in import_module(module).__all__]
OURS = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "skvae").rglob("*.py")
}
# What numpydoc asks and these docstrings do without.
NOT_ASKED = {
    "ES01",  # an extended summary, where the summary says it all
    "EX01",  # an example of every method: the class has one of all
    "RT02",  # values returned without a name: as in scikit-learn, a name may say what they are
    "SA01",  # a "See Also" of everything
    "SA02",  # a period where there is a question mark
    "SS03",  # likewise
}


@pytest.mark.parametrize("page", sorted(PAGES))
def test_every_code_block_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    assert bool(blocks) == (page not in WITHOUT_CODE)
    namespace = {"__name__": "__main__"}
    for number, block in enumerate(blocks, start=1):
        exec(compile(block, f"{page}, block {number}", "exec"), namespace)


def test_each_card_of_the_start_page_has_ten_lines_that_a_phone_shows():
    blocks = BLOCK.findall((ROOT / "docs/index.md").read_text(encoding="utf-8"))
    assert len(blocks) == 3
    for lines in map(str.splitlines, blocks):
        assert len(lines) <= 10
        assert max(map(len, lines)) <= 46


def test_the_example_of_the_readme_has_at_most_15_lines():
    (block,) = BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(block.splitlines()) <= 15


def test_pictures_in_the_repository_are_small():
    for picture in (ROOT / "docs/images").glob("*.png"):
        assert picture.stat().st_size < 150_000, picture
        assert picture.with_suffix(".py").exists(), "a picture without the script that makes it"


def anchors(path):
    """Return the anchors that the headings of a page make."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", sorted({*PAGES, *TEXTS} - MADE_BY_THE_SITE))
def test_links_to_files_and_headings_exist(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert not re.search(r"\]\([^)]*\n", text), "a link that is broken over two lines"
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        file, _, anchor = link.partition("#")
        target = (ROOT / page).parent / file if file else ROOT / page
        if "://" in link or str(target.relative_to(ROOT)) in MADE_BY_THE_SITE:
            continue
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def names_of_the_reference():
    """Yield the full names that docs/api.rst has in its tables."""
    module, in_table = None, False
    for line in (ROOT / "docs/api.rst").read_text(encoding="utf-8").splitlines():
        if line.startswith(".. currentmodule::"):
            module = line.split()[-1]
        if line and not line.startswith(" "):
            in_table = line.startswith(".. autosummary::")
        elif in_table and line.strip() and not line.strip().startswith(":"):
            yield f"{module}.{line.strip()}"


def test_every_public_name_is_in_the_api_reference():
    listed = list(names_of_the_reference())
    assert len(listed) == len(set(listed))
    assert set(PUBLIC) - set(listed) == {"skvae.__version__"}


def test_the_table_of_verbs_has_every_method():
    page = (ROOT / "docs/guide/verbs.md").read_text(encoding="utf-8")
    names = {name.rpartition(".")[2] for name in documented("skvae.VAETransformer")}
    methods = {name for name in names if callable(getattr(VAETransformer, name, None))}
    assert methods <= set(re.findall(r"^\| `(\w+)\(", page, re.MULTILINE))


def documented(public):
    """Yield a public name and those of its own public methods and properties."""
    yield public
    module, _, name = public.rpartition(".")
    of_module = getattr(import_module(module), name)
    if inspect.isclass(of_module):
        for method, value in inspect.getmembers_static(of_module):
            function = getattr(value, "fget", getattr(value, "__func__", value))
            if not method.startswith("_") and getattr(function, "__module__", "") in OURS:
                yield f"{public}.{method}"


@pytest.mark.parametrize("public", sorted(set(PUBLIC) - {"skvae.__version__"}))
def test_docstrings_are_valid_numpydoc(public):
    module, _, name = public.rpartition(".")
    of_module = getattr(import_module(module), name)
    not_asked = set(NOT_ASKED)
    is_bunch = inspect.isclass(of_module) and issubclass(of_module, Bunch)
    if is_bunch or (is_dataclass(of_module) and not issubclass(of_module, BaseEstimator)):
        not_asked.add("PR01")  # a result: its fields are documented as attributes
    errors = {
        full: [error for error in validate(full)["errors"] if error[0] not in not_asked]
        for full in documented(public)
    }
    assert not any(errors.values()), errors
