"""The oldest versions that setup.cfg takes are those that ``make test-oldest`` installs."""

from configparser import ConfigParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
EXTRAS = ["distributed", "images", "onnx", "plot", "save", "test"]
BY_HAND = {"torch"}  # tested at its floor before a release: wheels of old ones take gigabytes


def floors():
    """Yield the name and the oldest version of everything that has one."""
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    extras = config["options.extras_require"]
    texts = [config["options"]["install_requires"], *(extras[name] for name in EXTRAS)]
    for line in "".join(texts).strip().splitlines():
        requirement = Requirement(line)
        for specifier in requirement.specifier:
            if specifier.operator == ">=" and requirement.name not in BY_HAND:
                yield requirement.name, specifier.version


@pytest.mark.parametrize(("name", "version"), sorted(set(floors())))
def test_the_oldest_version_is_tested(name, version):
    lines = (ROOT / "constraints-oldest.txt").read_text(encoding="utf-8").splitlines()
    assert Version(dict(line.split("==") for line in lines)[name]) == Version(version)
