"""`seatwarden frequency`."""

import json

import pytest

from tests.engine.cli.conftest import Run

AFTER = ("--after", "2026-11-21T02:00:00Z")


def test_text(run: Run) -> None:
    ran = run("frequency", "every 6 hours", *AFTER, "--timezone", "Europe/Stockholm", "--next", 2)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "saturday   2026-11-21 06:00:00 +01:00  2026-11-21T05:00:00.000Z",
        "saturday   2026-11-21 12:00:00 +01:00  2026-11-21T11:00:00.000Z",
    ]


def test_json(run: Run) -> None:
    ran = run("frequency", "at 2:30", *AFTER, "--format", "json", "--timezone", "America/New_York", "--next", 1)
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == {
        "text": "at 2:30",
        "timezone": "America/New_York",
        "next": ["2026-11-21T07:30:00.000Z"],
        "findings": [],
        "warnings": [],
    }


def test_by_default_five_times_from_now_in_utc(run: Run) -> None:
    answer = json.loads(run("frequency", "every 1 hour", "--format", "json").out)
    assert answer["timezone"] == "UTC"
    assert len(answer["next"]) == 5


def test_a_day_is_its_midnight_in_the_zone(run: Run) -> None:
    for day, instant in (("2026-11-21", "2026-11-21T00:00:00-11:00"), ("2026-11-21T00:00:00Z", "2026-11-21T00:00:00Z")):
        given = ("frequency", "every 1 hour", "--timezone", "Pacific/Pago_Pago", "--after")
        assert run(*given, day).out == run(*given, instant).out


def test_never(run: Run) -> None:
    ran = run("frequency", "on the 31st day of feb", *AFTER)
    assert ran.code == 0
    assert "never fires after" in ran.out
    assert "warning[SW504]" in ran.err
    ran = run("frequency", "on the 31st day of feb", *AFTER, "--format", "json")
    answer = json.loads(ran.out)
    assert (ran.code, answer["next"], ran.err) == (0, [], "")
    assert [finding["code"] for finding in answer["findings"]] == ["SW504"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("every hour",), ["error[SW501]: ", "--> frequency:1:7", "`every 1 hour`"]),
        (("every hour", "--format", "json"), ["error[SW501]"]),
        (("every 1 hour", "--timezone", "Europe/Stokholm"), ["`Europe/Stockholm`?"]),
        (("every 1 hour", "--after", "noon"), ["--after: `noon`"]),
        (("every 1 hour", "--next", "0"), ["--next"]),
        ((), ["TEXT"]),
    ],
)
def test_wrong_input(run: Run, arguments: tuple[str, ...], expected: list[str]) -> None:
    ran = run("frequency", *arguments)
    assert (ran.code, ran.out) == (2, "")
    for words in expected:
        assert words in ran.err
