"""A run's page as a file."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from seatwarden.engine.common.way_out import PAGE_OF_RUN, Output, check_way_out, write_out
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.run_folder import log_path
from seatwarden.engine.report.model import report_of
from seatwarden.engine.report.render import render, render_damaged
from seatwarden.engine.report.sources import read_sources


def write_report(
    place: Path,
    path: Path,
    previous: Path | None = None,
    output: Output = PAGE_OF_RUN,
    *,
    history: Path | None = None,
    force: bool = False,
) -> None:
    """Writes the page of a run to a file, whole or not at all; with a `history` it says when licenses run out. Raises
    InputError, DamagedLog.

    Of a run that is damaged a page is written, too, which says so: one of before would go on looking well.
    """
    check_way_out(path, output, force=force)
    try:
        sources = read_sources(place, previous, history)
    except DamagedLog as damage:
        if damage.path.parent == log_path(place).parent:
            write_out(path, render_damaged(damage), output, force=force)
        raise
    write_out(path, render(report_of(sources)), output, force=force)


def possible_pages(folder: Path) -> Iterator[bytes]:
    """The pages that may have been made of a run: as it is, and as it was before it was approved, or applied.

    Raises InputError, DamagedLog.
    """
    sources = read_sources(folder)
    yield render(report_of(sources))
    if sources.answers:
        yield render(report_of(replace(sources, answers=())))
    if sources.journal is not None:
        yield render(report_of(replace(sources, given_back={})))
        yield render(report_of(replace(sources, journal=None, given_back={})))
