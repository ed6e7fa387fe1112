"""Build hook: an editable install makes `seatwarden/{grammar,policy,engine}` links to the folders of the repository.

Python, mypy and import-linter then find `seatwarden.engine` in a checkout as they find it in the wheel, where the
folders lie below `seatwarden/`. On Windows the links are directory junctions, which need no rights; a symbolic link
does there.
"""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FLOORS = ("grammar", "policy", "engine")


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
    if place.exists():
        if not place.samefile(target):
            raise FileExistsError(f"{place} is not a link to {target}: remove it and install again")
        return
    if sys.platform == "win32":
        import _winapi

        _winapi.CreateJunction(str(target), str(place))
    else:
        place.unlink(missing_ok=True)  # a link that leads nowhere: the checkout was moved
        place.symlink_to(Path("..", target.name), target_is_directory=True)
