"""`seatwarden snapshot`: writes the users and licenses of a live site to a file."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from seatwarden.engine.cli.inputs import ForceOption, QuietOption, SiteOption, needed, read_site
from seatwarden.engine.cli.terminal.output import say, warn, working
from seatwarden.engine.common.text import plural
from seatwarden.engine.common.way_out import SNAPSHOT, check_way_out, write_out
from seatwarden.engine.snapshot.reader import compress, decode_snapshot
from seatwarden.policy.errors import InputError


def snapshot(
    site: SiteOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; zstd when it ends in .zst.")
    ] = None,
    force: ForceOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write the users and licenses of a live site to a file.

    As QRS sends them; keys and serial numbers are left out. A snapshot that is there needs --force to be overwritten.

    Example: seatwarden snapshot --site butler.yaml -o site.json
    """
    from seatwarden.engine.qrs.client import QrsClient  # requests takes a while to import

    site = needed(site)
    if output is None:
        raise InputError("nowhere to write to", "name a file with --output")
    check_way_out(output, SNAPSHOT, force=force)
    where = read_site(site)
    now = datetime.now(UTC)
    with QrsClient(where, now) as client, working(f"reading users and licenses from {where.url}"):
        data, warnings = client.snapshot_json(now), client.warnings
    for warning in warnings:
        warn(warning)
    taken = decode_snapshot(data, f"the answer of {where.url}")
    write_out(output, compress(data) if output.suffix == ".zst" else data, SNAPSHOT, force=force)
    licenses = sum(len(rows) for rows in taken.licenses.values())
    say(f"{output}: {plural(len(taken.users), 'user')}, {plural(licenses, 'license')}")
