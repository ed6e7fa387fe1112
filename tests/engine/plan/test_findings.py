"""What is found in a plan: names that protect nobody and cost somebody a license, accounts that run Qlik Sense, rules
that ask for no disuse or protect nobody; and what is not said."""

import re
from typing import Any

import pytest

from seatwarden.engine.decide.decision import is_pseudonym
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.plan.findings import Finding, find_in_plan, finding_lines, is_about
from seatwarden.engine.plan.plan import make_plan
from seatwarden.policy.loading import check_text
from tests.engine.support import checked, day_of, license_row, plan_of, site_of, snapshot_of, user

OLD, NOW = "2026-01-01T12:00:00.000Z", "2026-11-20T12:00:00.000Z"
HAVE = ", and a license of users who have it would be released"
RELEASE = "\nrelease when unused for 30 days"


def _tags(*names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


def _property(name: str, value: str) -> list[dict[str, Any]]:
    return [{"value": value, "definition": {"name": name}}]


def _site(*users: dict[str, Any], used: str = OLD) -> dict[str, Any]:
    return site_of(list(users), [license_row(n, used) for n, _ in enumerate(users, 1)])


def _found(policy: str, site: dict[str, Any]) -> list[tuple[str, str]]:
    return [(finding.code, finding.message) for finding in plan_of(policy + RELEASE, site).findings]


@pytest.mark.parametrize(
    ("rule", "facts", "code", "message"),
    [
        (
            'keep "x" when user == "Acme\\user1"', {}, "SW402",
            'keep "x": no user is `Acme\\user1`; `ACME\\user1` differs only in case and would be released',
        ),
        (
            'keep "x" when user.userId == "User1"', {}, "SW402",
            'keep "x": no user has the user ID `User1`; `user1` differs only in case and would be released',
        ),
        (
            'keep "x" when user.userDirectory = "\u0410CME"', {}, "SW403",
            f'keep "x": no user has the user directory `\u0410CME`; `ACME` only looks the same{HAVE}',
        ),
        (
            'keep "x" when user.tags = "Licence do not release"', {"tags": _tags("License do not release")}, "SW401",
            f'keep "x": no user has the tag `Licence do not release`; `License do not release` is much like it{HAVE}',
        ),
        (
            'keep "x" when user.@dept = "IT"', {"customProperties": _property("Dept", "IT")}, "SW402",
            f'keep "x": no user has the custom property `dept`; `Dept` differs only in case{HAVE}',
        ),
        (
            'keep "x" when user.@Dept == ["it", "HR"]', {"customProperties": _property("Dept", "IT")}, "SW402",
            f'keep "x": no user has the custom property `Dept` set to `it`; `IT` differs only in case{HAVE}',
        ),
        (
            'keep "x" when user.attributes.group == "it"',
            {"attributes": [{"attributeType": "group", "attributeValue": "IT"}]}, "SW402",
            f'keep "x": no user has the attribute `group` set to `it`; `IT` differs only in case{HAVE}',
        ),
        (
            'keep "x" when not user.roles !== "admin"', {"roles": ["Admin"]}, "SW402",
            f'keep "x": no user has the role `admin`; `Admin` differs only in case{HAVE}',
        ),
    ],
)  # fmt: skip
def test_a_name_that_fails_to_protect(rule: str, facts: dict[str, Any], code: str, message: str) -> None:
    assert _found(rule, _site(user(1, **facts))) == [(code, message)]


def test_a_protection_within_a_release_rule() -> None:
    policy = 'release "z" when unused for 30 days and not user.tags == "vip"'
    (finding,) = plan_of(policy, _site(user(1, tags=_tags("VIP")), user(2, tags=_tags("VIP")))).findings
    assert (finding.code, finding.rule, finding.names) == ("SW402", "z", ("vip", "VIP"))
    assert "and 2 licenses of users who have it would be released" in finding.message


BLOCKED = _site(user(1), user(2, blacklisted=True))


@pytest.mark.parametrize(
    ("rule", "site"),
    [
        # Nothing would be released, or not because of the name.
        ('keep "x" when user == "Acme\\user1" or user.tags = "t"', _site(user(1, tags=_tags("t")))),
        ('keep "x" when user == ["Acme\\user1", "ACME\\user2"]', _site(user(1), user(2), used=NOW)),
        ('keep "x" when user == ["Acme\\user1", "ACME\\user2"] and user.blocked', BLOCKED),
        # Somebody has it, and the other is another one.
        ('keep "x" when user == "ACME\\User1"', _site(user(1), user(2, userId="User1"))),
        ('keep "x" when user.tags = "vip"', _site(user(1), user(2, tags=_tags("VIP")))),
        # Not protected by it if it were true.
        ('keep "x" when user.userDirectory = "ACME" and user.tags !== "t"', _site(user(1, tags=_tags("t")), user(2))),
        ('keep "x" when user.tags like "vip*" or user.name = "User 2"', _site(user(1, tags=_tags("xVIP")), user(2))),
    ],
)  # fmt: skip
def test_nothing_is_said(rule: str, site: dict[str, Any]) -> None:
    assert _found(rule, site) == []


def test_a_rule_that_is_over_protects_nobody_any_more() -> None:
    assert _found('keep "x" until 2026-11-20 when user == "acme\\user1"', _site(user(1))) == []
    assert [code for code, _ in _found('keep "x" until 2026-11-21 when user == "acme\\user1"', _site(user(1)))] == [
        "SW402"
    ]


def test_names_of_people_are_not_guessed() -> None:
    """`user12` is not `user1`, mistyped; but `user1` in other capitals is."""
    assert [code for code, _ in _found('keep "x" when user.userId = "user11"', _site(user(1)))] == ["SW404"]


def test_each_name_once_with_its_place() -> None:
    policy = check_text('let a = ["vip", "Vip", "x"]\nkeep "k" when user.tags == a' + RELEASE, "some/where.policy")
    snapshot = snapshot_of(_site(user(1, tags=_tags("VIP")), user(2, tags=_tags("VIP"))))
    found = make_plan(policy, snapshot, day_of(policy), "test").findings
    assert [(f.code, f.at, f.names[0], f.help) for f in found] == [
        ("SW402", "where.policy:1:10", "vip", "write `VIP`, or use `=`"),
        ("SW402", "where.policy:1:17", "Vip", "write `VIP`, or use `=`"),
    ]


def test_a_comment_allows_it() -> None:
    policy = 'keep "x" when user == "acme\\user1" # seatwarden: allow SW402 {}'
    site = _site(user(1))
    assert [code for code, _ in _found(policy.format("left the company"), site)] == []
    assert [code for code, _ in _found(policy.format(""), site)] == ["SW402"]
    allowing = checked(policy.format("gone") + RELEASE)
    ((finding, reason),) = make_plan(allowing, snapshot_of(site), day_of(allowing), "test").found.allowed
    assert (finding.code, reason) == ("SW402", "gone")


# Accounts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ({"userDirectory": "Internal"}, True),
        ({"userId": "SA_scheduler"}, True),
        ({"userId": "visa_card"}, False),
        ({"roles": ["ContentAdmin", "RootAdmin"]}, True),
        ({"roles": ["ContentAdmin"]}, False),
        ({"roles": None}, False),
        ({"userDirectory": "INTERNALS"}, False),
    ],
)
def test_accounts_that_run_qlik_sense(facts: dict[str, Any], found: bool) -> None:
    assert [code for code, _ in _found("", _site(user(1, **facts)))] == ["SW405"] * found
    assert _found("", _site(user(1, **facts), used=NOW)) == []


