"""The lowest versions that pyproject.toml allows, as constraints for pip, so that CI installs and tries them:

python packaging/lowest.py > lowest.txt
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"
INSTALLED_BY_USERS = ("lsp", "mqtt", "windows")
"""The extras that are no tools of ours, but for `scale`: a cluster has versions of its own."""


def requirements() -> Iterator[Requirement]:
    """What is installed with seatwarden and with its extras for users."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    for text in (*project["dependencies"], *(text for name in INSTALLED_BY_USERS for text in extras[name])):
        yield Requirement(text)


def lowest(requirement: Requirement) -> str:
    """The constraint that allows the lowest version alone. Raises ValueError for one that has no lowest version."""
    (bound,) = (one.version for one in requirement.specifier if one.operator == ">=")
    return f"{requirement.name}=={bound}"


if __name__ == "__main__":
    print(*map(lowest, requirements()), sep="\n")  # noqa: T201 - it is what this is for
