"""A run's page as a file."""

from pathlib import Path

from seatwarden.engine.common.files import make_private_folder, write_atomically
from seatwarden.engine.report.model import report_of
from seatwarden.engine.report.render import render
from seatwarden.engine.report.sources import read_sources
from seatwarden.policy.errors import InputError


def write_report(place: Path, path: Path, previous: Path | None = None) -> None:
    """Writes the page of a run to a file, whole or not at all. Raises InputError, DamagedLog."""
    page = render(report_of(read_sources(place, previous)))
    try:
        make_private_folder(path.parent)
        write_atomically(path, page)
    except OSError as error:
        raise InputError(f"the report cannot be written to `{path}`: {error.strerror}") from None