def test_a_few_of_them_are_named() -> None:
    several = [user(n, userId=f"sa_{n}") for n in range(1, 9)]
    policy = 'release "old" when unused for 90 days\nrelease "inactive" when unused for 1 day and user.inactive'
    site = _site(*several, user(9, userDirectory="INTERNAL", inactive=True))
    site["licenses"]["analyzer"][8]["lastUsed"] = "2026-11-01T12:00:00.000Z"
    one, other = (f for f in plan_of(policy, site).findings if f.code == "SW405")
    assert one.names == tuple(f"ACME\\sa_{n}" for n in range(1, 6))
    assert one.message.endswith("`ACME\\sa_4`, `ACME\\sa_5` and 3 more")
    assert (one.rule, one.at, other.rule, other.at) == ("old", "test.policy:1:1", "inactive", "test.policy:2:1")
    assert other.message == ('release "inactive" would release a service account or administrator: `INTERNAL\\user9`')


def test_pseudonyms_hide_who_it_is() -> None:
    policy, pseudonyms = checked('keep "x" when user == "internal\\sa_api"' + RELEASE), Pseudonyms(b"k" * 32)
    snapshot = snapshot_of(_site(user(1, userDirectory="INTERNAL", userId="sa_api")))
    found = make_plan(policy, snapshot, day_of(policy), "test", pseudonyms).findings
    assert [finding.code for finding in found] == ["SW402", "SW405"]
    said = " ".join([*finding_lines(found), *(name for finding in found for name in finding.names)])
    assert "INTERNAL\\sa_api" not in said
    assert found[1].message.endswith(" would release a service account or administrator: 1 behind pseudonyms")
    assert not any(is_pseudonym(word) for word in re.split(r"[^-\w]", said)), "it would say whose line it is"
    assert [finding.names for finding in found] == [("internal\\sa_api",), ()]


