"""Log lines: text for people, JSON for collectors, and files that rotate."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seatwarden.engine.service.logging import LoggedFinding, log, start_log, stop_log
from seatwarden.engine.site.ours import LogFormat, LogSettings
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.loading import check_text


@contextmanager
def _log(settings: LogSettings) -> Iterator[logging.Handler]:
    handler = start_log(settings)
    try:
        yield handler
    finally:
        stop_log(handler)


def _lines(settings: LogSettings) -> list[str]:
    assert settings.file is not None
    return settings.file.read_text(encoding="utf-8").splitlines()


def test_text(tmp_path: Path) -> None:
    settings = LogSettings(tmp_path / "logs" / "s.log")
    with _log(settings):
        log("plan sealed", run="20261121T020000Z-ab", release=19.0, nothing=None, empty="", why="two words", dry=True)
        log(
            "said \x1b[31mby\u202e whom",
            level=logging.WARNING,
            user='a\nforged="line"',
            at=datetime(2026, 1, 2, tzinfo=UTC),
        )
        log("not shown", level=logging.DEBUG)
    first, second, *more = (line.partition("Z ")[2] for line in _lines(settings))
    assert first == 'INFO    plan sealed run=20261121T020000Z-ab release=19 why="two words" dry=true'
    assert second == "WARNING said \ufffd[31mby\ufffd whom at=2026-01-02T00:00:00.000Z"
    assert _lines(settings)[2:] == ["    a", '    forged="line"']
    assert len(more) == 2


def test_backslashes_in_text_stay_as_they_are(tmp_path: Path) -> None:
    settings = LogSettings(tmp_path / "s.log")
    with _log(settings):
        log("sealed", folder="C:\\Program Files\\runs", user="CORP\\jdoe", why='the "old" one')
    (line,) = _lines(settings)
    assert line.endswith(r'sealed folder="C:\Program Files\runs" user=CORP\jdoe why="the \"old\" one"')


def test_json(tmp_path: Path) -> None:
    settings = LogSettings(tmp_path / "s.log", "json", "debug")
    with _log(settings):
        log("plan sealed", release=19, user="J\u00f6rg\n\ud800", folder=tmp_path)
        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            logging.getLogger("apscheduler.executors.licenseRelease").exception("of a library")
        logging.getLogger("urllib3.connectionpool").warning("retrying")
    first, second = map(json.loads, _lines(settings))
    assert (first["level"], first["message"], first["release"]) == ("info", "plan sealed", 19)
    assert first["user"].startswith("J\u00f6rg\n")
    assert first["at"].endswith("Z")
    assert (second["level"], second["message"]) == ("error", "of a library")
    assert "ZeroDivisionError" in second["traceback"]


def test_level(tmp_path: Path) -> None:
    settings = LogSettings(tmp_path / "s.log", level="error")
    with _log(settings):
        log("a warning", level=logging.WARNING)
        log("an error", level=logging.ERROR)
    assert len(_lines(settings)) == 1


def test_rotation_loses_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", True)
    settings = LogSettings(tmp_path / "s.log", megabytes=1, files=3)
    with _log(settings) as handler:
        for n in range(30_000):
            log("x" * 60, n=n)
        held = monkeypatch.context()
        with held as busy:

            def rename(*_: object) -> None:
                raise PermissionError(13, "somebody reads it")

            busy.setattr("os.rename", rename)
            for n in range(30_000, 42_000):
                log("x" * 60, n=n)
        handler.flush()
    files = sorted(tmp_path.iterdir(), reverse=True)
    lines = [line for file in files for line in file.read_text().splitlines()]
    assert [file.name for file in files][-1] == "s.log"
    assert len(files) >= 3  # the oldest made room before the others could not be moved
    numbers = [int(line.rpartition("n=")[2]) for line in lines]
    assert numbers == list(range(42_000))[-len(numbers) :]
    assert all(file.stat().st_size < 1_100_000 for file in files[:-1])


def test_when_it_ends_nothing_is_left_behind(tmp_path: Path) -> None:
    before = list(logging.getLogger("seatwarden").handlers)
    with _log(LogSettings(tmp_path / "s.log")):
        pass
    assert logging.getLogger("seatwarden").handlers == before


def test_a_finding_is_drawn_in_text_and_has_fields_in_json(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as raised:
        check_text("keep when user.tgas = 1\n", "license.policy")
    (finding,) = raised.value.diagnostics
    forms: tuple[LogFormat, ...] = ("text", "json")
    for form in forms:
        with _log(LogSettings(tmp_path / form, form)):
            log(
                finding.message,
                level=logging.ERROR,
                finding=LoggedFinding(finding, raised.value.sources),
                job="licenseRelease",
            )
    first, *drawn = (tmp_path / "text").read_text(encoding="utf-8").splitlines()
    assert first.endswith(f"ERROR   error[{finding.code}]: {finding.message} job=licenseRelease")
    assert drawn[0] == "     --> license.policy:1:11"
    assert "    1 | keep when user.tgas = 1" in drawn
    line = json.loads((tmp_path / "json").read_text(encoding="utf-8"))
    assert line | {"at": ""} == {
        "at": "",
        "level": "error",
        "message": finding.message,
        "job": "licenseRelease",
        "finding": {
            "code": finding.code,
            "severity": "error",
            "message": finding.message,
            "label": finding.label,
            "help": finding.help,
            "file": "license.policy",
            "line": 1,
            "column": 11,
            "endLine": 1,
            "endColumn": 20,
            "related": [],
        },
    }
