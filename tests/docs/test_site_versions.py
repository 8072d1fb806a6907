"""docs/site_versions.py: the menu of the versions of the manual."""

import json
import re

import pytest
from site_versions import write_menu


def make(folder, *versions):
    for version in versions:
        (folder / version).mkdir()
        (folder / version / "index.html").touch()


def menu(folder):
    return json.loads((folder / "versions.json").read_text())


def test_versions_are_listed_newest_first_and_the_newest_release_is_stable(tmp_path):
    make(tmp_path, "0.9.0", "0.10.0", "0.11.0.dev0", "0.2.0")
    assert write_menu(tmp_path) == ["0.11.0.dev0", "0.10.0", "0.9.0", "0.2.0"]
    assert [entry["version"] for entry in menu(tmp_path)] == write_menu(tmp_path)
    assert [entry["version"] for entry in menu(tmp_path) if entry["preferred"]] == ["0.10.0"]
    assert [entry["name"] for entry in menu(tmp_path)][:2] == ["0.11.0.dev0", "0.10.0 (stable)"]
    assert (tmp_path / "index.html").read_text().count('0.10.0/index.html"') == 2


def test_without_a_release_the_newest_is_stable(tmp_path):
    make(tmp_path, "0.1.0.dev0", "0.1.0a1")
    write_menu(tmp_path)
    assert [entry["preferred"] for entry in menu(tmp_path)] == [True, False]


def test_addresses_are_below_the_path_of_the_server(tmp_path):
    make(tmp_path, "0.1.0")
    write_menu(tmp_path, "/skvae/")
    assert menu(tmp_path)[0]["url"] == "/skvae/0.1.0/"


def test_other_folders_are_no_versions(tmp_path):
    make(tmp_path, "0.1.0", "assets")
    (tmp_path / "0.2.0").mkdir()  # begun, and without a page
    assert write_menu(tmp_path) == ["0.1.0"]


def test_no_version_at_all_is_told(tmp_path):
    sentence = (
        f"{tmp_path} must have a folder <version>/index.html. Got none. Run make docs-version."
    )
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(sentence)}$"):
        write_menu(tmp_path)
