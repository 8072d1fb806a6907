"""Check the sdist and the wheel that `make dist` built in dist.

Ends with an error unless the sdist is what git tracks, and its tests are collected; the index
page's text has no link that breaks there; the wheel alone, in an empty environment without extras,
at the oldest versions and at the newest, imports every module and runs the lines of README.md and
DESCRIPTION.md; and an editable install is found from the folder above a clone named skvae, by a
path file, which type checkers read too.
"""

import os
import re
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from email import message_from_bytes
from pathlib import Path

ROOT = Path(__file__).parents[1]
STACKS = ("constraints-oldest.txt", "constraints.txt")
IMPORT_EVERY_MODULE = """
import importlib, importlib.util, pkgutil, skvae
assert importlib.util.find_spec("matplotlib") is None, "the environment has an extra's package"
names = [module.name for module in pkgutil.walk_packages(skvae.__path__, "skvae.")]
for name in names:
    importlib.import_module(name)
print(len(names), "modules imported from", skvae.__path__[0])
"""


VERSIONS_OF_REQUIREMENTS = """
import re
from importlib.metadata import requires, version
names = [re.match("[\\w-]+", line).group() for line in requires("skvae") if "extra ==" not in line]
print(*(f"{name}=={version(name).partition('+')[0]}" for name in names))  # torch has +cpu
"""


def run(*command, folder):
    """Return what ``command`` prints in ``folder``, without the import path of this shell."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(part) for part in command]
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}\n{' '.join(command)!r} ended with {done.returncode}.")
    return done.stdout.strip()


def python_lines(path):
    """Return the Python blocks of a Markdown file."""
    return "\n".join(re.findall(r"```python\n(.*?)```", path.read_text(), re.DOTALL))


def check_files(clone):
    """The sdist has the files that git tracks, and no other but what setuptools adds."""
    packed = {str(path.relative_to(clone)) for path in clone.rglob("*") if path.is_file()}
    packed = {name for name in packed if not name.startswith("skvae.egg-info/")} - {"PKG-INFO"}
    tracked = set(run("git", "ls-files", folder=ROOT).split("\n"))
    assert packed == tracked, f"Differ in {sorted(packed ^ tracked)}. Mend MANIFEST.in or git add."
    print(len(packed), "files in the sdist, as in git")


def check_tests(clone):
    """The unpacked sdist has all it takes to collect its tests."""
    pytest = [sys.executable, "-m", "pytest", "--quiet", "--collect-only", "--doctest-modules"]
    print(run(*pytest, "tests", "skvae", folder=clone).split("\n")[-1], "from the sdist")


def check_contents(wheel, clone):
    """The wheel has every file of the package; its text for the index page stands by itself."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(archive.read(metadata))
    package = {str(path.relative_to(clone)) for path in (clone / "skvae").rglob("*.*")}
    assert names == package, f"The wheel and the sdist differ in {sorted(names ^ package)}."
    assert metadata["License-Expression"] == "BSD-3-Clause"
    relative = re.findall(r"\]\((?!https://)([^)]*)\)", metadata.get_payload())
    assert not relative, f"These break on an index page: {relative}."
    print(len(names), "files in the wheel, as in the sdist")


def check_wheel(wheel, constraints, clone, folder):
    """The wheel alone, at pinned versions, imports every module and runs the lines of two pages."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", "-c", ROOT / constraints, wheel, folder=folder)
    run(python, "-m", "pip", "check", folder=folder)
    installed = run(python, "-c", VERSIONS_OF_REQUIREMENTS, folder=folder).split()
    others = set(installed) - set((ROOT / constraints).read_text().split())
    assert not others, f"{constraints} does not pin {sorted(others)}, which pip installed."
    print(constraints, *installed)
    print(run(python, "-c", IMPORT_EVERY_MODULE, folder=folder))
    for page in ("README.md", "DESCRIPTION.md"):
        run(python, "-c", python_lines(clone / page), folder=folder)
        print("the lines of", page, "run")
    return python


def check_editable(python, clone):
    """An editable install is found where the clone, too, is a folder named skvae."""
    run(python, "-m", "pip", "install", "-q", "--no-deps", "-e", clone, folder=clone.parent)
    script = clone.parent / "script.py"
    script.write_text("import sys, skvae; print(skvae.__file__, *sys.path, sep='\\n')")
    found, *paths = run(python, script, folder=clone.parent).split("\n")
    assert found == str(clone / "skvae" / "__init__.py"), found
    assert str(clone) in paths, f"{clone} is not in {paths}: no path file."
    print("an editable install is found from the folder above")


if __name__ == "__main__":
    (sdist,), (wheel,) = (ROOT / "dist").glob("*.tar.gz"), (ROOT / "dist").glob("*.whl")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder).resolve()
        with tarfile.open(sdist) as archive:
            archive.extractall(folder / "above", filter="data")
        (clone,) = (folder / "above").iterdir()
        clone = clone.rename(clone.with_name("skvae"))
        check_files(clone)
        check_contents(wheel, clone)
        check_tests(clone)
        for constraints in STACKS:
            python = check_wheel(wheel, constraints, clone, folder / Path(constraints).stem)
        check_editable(python, clone)
