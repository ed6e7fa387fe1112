"""Cases decide as real data does: every fact a case can name is the fact that the decision reads."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given

from seatwarden.engine.decide.decide import decide, decide_all
from seatwarden.engine.facts.day import make_day
from seatwarden.engine.facts.facts import SnapshotFacts, subject_of
from seatwarden.engine.snapshot.reader import load_snapshot
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.engine.testing.case_snapshot import case_site, moment_of
from seatwarden.engine.testing.record import recorded_test
from seatwarden.engine.testing.run import run_policy_test
from seatwarden.grammar.ast import LicenseType, Policy
from seatwarden.grammar.builder import parse_field
from seatwarden.grammar.printer import print_policy
from seatwarden.grammar.spans import NOWHERE
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.loading import load_policy
from seatwarden.policy.testing.case import Given, LicenseFacts, Special, UserFacts
from seatwarden.policy.testing.test_file import load_policy_test
from seatwarden.policy.vocabulary import VOCABULARY
from tests.engine.support import checked
from tests.policy.guarantees.hard import HARD
from tests.profiles import examples
from tests.strategies import NOW as TAKEN_AT
from tests.strategies import as_json, policies, sites

BOTH = ("professional", "analyzer")
NOW = datetime(2026, 11, 21, 11, tzinfo=UTC)


def fact(field: str, user: UserFacts, facts: Mapping[str, Given] | None = None) -> object:
    """A fact of an analyzer license's case in Stockholm, as rules read it."""
    kind: LicenseType = "analyzer"
    day = moment_of(NOW, "Europe/Stockholm")
    snapshot, row = case_site(user, LicenseFacts(kind, facts or {}), day)
    read = SnapshotFacts(subject_of(snapshot, kind, row, day)).read(parse_field(field, NOWHERE))
    return "unknown" if isinstance(read, Unknown) else read


@pytest.mark.parametrize(
    ("field", "ordinary"),
    [
        ("user", ("EXAMPLE\\someone",)),
        ("user.name", ("Someone",)),
        ("user.roles", ()),
        ("user.tags", ()),
        ("user.@Department", ()),
        ("user.attributes.group", ()),
        ("user.inactive", (False,)),
        ("user.blocked", (False,)),
        ("user.removedExternally", (False,)),
        ("user.deleteProhibited", (False,)),
        ("user.createdDate", (date(2021, 5, 31),)),
        ("user.licenses", ("analyzer",)),
        ("user.lastUsed", (date(2024, 2, 25),)),
        ("license.type", ("analyzer",)),
        ("license.lastUsed", (date(2024, 2, 25),)),
        ("license.createdDate", (date(2021, 5, 31),)),
        ("license.neverUsed", (False,)),
        ("license.unusedDays", (1000,)),
        ("license.excess", (False,)),
    ],
)
def test_the_ordinary_user_is_complete(field: str, ordinary: object) -> None:
    assert fact(field, {}) == ordinary


def test_no_fact_of_the_ordinary_user_is_unknown() -> None:
    spelled = {"user.@": "user.@X", "user.attributes": "user.attributes.x"}
    assert [name for name in VOCABULARY if fact(spelled.get(name, name), {}) == "unknown"] == []


@pytest.mark.parametrize(
    ("field", "user", "value"),
    [
        ("user.tags", {"tags": ("a", "b")}, ("a", "b")),
        ("user.roles", {"roles": ("RootAdmin",)}, ("RootAdmin",)),
        ("user.@Department", {"properties": {"Department": ("Finance", "HR"), "Site": ("Oslo",)}}, ("Finance", "HR")),
        ("user.attributes.group", {"attributes": {"group": ("x",)}}, ("x",)),
        ("user.blocked", {"blocked": True}, (True,)),
        ("user.createdDate", {"createdDate": date(2026, 1, 31)}, (date(2026, 1, 31),)),
        ("user.licenses", {"licenses": ("analyzer", "professional")}, ("professional", "analyzer")),
        ("user.lastUsed", {"licenses": BOTH}, (date(2024, 2, 25),)),
        ("user.lastUsed", {"licenses": BOTH, "lastUsed": date(2026, 11, 1)}, (date(2026, 11, 1),)),
        ("license.lastUsed", {"licenses": BOTH, "lastUsed": date(2026, 11, 1)}, (date(2024, 2, 25),)),
        ("user.lastUsed", {"licenses": BOTH, "lastUsed": Special.UNKNOWN}, "unknown"),
        ("user.tags", Special.UNKNOWN, "unknown"),
        *(
            (field, {word: Special.UNKNOWN}, "unknown")
            for field, word in [
                ("user.name", "name"),
                ("user.roles", "roles"),
                ("user.tags", "tags"),
                ("user.@X", "properties"),
                ("user.attributes.x", "attributes"),
                ("user.blocked", "blocked"),
                ("user.inactive", "inactive"),
                ("user.removedExternally", "removedExternally"),
                ("user.deleteProhibited", "deleteProhibited"),
                ("user.createdDate", "createdDate"),
                ("user.licenses", "licenses"),
            ]
        ),
    ],
)
def test_facts_of_users(field: str, user: UserFacts, value: object) -> None:
    assert fact(field, user) == value


