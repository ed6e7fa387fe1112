"""`seatwarden snapshot`: writes the users and licenses of a live site to a file."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from seatwarden.engine.cli.histories import history_path
from seatwarden.engine.cli.inputs import ForceOption, QuietOption, SiteOption, needed, read_site
from seatwarden.engine.cli.terminal.output import say, warn, working
from seatwarden.engine.common.text import plural
from seatwarden.engine.common.way_out import SNAPSHOT, check_way_out, write_out
from seatwarden.engine.snapshot.packed import compress
from seatwarden.engine.snapshot.reader import decode_snapshot
from seatwarden.policy.errors import InputError


def snapshot(
    site: SiteOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; zstd when it ends in .zst.")
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="Add it to the history of the site, too; then -o may be left out.")
    ] = False,
    force: ForceOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write the users and licenses of a live site to a file.

    As QRS sends them; keys and serial numbers are left out. A snapshot that is there needs --force to be overwritten.

    Example: seatwarden snapshot --site butler.yaml -o site.json
    """
    from seatwarden.engine.qrs.client import QrsClient  # requests takes a while to import

    site = needed(site)
    if output is None and not history:
        raise InputError("nowhere to write to", "name a file with --output, or add it to the site's --history")
    if output is not None:
        check_way_out(output, SNAPSHOT, force=force)
    place = history_path(None, site, writes=True) if history else None
    where = read_site(site)
    now = datetime.now(UTC)
    with QrsClient(where, now) as client, working(f"reading users and licenses from {where.url}"):
        data, warnings = client.snapshot_json(now), client.warnings
    for warning in warnings:
        warn(warning)
    taken = decode_snapshot(data, f"the answer of {where.url}")
    licenses = sum(len(rows) for rows in taken.licenses.values())
    extent = f"{plural(len(taken.users), 'user')}, {plural(licenses, 'license')}"
    if output is not None:
        write_out(output, compress(data) if output.suffix == ".zst" else data, SNAPSHOT, force=force)
        say(f"{output}: {extent}")
    if place is not None:
        from seatwarden.engine.history.store import History  # SQLite and zstandard take a while to import

        with History(place, write=True) as kept:
            kept.add(data, f"the snapshot of {where.url}", other_source=True)
        say(f"{place}: {extent}")
