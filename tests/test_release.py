"""What a release says of itself, in five files: the same version, date, names and requirements."""

import re
from configparser import ConfigParser
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

import skvae

ROOT = Path(__file__).parents[1]
NAMES_IN_CONDA = {"torch": "pytorch"}
HEADING = re.compile(r"^## \[(?:Unreleased|([\w.]+)\] - (\d{4}-\d{2}-\d{2}))", re.MULTILINE)


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def setup_cfg():
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config


@pytest.fixture(scope="module")
def citation():
    return yaml.safe_load(text_of("CITATION.cff"))


@pytest.fixture(scope="module")
def recipe():
    return yaml.safe_load(text_of("conda-recipe/recipe.yaml"))


def headings():
    """Return (version, date) of each heading of CHANGES.md, both empty under Unreleased."""
    return HEADING.findall(text_of("CHANGES.md"))


def last_release():
    return next(heading for heading in headings() if heading[0])


def test_the_version_is_the_last_release_or_on_the_way_to_the_next():
    version, released = Version(skvae.__version__), Version(last_release()[0])
    assert version == released or (version.is_devrelease and version > released)
    assert version.is_devrelease == (headings()[0] == ("", ""))


def test_headings_of_changes_go_down():
    versions = [Version(version) for version, _ in headings() if version]
    assert versions == sorted(versions, reverse=True)
    assert len(set(versions)) == len(versions)


def test_the_citation_is_of_the_last_release(citation, setup_cfg):
    assert (citation["version"], citation["date-released"]) == last_release()
    assert citation["license"] == setup_cfg["metadata"]["license_expression"]
    assert citation["keywords"] == setup_cfg["metadata"]["keywords"].split("\n")[1:]
    assert citation["authors"] == [{"name": setup_cfg["metadata"]["author"]}]


def test_the_citation_has_what_its_format_asks_for(citation):
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} < set(citation)


def test_the_conda_recipe_is_of_the_last_release(recipe):
    assert recipe["context"]["version"] == last_release()[0]
    assert recipe["source"]["path"] == "../dist/skvae-${{ version }}.tar.gz"
    used = set(re.findall(r"\$\{\{ *(\w+) *\}\}", text_of("conda-recipe/recipe.yaml")))
    assert used == {"PYTHON", *recipe["context"]}


def test_the_conda_recipe_requires_what_the_wheel_does(recipe, setup_cfg):
    options = setup_cfg["options"]
    lines = [line for line in options["install_requires"].split("\n") if line]
    required = [Requirement(line) for line in lines if not line.startswith("#")]
    python = f"python {options['python_requires']}"
    names = (NAMES_IN_CONDA.get(one.name, one.name) for one in required)
    run = {f"{name} {one.specifier}" for name, one in zip(names, required, strict=True)}
    assert set(recipe["requirements"]["run"]) == {python, *run}


def test_the_conda_recipe_builds_with_what_the_sdist_asks_for(recipe, setup_cfg):
    oldest = setup_cfg["options"]["python_requires"].removeprefix(">=")
    (backend,) = re.findall(r'^requires = \["(\w+)(>=.*)"\]$', text_of("pyproject.toml"), re.M)
    assert recipe["requirements"]["host"] == [f"python {oldest}.*", "pip", " ".join(backend)]


def test_the_conda_recipe_says_what_the_wheel_says(recipe, setup_cfg):
    metadata, about = setup_cfg["metadata"], recipe["about"]
    assert about["summary"] == metadata["description"]
    assert about["license"] == metadata["license_expression"]
    assert (ROOT / about["license_file"]).exists()
