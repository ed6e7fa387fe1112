"""Comments that allow a finding: where they reach, and that an idle one is reported."""

from dataclasses import replace

import pytest

from seatwarden.policy.butler.front_end import parse_butler
from seatwarden.policy.codes import CODES
from seatwarden.policy.lint.known_names import KnownNames
from seatwarden.policy.lint.linter import lint
from tests.engine.support import checked
from tests.policy.lint.support import TODAY, lint_text

TWICE = 'user.tags = ["vip", "VIP"]'
RELEASE = "\nrelease analyzer when unused for 30 days\n"
NOBODY = KnownNames({}, {"user.@": frozenset(), "user.attributes": frozenset()}, lambda rule: True)

SILENCED = (
    f'keep "x" when {TWICE}  # seatwarden: allow SW315 both are wanted',
    f'# seatwarden: allow SW315 both are wanted\nkeep "x" when {TWICE}',
    f'#seatwarden:allow sw315 both\n\n# another comment\nkeep "x" when {TWICE}',
    f'keep "x" # seatwarden: allow SW315 both are wanted\n  when user.inactive or\n  {TWICE}',
    f'keep "x"\n  when user.inactive or\n  {TWICE} # seatwarden: allow SW315 both',
    f'keep "#" when user.name = "# x" or {TWICE} # seatwarden: allow SW317, SW315 both # of them',
)


@pytest.mark.parametrize("text", SILENCED)
def test_silenced(text: str) -> None:
    found = lint_text(text + RELEASE)
    assert [finding.code for finding in found.findings if finding.code != "SW319"] == []
    (allowed,) = found.allowed
    assert allowed.finding.code == "SW315"
    assert allowed.reason.startswith("both")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f'keep "x" when {TWICE} # seatwarden: allow SW306 reason', ["SW315", "SW319"]),
        (f'keep "y" when user.inactive # seatwarden: allow SW315 reason\nkeep "x" when {TWICE}', ["SW319", "SW315"]),
        (f'keep "x" when {TWICE} # seatwarden: allow SW315', ["SW315", "SW320"]),
        (f'keep "x" when {TWICE} # seatwarden: allow SW315, SW317 - ', ["SW315", "SW320"]),
        (f'keep "x" when {TWICE} # seatwarden: allow all of it', ["SW315", "SW320"]),
        (f'keep "x" when {TWICE} # seatwarden: ignore SW315 reason', ["SW315", "SW320"]),
        ('keep "x" when user.inactive # seatwarden: allow SW101 reason', ["SW320"]),
        ('keep "x" when user.name = "# seatwarden: allow SW315 reason"', []),
        ('# this is what seatwarden does\nkeep "x" when user.inactive', []),
        ("# seatwarden: allow SW315 reason", ["SW319"]),
        ("# seatwarden: allow SW319 reason", ["SW319"]),
        ("# seatwarden: allow SW507 reason", ["SW319"]),
        ("# seatwarden: allow SW999 reason", ["SW320"]),
    ],
)
def test_not_silenced(text: str, expected: list[str]) -> None:
    assert [finding.code for finding in lint_text(text + RELEASE).findings] == expected


def test_codes_of_a_snapshot_are_judged_with_a_snapshot_only() -> None:
    text = 'keep "x" when user.inactive # seatwarden: allow SW401 soon to come' + RELEASE
    assert lint_text(text).findings == ()
    assert [finding.code for finding in lint_text(text, NOBODY).findings] == ["SW319"]


THRESHOLDS = "licenseType:\n  analyzer: {enable: true, releaseThresholdDays: 30}\n"


def _in_yaml(settings: str) -> list[str]:
    text = f"{settings}\n{THRESHOLDS}"
    policy = replace(checked(parse_butler(text, "p.yaml")), file="p.yaml", source=text)
    return [finding.code for finding in lint(policy, TODAY).findings]


def test_in_yaml() -> None:
    def linted(never: str) -> list[str]:
        return _in_yaml(f"neverRelease:\n{never}")

    assert linted("  inactive: no") == ["SW311"]
    assert linted("  inactive: no # seatwarden: allow SW311 agreed") == []
    assert linted("  # seatwarden: allow SW311 it's agreed\n  inactive: no") == []
    assert linted("  # seatwarden: allow SW315 agreed\n  tag:\n    - it's\n    - vip\n    - vip") == []
    assert linted("  tag:\n    - vip\n    - vip # seatwarden: allow SW315 agreed") == []
    assert linted("  tag:\n    - vip # seatwarden: allow SW315 agreed\n    - vip") == ["SW319", "SW315"]


@pytest.mark.parametrize("mark", [" |", " >-", ""])
@pytest.mark.parametrize("before", [True, False], ids=["above", "beside"])
def test_in_text_of_several_lines(mark: str, before: bool) -> None:
    """No comment can stand in such a text: that at its key, or above it, speaks of all of its lines."""
    if not mark and not before:
        return  # a comment would end such a text
    comment = "# seatwarden: allow SW304 agreed"
    key = f"      {comment}\n      when:{mark}" if before else f"      when:{mark} {comment}"
    condition = "        user.inactive\n        and (user.inactive or user.blocked)"
    text = f"neverRelease:\n  when:\n    - name: x\n{key}\n{condition}"
    assert _in_yaml(text) == []
    assert _in_yaml(text.replace(comment, "")) == ["SW304"]


SCHEDULES = {
    "SW504": "at 2:00 on the 30th day of feb",
    "SW505": "every 6 hours except at 6:00",
    "SW506": "every 1 minute",
    "SW507": "every 36 hours",
    "SW508": "at 2:00 on fri-mon",
    "SW509": "every 2 hours between 8",
}


@pytest.mark.parametrize(("code", "schedule"), SCHEDULES.items())
def test_a_schedule_in_yaml(code: str, schedule: str) -> None:
    assert _in_yaml(f"frequency: {schedule}") == [code]
    assert _in_yaml(f"frequency: {schedule} # seatwarden: allow {code} agreed") == []
    assert _in_yaml(f"# seatwarden: allow {code} agreed\nfrequency: '{schedule}'") == []
    assert _in_yaml(f"frequency: >- # seatwarden: allow {code} agreed\n  {schedule}") == []
    assert _in_yaml(f"frequency: every 6 hours # seatwarden: allow {code} agreed") == ["SW319"]


def test_those_are_all_warnings_of_schedules() -> None:
    assert set(SCHEDULES) == {code for code in CODES if code > "SW5" and CODES[code].allowable}


@pytest.mark.parametrize("code", CODES)
def test_errors_cannot_be_allowed(code: str) -> None:
    """Whatever is not found is allowed in vain; an error cannot even be allowed."""
    findings = lint_text(f"# seatwarden: allow {code} reason\n{RELEASE}", NOBODY).findings
    if CODES[code].of_plans:  # whether it is in vain only a plan knows
        assert not findings
        return
    (found,) = findings
    assert found.code == ("SW320" if CODES[code].severity == "error" else "SW319")
    assert (found.help or "").startswith("errors are corrected") == (CODES[code].severity == "error")
