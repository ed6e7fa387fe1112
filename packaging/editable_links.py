"""Build hook: an editable install makes `seatwarden/{grammar,policy,engine}` links to the folders of the repository.

Python, mypy and import-linter then find `seatwarden.engine` in a checkout as they find it in the wheel, where the
folders lie below `seatwarden/`. On Windows the links are directory junctions, which need no rights; a symbolic link
does there. Git ignores the links, uninstalling leaves them, and what removes them (`git clean -x`) calls for another
install.
"""

import filecmp
import shutil
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FLOORS = ("grammar", "policy", "engine")
STAND_IN = Path(__file__).with_name("stand_in.py")


class EditableLinks(BuildHookInterface[Any]):
    """Makes the links before an editable wheel is built; other builds need none."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make each link that is not there; `version` is the kind of wheel, "standard" or "editable"."""
        if version != "editable":
            return
        for floor in FLOORS:
            link(Path(self.root, "seatwarden", floor), Path(self.root, floor))


def link(place: Path, target: Path) -> None:
    """Make `place` lead to the folder `target`. What leads there already stays; what leads elsewhere is an error."""
    if _stands_in(place):
        shutil.rmtree(place)  # and is made again only where it still has to
    if place.exists():
        if not place.samefile(target):
            raise FileExistsError(f"{place} is not a link to {target}: remove it and install again")
        return
    place.unlink(missing_ok=True)  # a link that leads nowhere: the checkout was moved
    if sys.platform != "win32":
        place.symlink_to(Path("..", target.name), target_is_directory=True)
        return
    import _winapi

    try:
        _winapi.CreateJunction(str(target), str(place))
    except OSError:  # no such thing as a junction there: a network drive, a memory stick, Wine
        place.mkdir(exist_ok=True)
        shutil.copyfile(STAND_IN, place / "__init__.py")


def _stands_in(place: Path) -> bool:
    package = place / "__init__.py"
    return package.exists() and filecmp.cmp(package, STAND_IN, shallow=False)
