"""The history that a command means: a file that is named, or that of a site."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from seatwarden.engine.history import HISTORY_FILE
from seatwarden.engine.site.history import HistorySettings
from seatwarden.policy.errors import InputError
from seatwarden.policy.loading import CheckedPolicy, load_policy

HistoryOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--history", metavar="FILE", help="The history; with --site that in the site's state folder."),
]

PoliciesOption: TypeAlias = Annotated[
    list[Path] | None, typer.Option("--policy", "-p", metavar="FILE", help="A policy; several are compared.")
]
ThresholdOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--threshold", metavar="TYPE=DAYS", help="With other days without use: analyzer=30,60 or analyzer=14..180."
    ),
]
DaskOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--dask", metavar="WHERE", help="`local`: on all cores; or a Dask cluster: tcp://HOST:8786."),
]


def history_path(history: Path | None, site: Path | None, *, writes: bool = False) -> Path:
    """The history that is meant. Raises InputError, also where a site keeps none and one `writes`."""
    if history is not None:
        return history
    if site is None:
        raise InputError("no history", f"name a `{HISTORY_FILE}` with --history, or a site with --site")
    from seatwarden.engine.cli.host import settings_from  # takes a while to import
    from seatwarden.engine.common.files import make_private_folder

    settings = settings_from(site, None, needs_policy=False)
    if writes and settings.pseudonym_key is not None:
        raise InputError("with `pseudonyms` no history is kept: it names everybody", "leave one of them out")
    if writes:
        make_private_folder(settings.folder)
    return settings.folder / HISTORY_FILE


def history_and_settings(history: Path | None, site: Path | None) -> tuple[Path, HistorySettings]:
    """The history that is meant, and what the site file says of it, read once; without one what holds where nothing is
    said. Raises InputError."""
    if site is None:
        return history_path(history, None), HistorySettings()
    from seatwarden.engine.cli.host import settings_from  # takes a while to import

    settings = settings_from(site, None, needs_policy=False)
    return settings.folder / HISTORY_FILE if history is None else history, settings.history


def named_policies(files: Sequence[Path]) -> dict[str, CheckedPolicy]:
    """The policies in some files by the files' names, as far as those tell them apart.

    Raises InputError, PolicyError.
    """
    names = [path.stem for path in files]
    return {path.stem if names.count(path.stem) == 1 else str(path): load_policy(path) for path in files}
