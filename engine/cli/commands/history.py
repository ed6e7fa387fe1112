"""`seatwarden history`: what the site looked like on every day that was seen."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.histories import HistoryOption, history_and_settings, history_path
from seatwarden.engine.cli.inputs import ForceOption, Format, QuietOption, RawOption, SiteOption, parse_now
from seatwarden.engine.cli.terminal.confirm import confirm_number
from seatwarden.engine.cli.terminal.csv_rows import print_csv
from seatwarden.engine.cli.terminal.output import complain, note, print_result, say, working
from seatwarden.engine.cli.terminal.tables import print_rows
from seatwarden.engine.common.tables import Column
from seatwarden.engine.common.text import plural, printable
from seatwarden.engine.common.timestamps import to_the_minute
from seatwarden.engine.common.way_out import SNAPSHOT, TABLE, check_way_out, write_out
from seatwarden.engine.site.history import KEEP_DAYS
from seatwarden.policy.errors import InputError

if TYPE_CHECKING:
    from seatwarden.engine.history.store import History, KeptSnapshot

app = typer.Typer(help="Keep and bring back what a site looked like.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_(
    history: HistoryOption = None,
    site: SiteOption = None,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = "table",
    raw: RawOption = False,
) -> None:
    """List the snapshots of a history.

    `without` counts people who were forgotten since.

    Example: seatwarden history list --site butler.yaml
    """
    path = history_path(history, site)
    with _opened(path) as opened:
        moments = opened.moments()
    rows = [_row(moment) for moment in moments]
    if format == "json":
        print_result({"history": str(path), "bytes": path.stat().st_size, "snapshots": rows})
    elif format == "csv":
        print_csv([*_COLUMNS, "digest"], rows, raw=raw)
    else:
        if rows:
            print_rows(list(_COLUMNS.values()), [[_shown(name, row[name]) for name in _COLUMNS] for row in rows])
        say(f"{plural(len(rows), 'snapshot')}, {path.stat().st_size / 1e6:.1f} MB")


@app.command("show")
def show(
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="The last snapshot taken then, or before.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; zstd when it ends in .zst.")
    ] = None,
    history: HistoryOption = None,
    site: SiteOption = None,
    force: ForceOption = False,
    quiet: QuietOption = False,
) -> None:
    """Bring a snapshot back, byte for byte as it was.

    A day means its end, in UTC.

    Example: seatwarden history show --at 2026-05-14 --site butler.yaml -o may.json
    """
    from seatwarden.engine.snapshot.packed import compress

    if output is None:
        raise InputError("nowhere to write to", "name a file with --output")
    check_way_out(output, SNAPSHOT, force=force)
    with _opened(history_path(history, site)) as opened:
        moment = opened.moment_at(_moment(at))
        data = opened.snapshot_json(moment)
    write_out(output, compress(data) if output.suffix == ".zst" else data, SNAPSHOT, force=force)
    gone = f"; without those who were forgotten since ({moment.without:,})" if moment.without else ""
    say(f"{output}: the site as of {to_the_minute(moment.taken_at)}{gone}")


@app.command("add")
def add(
    snapshots: Annotated[list[Path], typer.Argument(metavar="SNAPSHOT...", help="Snapshot files, in any order.")],
    history: HistoryOption = None,
    site: SiteOption = None,
    other_source: Annotated[
        bool, typer.Option("--other-source", help="Also those of a site with another name or address.")
    ] = False,
    quiet: QuietOption = False,
) -> None:
    """Add old snapshot files.

    What is there already is left. Those that cannot be added are named, and all others are added.

    Example: seatwarden history add snapshots/*.json --site butler.yaml
    """
    from seatwarden.engine.snapshot.reader import snapshot_data

    added, there, failed = 0, 0, 0
    with _opened(history_path(history, site, writes=True), write=True) as opened, working("adding snapshots"):
        for file in snapshots:
            try:
                if opened.add(snapshot_data(file), f"snapshot `{file}`", other_source=other_source):
                    added += 1
                else:
                    there += 1
            except InputError as problem:
                complain(problem)
                failed += 1
    known = f", {there:,} there already" if there else ""
    say(f"{plural(added, 'snapshot')} added{known}")
    if failed:
        note(f"{plural(failed, 'file')} not added.")
        raise typer.Exit(ExitCode.BAD_INPUT)


@app.command("prune")
def prune(
    keep: Annotated[
        int | None,
        typer.Option(
            "--keep-days", metavar="DAYS", min=1, max=KEEP_DAYS[1], help="Default: what the site file says, or 800."
        ),
    ] = None,
    history: HistoryOption = None,
    site: SiteOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; for jobs.")] = False,
    quiet: QuietOption = False,
) -> None:
    """Delete snapshots that are old enough.

    Ages are counted from the newest one: a wrong clock deletes nothing.

    Example: seatwarden history prune --keep-days 400 --site butler.yaml
    """
    path, settings = history_and_settings(history, site)
    days = keep if keep is not None else settings.keep_days
    with _opened(path, write=True) as opened:
        moments = opened.moments()
        limit = moments[-1].at - timedelta(days=days) if moments else datetime.now(UTC)
        old = sum(moment.at < limit for moment in moments)
        if old and not yes:
            note(f"To delete: {plural(old, 'snapshot')} taken before {to_the_minute(limit.isoformat())}")
            confirm_number("snapshots", old, "go on; there is no way back", "nothing has been changed")
        opened.prune(limit)
    say(f"{plural(old, 'snapshot')} deleted, {plural(len(moments) - old, 'snapshot')} kept.")


@app.command("export")
def export(
    format: Annotated[
        Literal["csv", "parquet"], typer.Option("--format", help="CSV is printed; Parquet needs the extra `scale`.")
    ] = "csv",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to, for Parquet.")
    ] = None,
    history: HistoryOption = None,
    site: SiteOption = None,
    raw: RawOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write all licenses over time, for other programs.

    One line for each span in which a license was the same: from its first to its last snapshot.

    Example: seatwarden history export --site butler.yaml > licenses.csv
    """
    from seatwarden.engine.history.spans import SPAN_COLUMNS, license_spans

    if format == "csv":
        if output is not None:
            raise InputError("CSV is printed", "write it with > FILE, or choose --format parquet")
        with _opened(history_path(history, site)) as opened:
            print_csv(SPAN_COLUMNS, license_spans(opened), raw=raw)
        return
    if output is None:
        raise InputError("nowhere to write to", "name a file with --output")
    if find_spec("pyarrow") is None:
        raise InputError("Parquet needs the extra `scale`", "install it in the same environment: pip install pyarrow")
    check_way_out(output, TABLE)
    from seatwarden.engine.history.parquet import parquet  # takes a while to import

    with _opened(history_path(history, site)) as opened, working("writing all licenses over time"):
        write_out(output, parquet(license_spans(opened)), TABLE)
    say(f"{output}: all licenses over time")


_COLUMNS = {
    "takenAt": Column("Taken"),
    "users": Column("Users", right=True),
    "professional": Column("Professional", right=True),
    "analyzer": Column("Analyzer", right=True),
    "without": Column("Without", right=True, leaves=2),
    "source": Column("Source", least=12, leaves=3),
}


def _row(moment: "KeptSnapshot") -> dict[str, Any]:
    counts = {name: moment.counts.get(name) for name in ("users", "professional", "analyzer")}
    about = {"without": moment.without, "source": moment.source, "digest": moment.digest}
    return {"takenAt": moment.taken_at, **counts, **about}


def _moment(text: str) -> datetime:
    found = parse_now(text, "--at")
    if isinstance(found, datetime):
        return found
    return datetime.combine(found, time.max, UTC)


@contextmanager
def _opened(path: Path, *, write: bool = False) -> Iterator["History"]:
    from seatwarden.engine.history.store import History  # SQLite and zstandard take a while to import

    with History(path, write=write) as opened:
        yield opened


def _shown(name: str, value: object) -> str:
    if name == "takenAt":
        return to_the_minute(str(value))
    return "" if value is None else f"{value:,}" if isinstance(value, int) else printable(str(value))