@pytest.mark.parametrize(
    ("field", "facts", "value"),
    [
        ("license.lastUsed", {"lastUsed": date(2026, 10, 25)}, (date(2026, 10, 25),)),
        ("license.lastUsed", {"lastUsed": datetime(2026, 10, 24, 23, 30, tzinfo=UTC)}, (date(2026, 10, 25),)),
        ("license.unusedDays", {"unusedDays": 45}, (45,)),
        ("license.unusedDays", {"unusedDays": 999_999_999}, (46_345,)),
        ("license.unusedDays", {"lastUsed": Special.NEVER, "createdDate": date(2026, 11, 20)}, (1,)),
        ("license.neverUsed", {"lastUsed": Special.NEVER}, (True,)),
        ("license.lastUsed", {"lastUsed": Special.UNKNOWN}, "unknown"),
        ("license.unusedDays", {"unusedDays": Special.UNKNOWN}, "unknown"),
        ("license.createdDate", {"createdDate": Special.UNKNOWN}, "unknown"),
        ("license.excess", {"excess": Special.UNKNOWN}, "unknown"),
    ],
)
def test_facts_of_licenses(field: str, facts: dict[str, Given], value: object) -> None:
    assert fact(field, {}, facts) == value


@pytest.mark.parametrize(
    ("user", "facts", "guard"),
    [
        ({}, {"quarantined": True}, "quarantined"),
        ({}, {"quarantined": Special.UNKNOWN}, "undetermined"),
        (Special.UNKNOWN, {}, "undetermined"),
        ({"tags": Special.UNKNOWN}, {}, "undetermined"),
        ({}, {}, None),
    ],
)
def test_guards(user: UserFacts, facts: dict[str, Given], guard: str | None) -> None:
    policy = checked('keep when user.tags = "vip"\nrelease when unused for 30 days')
    day = moment_of(date(2026, 11, 21), "UTC")
    snapshot, row = case_site(user, LicenseFacts("professional", facts), day)
    assert decide(policy, snapshot, "professional", row, day).guard == guard


@pytest.mark.parametrize("timezone", ["UTC", "Pacific/Kiritimati", "America/New_York", "Asia/Kathmandu"])
def test_a_day_is_that_day_in_the_zone(timezone: str) -> None:
    assert moment_of(date(2026, 11, 21), timezone).today == date(2026, 11, 21)


