"""Where the state of a site stands on this machine: its register, its runs, its history."""

import os
from pathlib import Path

from platformdirs import user_state_path

from seatwarden.engine.site.connection import Site
from seatwarden.engine.site.ours import read_ours


def default_folder() -> Path:
    """The folder of all sites whose file names none."""
    return user_state_path("seatwarden") / "sites"


def state_of(file: Path, site: Site) -> tuple[Path, int]:
    """The state folder of a site, and the percentage from which on a change touches everybody, by its site file."""
    folder, percent = read_ours(file, "folder", "massChange", environment=os.environ)
    return folder or default_folder() / site.slug, percent