@pytest.mark.parametrize(("users", "shown"), [(4, False), (5, True)])
def test_what_few_have_is_not_said_behind_pseudonyms(users: int, shown: bool) -> None:
    policy, pseudonyms = checked('keep "x" when user.tags == "vip"' + RELEASE), Pseudonyms(b"k" * 32)
    snapshot = snapshot_of(_site(*(user(n, tags=_tags("VIP")) for n in range(1, users + 1))))
    (finding,) = make_plan(policy, snapshot, day_of(policy), "test", pseudonyms).findings
    assert (finding.code, "`VIP`" in finding.message, "VIP" in finding.names) == ("SW402", shown, shown)
    assert "VIP" in finding.names or "VIP" not in str(finding)


# Rules ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "codes"),
    [
        ('release "p" when user.userDirectory = "PARTNER"', ["SW322"]),
        ('release "p" when user.inactive or unused for 30 days', ["SW322"]),
        ("release when unused for 0 days", ["SW312"]),
        ('release "p" when user.userDirectory = "PARTNER" regardless of use', []),
        ("release when unused for 0 days regardless of use", []),
        ('keep "k" when user.inactive\nrelease "p" when user.inactive or unused for 30 days', ["SW404"]),
    ],
)
def test_a_release_without_disuse(policy: str, codes: list[str]) -> None:
    assert [finding.code for finding in plan_of(policy, _site(user(1), used=NOW)).findings] == codes


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ('keep "x" when user.tags = "nobody"', True),
        ('keep professional "x" when user.tags = "nobody"', False),  # no such license is here
        ('keep "x" when user.tags = "nobody" and month = 1', False),  # in January it may
        ('keep "x" until 2026-11-20 when user.tags = "nobody"', False),  # it is over
        ('keep "x" when user.userDirectory = "acme"', False),
        ('keep "x" when license.excess', True),
        ('keep "x" when license.available < 3', False),  # the snapshot does not say how many there are
    ],
)
def test_a_rule_that_protects_nobody(rule: str, found: bool) -> None:
    said = [("SW404", 'keep "x" protects nobody on this site')] if found else []
    assert _found(rule, _site(user(1))) == said


def test_a_rule_beaten_by_an_earlier_one_protects_all_the_same() -> None:
    site = _site(user(1, tags=_tags("t"), roles=["r"]))
    assert _found('keep "a" when user.tags = "t"\nkeep "b" when user.roles = "r"', site) == []


@pytest.mark.parametrize(
    ("taken", "days"),
    [
        ("2026-11-21T02:00:00.000Z", None), ("2026-11-20T00:00:00.000Z", None),
        ("2026-11-19T23:00:00.000Z", "2 days after"),
        ("2026-11-23T02:00:00.000Z", "2 days before"), ("2026-11-22T23:00:00.000Z", None), (None, None), ("soon", None),
    ],
)  # fmt: skip
def test_another_day_than_the_snapshots(taken: str | None, days: str | None) -> None:
    found = [message for code, message in _found("", _site(user(1), used=NOW) | {"takenAt": taken}) if code == "SW406"]
    assert found == [] if days is None else days in found[0]


# Of some people only -------------------------------------------------------------------------------------


def test_what_is_about_one_license() -> None:
    text = 'keep "x" when user == "acme\\user1"\nkeep "y" when user.tags = "t"' + RELEASE
    policy = checked(text)
    site = _site(user(1), user(2), user(3, userDirectory="INTERNAL"))
    plan = plan_of(text, site)
    by_user = {d.user: [f.code for f in plan.findings if is_about(f, d)] for d in plan.decisions}
    assert by_user == {"ACME\\user1": ["SW402"], "ACME\\user2": [], "INTERNAL\\user3": ["SW405"]}
    assert [finding.code for finding in plan.findings] == ["SW402", "SW404", "SW405"]
    for decision in plan.decisions:
        alone = find_in_plan(policy, snapshot_of(site), day_of(policy), [decision], whole=False).findings
        assert [finding.code for finding in alone] == by_user[decision.user]


def test_a_rule_without_disuse_is_about_those_it_releases() -> None:
    text = 'release "i" when user.inactive\nrelease "u" when unused for 30 days'
    plan = plan_of(text, _site(user(1, inactive=True), user(2)))
    assert [[f.code for f in plan.findings if is_about(f, d)] for d in plan.decisions] == [["SW322"], []]


def test_a_finding_of_another_rule_is_about_nobody_here() -> None:
    plan = plan_of('keep "k" when user.tags = "t"' + RELEASE, _site(user(1)))
    finding = Finding("SW402", "warning", "m", None, None, "other", ("x", "ACME\\user1"))
    assert not is_about(finding, plan.decisions[0])
    kept = plan_of("release when unused for 9000 days", _site(user(1))).decisions[0]
    assert not is_about(Finding("SW405", "warning", "m", None, None, None, ("ACME\\user1",)), kept)


def test_a_kind_names_nobody() -> None:
    named, fact = (
        Finding(code, "warning", "of ACME\\jdoe", None, at) for code, at in (("SW402", "p:1:2"), ("SW407", None))
    )
    assert named.kind == "a name that differs only in case (p:1:2)"
    assert fact.kind == "of ACME\\jdoe"