@examples(20)
@given(policies(), sites())
def test_a_recorded_test_passes(policy: Policy, site: dict[str, Any]) -> None:
    """Whatever users are called, and however odd their facts are."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "p.policy").write_text(print_policy(policy), encoding="utf-8")
        (folder / "s.json").write_bytes(as_json(site))
        loaded = load_policy(folder / "p.policy")
        day = make_day(TAKEN_AT, loaded.timezone)
        decisions = list(decide_all(loaded, load_snapshot(folder / "s.json"), day))
        text = recorded_test(folder / "p.policy", folder / "s.json", day, None, decisions, folder)
        (folder / "r.test.yaml").write_text(text, encoding="utf-8")
        report = run_policy_test(load_policy_test(folder / "r.test.yaml"))
    results = [one for one in report.results if not one.name.startswith("guarantee ")]
    assert [result for result in results if not result.passed] == [] or not decisions
    assert len(results) == max(1, len(decisions))


def test_a_guarantee_is_a_case_of_its_policy(tmp_path: Path) -> None:
    policy = 'guarantee "admins" never release when user.roles = "RootAdmin"\nrelease when unused for 30 days\n'
    (tmp_path / "p.policy").write_text('keep when user.roles = "RootAdmin"\n' + policy)
    case = "{name: a, license: {type: analyzer, lastUsed: 2026-01-01}, verdict: release}"
    (tmp_path / "p.test.yaml").write_text(f"policy: p.policy\nnow: 2026-11-21\ncases:\n  - {case}\n")
    held = run_policy_test(load_policy_test(tmp_path / "p.test.yaml"))
    assert [(one.name, one.problems) for one in held.results] == [("a", ()), ('guarantee "admins"', ())]
    (tmp_path / "p.policy").write_text(policy)
    broken = run_policy_test(load_policy_test(tmp_path / "p.test.yaml"))
    (failed,) = broken.failed
    assert failed.problems[0].startswith('refuted: license.type = "analyzer", user.roles = "RootAdmin"')
    (tmp_path / "p.policy").write_text(HARD)
    by_another = run_policy_test(load_policy_test(tmp_path / "p.test.yaml")).results[-1]
    assert (by_another.name, by_another.problems) == ('guarantee "all" proved (by Z3)', ())


# Notices ---------------------------------------------------------------------------------------------------


NOTICE = "release analyzer when unused for 30 days\n  after notice of 14 days, reminder 3 days before\n"


@pytest.mark.parametrize(
    ("more", "verdict", "because"),
    [
        ("", "keep", "notice"),
        ("told: 2026-11-07, reminded: 2026-11-18", "release", "release"),
        ("told: 2026-11-07T12:00:00Z, reminded: 2026-11-18", "release", "release"),
        ("told: 2026-11-08, reminded: 2026-11-18", "keep", "notice"),
        ("told: 2026-11-07, reminded: 2026-11-19", "keep", "notice"),
        ("told: 2026-11-07", "keep", "notice"),
        ("told: 2026-12-07, reminded: 2026-12-08", "keep", "notice"),
    ],
)
def test_who_was_told(tmp_path: Path, more: str, verdict: str, because: str) -> None:
    (tmp_path / "p.policy").write_text(NOTICE)
    case = f"{{name: n, license: analyzer, verdict: {verdict}, because: {because}{', ' if more else ''}{more}}}"
    (tmp_path / "p.test.yaml").write_text(f"policy: p.policy\nnow: 2026-11-21\ncases:\n  - {case}\n")
    report = run_policy_test(load_policy_test(tmp_path / "p.test.yaml"))
    assert [result.problems for result in report.results] == [()]


def test_a_case_that_fails_for_a_notice_says_so(tmp_path: Path) -> None:
    (tmp_path / "p.policy").write_text(NOTICE)
    case = "{name: n, license: analyzer, verdict: release}"
    (tmp_path / "p.test.yaml").write_text(f"policy: p.policy\nnow: 2026-11-21\ncases:\n  - {case}\n")
    ((result,), *_) = [run_policy_test(load_policy_test(tmp_path / "p.test.yaml")).results]
    assert result.problems[1:] == (
        "got       keep, because notice: due by release analyzer (p.policy:1:1)",
        "why       due; to be told in the next run",
    )


def test_told_where_no_rule_gives_notice_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "p.policy").write_text("release analyzer when unused for 30 days\n")
    case = "{name: n, license: analyzer, verdict: release, told: 2026-11-20}"
    (tmp_path / "p.test.yaml").write_text(f"policy: p.policy\nnow: 2026-11-21\ncases:\n  - {case}\n")
    assert run_policy_test(load_policy_test(tmp_path / "p.test.yaml")).failed == ()


def test_a_reminder_needs_that_somebody_was_told(tmp_path: Path) -> None:
    (tmp_path / "p.policy").write_text(NOTICE)
    case = "{name: n, license: analyzer, verdict: keep, reminded: 2026-11-20}"
    (tmp_path / "p.test.yaml").write_text(f"policy: p.policy\nnow: 2026-11-21\ncases:\n  - {case}\n")
    with pytest.raises(PolicyError) as caught:
        load_policy_test(tmp_path / "p.test.yaml")
    assert [finding.message for finding in caught.value.diagnostics] == ["`reminded` goes with `told`"]
