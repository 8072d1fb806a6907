"""List the versions of the manual, newest first.

`make docs-version` builds the site of one version in docs/_build/versions/<version>, and then runs
this script. It writes two files. `versions.json` is the list for the version menu on the pages of
every version. So an old page also lists newer versions. `index.html` leads to the newest release.
"""

import argparse
import json
from pathlib import Path

from packaging.version import InvalidVersion, Version

LEADS_TO = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>skvae</title>
<meta http-equiv="refresh" content="0; url={version}/index.html">
<a href="{version}/index.html">skvae {version}</a>
</html>
"""


def is_version(name):
    """Return whether the name of a folder is a version."""
    try:
        Version(name)
    except InvalidVersion:
        return False
    return True


def versions_in(folder):
    """Return the names of the versions with a site in a folder, newest first."""
    names = [page.parent.name for page in folder.glob("*/index.html")]
    return sorted(filter(is_version, names), key=Version, reverse=True)


def newest(versions):
    """Return the newest release, or the newest version if none is released."""
    releases = [version for version in versions if not Version(version).is_prerelease]
    return (releases or versions)[0]


def write_menu(folder, root="/"):
    """Write `versions.json` and `index.html` for a folder of sites.

    Parameters
    ----------
    folder : Path
        It has a folder for each version.
    root : str
        The path of the folder on its server: "/", or "/skvae/".

    Returns
    -------
    list of str
        The versions, newest first.
    """
    versions = versions_in(folder)
    if not versions:
        raise FileNotFoundError(
            f"{folder} must have a folder <version>/index.html. Got none. Run make docs-version."
        )
    stable = newest(versions)
    entries = [
        {
            "name": f"{version} (stable)" if version == stable else version,
            "version": version,
            "url": f"{root}{version}/",
            "preferred": version == stable,
        }
        for version in versions
    ]
    (folder / "versions.json").write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")
    (folder / "index.html").write_text(LEADS_TO.format(version=stable), encoding="utf-8")
    return versions


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--root", default="/", help="path of the folder on its server")
    arguments = parser.parse_args()
    print(arguments.folder, "has", *write_menu(arguments.folder, arguments.root))
