"""Licenses whose user was deleted: counted apart, unless Qlik Sense is taking them back already."""

from typing import Any

import pytest

from seatwarden.engine.plan.summary_text import summary_lines
from tests.engine.support import license_row, plan_of, site_of, user

GONE: dict[str, Any] = {"user": None, "deletedUserId": "jdoe", "deletedUserDirectory": "ADMIN"}


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ([license_row(1), license_row(2, **GONE | {"quarantined": True})], None),
        ([license_row(1, user=None)], None),
        ([license_row(1, **GONE)], "1 license held by nobody: "),
        ([license_row(1, **GONE), license_row(2, **GONE)], "2 licenses held by nobody: "),
    ],
)
def test_the_summary_counts_them(rows: list[dict[str, Any]], line: str | None) -> None:
    found = [text.strip() for text in summary_lines(plan_of("", site_of([user(1)], rows))) if "held by nobody" in text]
    assert len(found) == (line is not None)
    assert line is None or found[0].startswith(line)
