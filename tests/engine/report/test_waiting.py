"""The report of a plan whose people are told before: who, until when, and what is said of it."""

from pathlib import Path

from seatwarden.engine.report.histogram import Histogram
from seatwarden.engine.report.model import Page
from seatwarden.engine.report.render import render
from tests.engine.notice.telling import REMINDED, Telling, people
from tests.engine.report.runs import report_for


def _page(tmp_path: Path, days: int) -> Page:
    site = Telling(tmp_path, people(3), policy=REMINDED)
    site.qrs.site["users"][2]["attributes"] = []
    report = site.days(days)[-1]
    assert report.folder is not None
    return report_for(report.folder)


def test_who_was_told_and_until_when(tmp_path: Path) -> None:
    page = _page(tmp_path, 13)
    assert [(one.user, one.told, one.reminded, one.release_day) for one in page.told] == [
        ("ACME\\user1", "2026-11-21", "2026-12-02", "2026-12-05"),
        ("ACME\\user2", "2026-11-21", "2026-12-02", "2026-12-05"),
    ]
    assert page.band.word == "Waiting for notice"
    waiting = "3 licenses are due and wait for notice: 2 told and 1 that cannot be told (1 no address)."
    assert waiting in page.sentences


def test_the_pictures_have_them_as_due(tmp_path: Path) -> None:
    page = _page(tmp_path, 2)
    (picture,) = [one for one in page.types if one.license_type == "analyzer"]
    histogram: Histogram = picture.histogram
    assert (histogram.due, histogram.spared) == (3, 3)
    assert "3 due, 3 of them held or waiting for notice." in picture.histogram_words
    assert [(row.kind, row.before, row.after) for row in picture.pool.rows] == [("waiting", 3, 3)]
    assert {segment.kind for segment in picture.pool.before} == {"due"}


def test_an_explanation_and_the_section_stand_in_the_page(tmp_path: Path) -> None:
    text = render(_page(tmp_path, 2)).decode()
    assert "Told, and until when (2)" in text
    assert "told on 2026-11-21, to be released on 2026-12-05 unless used" in text
    assert "no address: kept" in text


def test_nobody_waits(tmp_path: Path) -> None:
    site = Telling(tmp_path, people(1), policy="release analyzer when unused for 3000 days\n")
    report = site.run()
    assert report.folder is not None
    page = report_for(report.folder)
    assert page.told == ()
    assert "Told, and until when" not in render(page).decode()
