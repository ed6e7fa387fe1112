"""A first fleet file, from the site files that somebody has: its reader's own from then on, so it explains itself."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from seatwarden.engine.fleet.settings import MOST_SITES, is_name
from seatwarden.policy.errors import InputError
from seatwarden.policy.file_kinds import BUTLER, RULES, SITE, kind_of
from seatwarden.policy.files import read_text
from seatwarden.policy.yaml.text import yaml_text

_HEAD = """\
# The sites of a fleet. Each has a site file of its own, which says how to reach it, what runs there, and where its
# records lie. Paths are relative to this file. Try it: seatwarden fleet check --fleet {name}

# One policy for all sites that have none below; without this line each site has that of its own site file.
# policy: policies/all.policy

# How many licenses one run may release at all sites together, beside what each site may release by itself.
# Without the ending nothing at all is released when there are more.
# limit: 200 per run, longest unused first

# Seconds that one site has to be planned, and again to be released; a slow one keeps nobody else waiting.
# deadline: 900

# A site's name stands in tables and on pages. To give it another policy than the others:
#   berlin:
#     site: sites/berlin.yaml
#     policy: policies/germany.policy
sites:
"""
_SUFFIXES = (".yaml", ".yml", ".json")
_OF_ANY_SITE = ("site", "butler", "config", "production", "seatwarden")
"""Names of site files that say nothing of the site: then their folder does."""


def found_sites(folder: Path) -> tuple[list[tuple[str, Path]], list[tuple[Path, str]]]:
    """The site files in a folder and in the folders in it, each with a name for its site, in the order of names; and
    what was left out though it looks like one, with the reason.

    Raises InputError where there is none.
    """
    if not folder.is_dir():
        raise InputError(f"`{folder}` is no folder", "name the folder that the site files are in")
    sites: dict[str, Path] = {}
    left_out = []
    for path in sorted(_candidates(folder)):
        name = _name(path)
        if not is_name(name):
            left_out.append((path, f"`{name}` cannot be the name of a site; rename the file, or add it by hand"))
        elif name.casefold() in map(str.casefold, sites):
            left_out.append((path, f"there is a site `{name}` already; add it by hand under another name"))
        else:
            sites[name] = path
    if not sites:
        help_ = "a site file is a Butler config with `configQRS` and `cert`; `seatwarden init` writes one"
        raise InputError(f"there is no site file in `{folder}`", help_)
    return sorted(sites.items())[:MOST_SITES], left_out


def _candidates(folder: Path) -> Iterator[Path]:
    for path in (*folder.iterdir(), *folder.glob("*/*")):
        if path.suffix.lower() in _SUFFIXES and path.is_file() and _is_site_file(path):
            yield path


def _is_site_file(path: Path) -> bool:
    """Whether it says how to reach a site; rules alone do not."""
    try:
        return kind_of(path) in (SITE, BUTLER, RULES) and "configQRS" in read_text(path, "site file")
    except InputError:
        return False


def _name(path: Path) -> str:
    stem = path.parent.name if path.stem.lower() in _OF_ANY_SITE and path.parent.name else path.stem
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.")


def fleet_text(sites: Sequence[tuple[str, Path]], folder: Path, name: str = "fleet.yaml") -> str:
    """The fleet file, to stand in a folder."""
    lines = [f"  {yaml_text(site)}: {yaml_text(_from(folder, path))}\n" for site, path in sites]
    return _HEAD.format(name=name) + "".join(lines)


def _from(folder: Path, path: Path) -> str:
    """The path as it is written in a file in that folder; slashes work on every system."""
    here, there = folder.absolute().resolve(), path.absolute().resolve()
    if there.is_relative_to(here):
        return there.relative_to(here).as_posix()
    return str(there)
