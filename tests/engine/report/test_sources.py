"""What a report is made from: only what verifies, and the right run before it."""

from datetime import timedelta
from pathlib import Path

import pytest

from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.report.sources import read_sources
from seatwarden.engine.report.write import write_report
from seatwarden.policy.errors import InputError
from tests.engine.report.runs import report_for, some_site, write_journal, write_run
from tests.strategies import NOW


def _flip(path: Path) -> None:
    """Changes a byte in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_damaged_plan_is_refused_and_its_page_says_so(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", some_site())
    write_report(run, run / "report.html")
    assert "user1" in (run / "report.html").read_text(encoding="utf-8")
    _flip(run / "plan.jsonl")
    with pytest.raises(DamagedLog):
        read_sources(run)
    with pytest.raises(DamagedLog):
        write_report(run, run / "report.html")
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "Damaged" in page
    assert "user1" not in page, "what is not as it was written is not shown"


def test_the_page_of_another_run_that_is_damaged_is_not_written(tmp_path: Path) -> None:
    before = write_run(tmp_path / "before", some_site(), now=NOW - timedelta(days=1))
    run = write_run(tmp_path / "run", some_site())
    _flip(before / "plan.jsonl")
    with pytest.raises(DamagedLog):
        write_report(run, run / "report.html", before)
    assert not (run / "report.html").exists()


def test_a_damaged_journal_is_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", some_site())
    write_journal(run, {"l1": "released"})
    _flip(run / "outcomes.jsonl")
    with pytest.raises(DamagedLog, match=r"outcomes\.jsonl"):
        read_sources(run)


def test_a_journal_of_another_plan_is_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", some_site())
    write_journal(run, {"l1": "released"}, plan_root="0" * 64)
    with pytest.raises(DamagedLog, match="belongs to another plan"):
        read_sources(run)


def test_the_newest_older_run_of_the_same_site_is_the_one_before(tmp_path: Path) -> None:
    for days in (3, 2, -1):
        write_run(tmp_path / f"{days} days ago", some_site(), now=NOW - timedelta(days=days))
    write_run(tmp_path / "elsewhere", {**some_site(), "source": "https://other"}, now=NOW - timedelta(days=1))
    (tmp_path / "no run").mkdir()
    run = write_run(tmp_path / "now", some_site())
    before = read_sources(run).previous
    assert before is not None
    assert before.folder.name == "2 days ago"
    asked = read_sources(run, tmp_path / "3 days ago").previous
    assert asked is not None
    assert asked.folder.name == "3 days ago"


def test_no_run_before(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", some_site())
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "plan.jsonl").write_text("{", encoding="utf-8")
    sources = read_sources(run)
    assert sources.previous is None
    assert sources.not_compared == "there is no earlier run of this site beside this one; torn cannot be read"
    assert report_for(run).comparison is None


def test_a_run_before_that_does_not_verify_is_said_to(tmp_path: Path) -> None:
    before = write_run(tmp_path / "before", some_site(), now=NOW - timedelta(days=1))
    run = write_run(tmp_path / "run", some_site())
    path = before / "plan.jsonl"
    path.write_bytes(path.read_bytes().replace(b"user1", b"user9"))
    assert read_sources(run).not_compared == "the run before, in before, does not verify"
    with pytest.raises(DamagedLog):
        read_sources(run, before)


def test_previous_must_be_one_run(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a" / "run", some_site())
    write_run(tmp_path / "a" / "other", some_site())
    with pytest.raises(InputError, match="holds 2 runs"):
        read_sources(run, tmp_path / "a")
    with pytest.raises(InputError, match="there is no folder"):
        read_sources(run, tmp_path / "nowhere")
