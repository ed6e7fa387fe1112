"""A run's page as a file."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from seatwarden.engine.common.way_out import PAGE_OF_RUN, Output, check_way_out, write_out
from seatwarden.engine.report.model import report_of
from seatwarden.engine.report.render import render
from seatwarden.engine.report.sources import read_sources


def write_report(
    place: Path, path: Path, previous: Path | None = None, output: Output = PAGE_OF_RUN, *, force: bool = False
) -> None:
    """Writes the page of a run to a file, whole or not at all. Raises InputError, DamagedLog."""
    check_way_out(path, output, force=force)
    write_out(path, render(report_of(read_sources(place, previous))), output, force=force)


def possible_pages(folder: Path) -> Iterator[bytes]:
    """The pages that may have been made of a run: as it is, and as it was before it was applied.

    Raises InputError, DamagedLog.
    """
    sources = read_sources(folder)
    yield render(report_of(sources))
    if sources.journal is not None:
        yield render(report_of(replace(sources, journal=None)))
