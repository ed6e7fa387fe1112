"""`seatwarden history` from the outside."""

import csv
import io
import json
from datetime import datetime
from pathlib import Path
from shutil import copytree

import pytest

from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.simulator.server import SimulatedQrs
from seatwarden.engine.site.settings import load_settings
from tests.engine.cli.conftest import Run, SiteFile
from tests.engine.history.sites import at, license_row, snapshot_of, user_row
from tests.paths import EXAMPLES


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Five days; Bo works on the third, and has no license on the last."""
    found = []
    for day in range(5):
        rows = [license_row("ada", at(-9), modifiedDate=at(day)), license_row("bo", at(2 if day > 2 else -3))]
        path = tmp_path / f"day-{day}.json"
        path.write_bytes(snapshot_of(day, [user_row("ada"), user_row("bo")], rows[: 2 if day < 4 else 1]))
        found.append(path)
    return found


@pytest.fixture
def history(run: Run, files: list[Path], tmp_path: Path) -> Path:
    """The history of them."""
    path = tmp_path / "history.sqlite"
    ran = run("history", "add", *reversed(files), "--history", path)
    assert (ran.code, ran.out, ran.err) == (0, "5 snapshots added\n", "")
    return path


def test_lists(run: Run, history: Path) -> None:
    ran = run("history", "list", "--history", history)
    assert ran.code == 0
    assert [line.split()[:5] for line in ran.out.splitlines() if line.strip()[:4] == "2026"][:2] == [
        ["2026-01-05", "02:00Z", "2", "0", "2"],
        ["2026-01-06", "02:00Z", "2", "0", "2"],
    ]
    found = json.loads(run("history", "list", "--history", history, "--format", "json").out)
    assert [one["analyzer"] for one in found["snapshots"]] == [2, 2, 2, 2, 1]


def test_shows_the_day_that_was(run: Run, history: Path, files: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "then.json"
    ran = run("history", "show", "--at", "2026-01-07", "--history", history, "-o", out)
    assert (ran.code, out.read_bytes()) == (0, files[2].read_bytes())
    assert "the site as of 2026-01-07 02:00Z" in ran.out
    assert run("history", "show", "--at", "2026-01-07T01:00:00Z", "--history", history, "-o", out).code == 2
    assert run("history", "show", "--at", "2026-01-07T01:00:00Z", "--history", history, "-o", out, "--force").code == 0
    assert out.read_bytes() == files[1].read_bytes()


def test_those_that_cannot_be_added_are_named(run: Run, history: Path, files: list[Path], tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"users": [], "licenses": {"analyzer": []}}')
    new = tmp_path / "new.json"
    new.write_bytes(snapshot_of(9, [], []))
    ran = run("history", "add", wrong, files[0], new, "--history", history)
    assert (ran.code, ran.out) == (2, "1 snapshot added, 1 there already\n")
    assert "does not say when it was taken" in ran.err


@pytest.mark.parametrize("command", [("list",), ("prune", "--yes"), ("add", EXAMPLES / "site.json")])
@pytest.mark.parametrize(
    ("name", "said", "help_"),
    [
        ("site.json", "site.json` is a snapshot, not a history", "site.json` adds it to one"),
        ("butler.policy", "butler.policy` is a policy, not a history", "name the `history.sqlite` of a site's state"),
        ("", "examples` is a folder, not a file", "name the `history.sqlite` of a site's state folder"),
    ],
)
def test_what_is_no_history_is_told_as_what_it_is(
    run: Run, tmp_path: Path, command: tuple[object, ...], name: str, said: str, help_: str
) -> None:
    copytree(EXAMPLES, tmp_path / "examples")
    ran = run("history", *command, "--history", tmp_path / "examples" / name)
    told = " ".join(ran.err.split())
    assert (ran.code, said in told, help_ in told, "damaged" in told) == (2, True, True, False)
    assert (tmp_path / "examples" / "site.json").read_bytes() == (EXAMPLES / "site.json").read_bytes()


def test_prunes_by_age(run: Run, history: Path) -> None:
    refused = run("history", "prune", "--keep-days", 2, "--history", history)
    assert refused.code == 2
    assert "To delete: 2 snapshots taken before 2026-01-07 02:00Z" in refused.err
    ran = run("history", "prune", "--keep-days", 2, "--history", history, "--yes")
    assert (ran.code, ran.out) == (0, "2 snapshots deleted, 3 snapshots kept.\n")


@pytest.mark.parametrize("days", [-1, 0, 36_501, 1_000_000, 10**12])
def test_prunes_by_no_age_that_no_calendar_has(run: Run, history: Path, days: int) -> None:
    ran = run("history", "prune", "--keep-days", days, "--history", history, "--yes")
    assert (ran.code, ran.out) == (2, "")
    assert "--keep-days" in ran.err
    assert run("history", "list", "--history", history).out.count("2026-01-0") == 5


def test_exports_a_line_for_each_span(run: Run, history: Path) -> None:
    found = list(csv.DictReader(io.StringIO(run("history", "export", "--history", history).out)))
    assert [(row["licenseId"], row["from"][:10], row["to"][:10], row["lastUsed"][:10]) for row in found] == [
        ("l-bo", "2026-01-05", "2026-01-07", "2026-01-02"),
        ("l-bo", "2026-01-08", "2026-01-08", "2026-01-07"),
        ("l-ada", "2026-01-05", "2026-01-09", "2025-12-27"),
    ]


def test_exports_the_same_as_parquet(run: Run, history: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra scale")
    out = tmp_path / "licenses.parquet"
    for _ in range(2):
        assert run("history", "export", "--format", "parquet", "-o", out, "--history", history).code == 0
    found = parquet.read_table(out).to_pylist()
    printed = list(csv.DictReader(io.StringIO(run("history", "export", "--history", history).out)))
    assert [{name: _text(value) for name, value in row.items()} for row in found] == printed
    assert {type(row["lastUsed"]) for row in found} == {datetime}


def _text(value: object) -> str:
    return format_instant(value) if isinstance(value, datetime) else "" if value is None else str(value)


def test_an_export_that_cannot_be_is_refused(
    run: Run, history: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet = ("history", "export", "--history", history, "--format", "parquet")
    assert "nowhere to write to" in run(*parquet).err
    assert "CSV is printed" in run("history", "export", "--history", history, "-o", "a.csv").err
    monkeypatch.setattr("seatwarden.engine.cli.commands.history.find_spec", lambda name: None)
    ran = run(*parquet, "-o", files[0])
    assert (ran.code, "Parquet needs the extra `scale`" in ran.err) == (2, True)
    monkeypatch.setattr("seatwarden.engine.cli.commands.history.find_spec", lambda name: True)
    assert "is a snapshot, not a table (Parquet)" in run(*parquet, "-o", files[0]).err


@pytest.mark.parametrize("command", ["backtest", "prune"])
def test_the_site_file_is_read_once(
    run: Run, files: list[Path], site_file: SiteFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    site = site_file(4242)
    ours = f"seatwarden: {{folder: '{(tmp_path / 'state').as_posix()}', history: {{keepDays: 60}}}}\n"
    site.write_text(site.read_text() + ours)
    assert run("history", "add", *files, "--site", site).code == 0
    read: list[Path] = []

    def counted(file: Path, *given: object, **more: object) -> object:
        read.append(file)
        return load_settings(file, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("seatwarden.engine.cli.host.load_settings", counted)
    if command == "prune":
        assert run("history", "prune", "--site", site, "--yes").code == 0
    else:
        policy = tmp_path / "site.policy"
        policy.write_text("release when unused for 2 days\n")
        assert run("backtest", "-p", policy, "--site", site).code == 0
    assert read == [site]


def test_a_snapshot_is_added_at_once(run: Run, qrs: SimulatedQrs, site_file: SiteFile, tmp_path: Path) -> None:
    ours = f"seatwarden: {{folder: '{(tmp_path / 'state').as_posix()}'}}\n"
    site = site_file(qrs.port)
    site.write_text(site.read_text() + ours)
    assert run("snapshot", "--site", site, "--history").code == 0
    out = tmp_path / "site.json"
    assert run("snapshot", "--site", site, "--history", "-o", out).code == 0
    listed = json.loads(run("history", "list", "--site", site, "--format", "json").out)
    assert len(listed["snapshots"]) == 2
    back = tmp_path / "back.json"
    assert run("history", "show", "--at", "2100-01-01", "--site", site, "-o", back).code == 0
    assert back.read_bytes() == out.read_bytes()


def test_without_a_place_it_says_so(run: Run) -> None:
    ran = run("history", "list")
    assert ran.code == 2
    assert "name a `history.sqlite` with --history" in ran.err
