"""One version, in two places: where tools of packaging look for it, and where every start of ours reads it."""

import tomllib
from importlib.metadata import version

from seatwarden.engine.version import VERSION
from tests.paths import ROOT


def test_the_version_is_that_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION == version("seatwarden")
