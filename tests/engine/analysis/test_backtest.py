"""A backtest finds what deciding every license on every day finds."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatwarden.engine.analysis.backtest import PastRelease, past_releases
from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.decide.decide import decide_all
from seatwarden.engine.facts.day import make_day
from seatwarden.engine.facts.facts import subject_of
from seatwarden.engine.history.store import History
from seatwarden.engine.history.timeline import read_timeline
from seatwarden.engine.snapshot.reader import decode_snapshot
from seatwarden.policy.loading import CheckedPolicy, check_text
from tests.engine.history.sites import START, at, license_row, snapshot_of, user_row
from tests.engine.simulator.test_license_audit import rule_row

PEOPLE = ("ada", "bo", "cleo", "dan")
POLICIES = (
    "release when unused for 3 days",
    "release analyzer when unused for 5 days\nrelease professional when unused for 2 days",
    'keep "vip" when user.tags = "vip"\nrelease when license.unusedDays > 4',
    "keep when today >= 2026-01-09 and today < 2026-01-14\nrelease when unused for 2 days",
    'keep "all" until 2026-01-12 when user.inactive = false\nrelease when unused for 1 days',
    'keep when weekday = ["saturday", "sunday"]\nrelease when unused for 3 days',
    "keep when month = 1\nrelease when unused for 3 days",
    "release when never used and unused for 2 days",
    'keep when user.licenses = "professional" and license.type = "analyzer"\nrelease when unused for 2 days',
    "keep when user.lastUsed >= 2026-01-08\nrelease when unused for 3 days",
    "keep when user.createdDate >= today\nrelease when unused for 2 days",
    "keep when user.@Team is empty\nrelease when unused for 2 days",
    "let patience = 4\nrelease when license.unusedDays = patience or license.unusedDays >= 9",
    "release when license.lastUsed < 2026-01-06 or license.excess",
    "release when user unused for 3 days",
    "keep when user.unusedDays < 4 or user.createdDate > today - 5 days\nrelease when unused for 1 days",
    "keep when today from 01-05 to 01-09\nrelease when unused for 2 days",
    "release when license.createdDate + 4 days < today and not unused for 9 days",
    "keep when today <= license.lastUsed + 3 days or user.lastUsed + 1 days = today\nrelease when not user.blocked",
    "keep when license.unusedDays < user.unusedDays\nrelease when license.excess or license.unusedDays >= 3",
    'keep when license.unusedDays = month or user.tags = "vip"\nrelease when license.unusedDays != 2',
    "release when unused for 3 days and (user.inactive or unused for 6 days) or license.unusedDays > 9",
    'keep when weekday = "sunday"\nrelease when user unused for 3 days and not license.excess',
    (
        "keep when license.lastUsed > today - 3 days\n"
        "release when user.unusedDays > 4 or license.neverUsed and unused for 2 days"
    ),
    "release when user.lastUsed < today - 2 days or user.lastUsed is empty or license.lastUsed + 9 days < today",
    "keep when date(user.@Until) >= today - 2 days\nrelease when unused for 2 days",
    "release when license.unusedDays > number(user.@Days) or license.unusedDays > user.unusedDays",
    'timezone "Asia/Kathmandu"\nkeep when month = 1 and weekday = "monday"\nrelease when license.lastUsed < today',
    'timezone "Pacific/Auckland"\nrelease when unused for 3 days',
    "release when unused for 2 days and license.takenBackBy is empty",
    'keep when license.takenBackBy = "Team"\nrelease when unused for 3 days or license.takenBackBy = "Ada"',
)
_RULES = (
    rule_row(1, '((user.@Team="x"))', name="Team"),
    rule_row(2, '((user.userId="ada"))', name="Ada"),
    rule_row(3, '((user.userDirectory="CORP"))', "Professional", name="Corp"),
)
CHECKED = [check_text(text, "test.policy") for text in POLICIES]
_days = st.integers(-6, 14)


@st.composite
def histories(draw: st.DrawFn) -> list[bytes]:
    """Days of a small site on which anything may happen."""
    found, used = [], dict.fromkeys(PEOPLE, -4)
    for day in sorted(draw(st.lists(st.integers(0, 15), min_size=2, max_size=12, unique=True))):
        users, rows, others = [], [], []
        for name in draw(st.lists(st.sampled_from(PEOPLE), unique=True)):
            if draw(st.booleans()):
                used[name] = draw(st.integers(used[name], day))
            last = at(min(used[name] + 0.3, day)) if draw(st.integers(0, 9)) else draw(st.sampled_from(_ODD))
            facts: dict[str, Any] = {"createdDate": at(draw(st.sampled_from([-9, 2])))}
            facts |= {"quarantined": True} if draw(st.integers(0, 9)) == 0 else {}
            facts |= {"excess": True} if draw(st.integers(0, 9)) == 0 else {}
            facts |= draw(
                st.sampled_from([{}] * 20 + [{"user": None, "deletedUserId": name}, {"user": _of(f"{name}-2")}])
            )
            rows.append(license_row(name, last, id=f"l-{name}{draw(st.integers(0, 1))}", **facts))
            if draw(st.integers(0, 3)) == 0:
                others.append(license_row(name, at(used[name]), id=f"p-{name}"))
            if draw(st.integers(0, 6)):
                users.append(_user(draw, name, day))
        data = snapshot_of(day, users, rows).decode()
        site = json.loads(data)
        site["licenses"]["professional"] = others
        rules = draw(st.none() | st.lists(st.sampled_from(_RULES), max_size=2))
        site |= {"licenseRules": rules} if rules is not None else {}
        found.append(json.dumps(site).encode())
    return found


def _of(name: str) -> dict[str, Any]:
    return {"id": f"u-{name}", "userId": name, "userDirectory": "CORP"}


_ODD = ["1753-01-01T00:00:00.000Z", "someday", at(-2.5), at(5)]


def _user(draw: st.DrawFn, name: str, day: int) -> dict[str, Any]:
    facts: dict[str, Any] = {"modifiedDate": at(day), "inactive": draw(st.booleans())}
    facts["tags"] = [{"name": "vip"}] if draw(st.integers(0, 4)) == 0 else []
    if draw(st.integers(0, 4)) == 0:
        facts["customProperties"] = [{"value": "x", "definition": {"name": "Team"}}]
    elif draw(st.booleans()):
        of = {
            "Until": draw(st.sampled_from(["2026-01-09", "2026-01-13", "soon"])),
            "Days": str(draw(st.integers(2, 6))),
        }
        facts["customProperties"] = [{"value": value, "definition": {"name": name}} for name, value in of.items()]
    if draw(st.integers(0, 6)) == 0:
        facts["createdDate"] = at(draw(_days))
    return user_row(name, **facts)


def _fast(path: Path, policies: Sequence[CheckedPolicy]) -> list[list[PastRelease]]:
    with History(path) as history:
        timeline = read_timeline(history, {policy.timezone for policy in policies})
    return past_releases(timeline, policies)


class _ByBruteForce:
    """Every license on every day."""

    def __init__(self, policy: CheckedPolicy) -> None:
        self.policy = policy
        self.open: dict[tuple[str, str], PastRelease] = {}
        self.gone: dict[tuple[str, str], PastRelease] = {}
        self.ended: list[PastRelease] = []
        self.first = True
        self.last = 0

    def take(self, data: bytes) -> None:
        site = decode_snapshot(data, "it")
        instant = parse_timestamp(site.taken_at or "")
        assert instant is not None
        day = make_day(instant, self.policy.timezone)
        today = self.last = day.today.toordinal()
        rows = {(kind, row.id): row for kind, listed in site.licenses.items() for row in listed}
        for key in [key for key in self.open if key not in rows]:
            release = self.open.pop(key)
            release.until = today
            if earlier := self.gone.pop((key[0], release.person), None):
                self.ended.append(earlier)
            self.gone[key[0], release.person] = release
        for decision in decide_all(self.policy, site, day):
            key = decision.key
            row = rows[key]
            used = subject_of(site, key[0], row, day).last_used
            used_day = used.toordinal() if isinstance(used, date) else None
            holder = row.user.id if row.user else None
            if key in self.open and self.open[key].is_back(used_day):
                release = self.open.pop(key)
                assert used_day is not None
                release.back, release.until = used_day, min(today, max(used_day + 1, release.day))
                self.ended.append(release)
            before = self.gone.get((key[0], holder or ""))
            if before is not None and before.is_back(used_day):
                before.back = used_day
                self.ended.append(self.gone.pop((key[0], before.person)))
            if decision.verdict == "release" and key not in self.open:
                self.open[key] = PastRelease(holder or row.id, key[0], "", today, self.first, used_day)
        self.first = False

    def releases(self) -> list[PastRelease]:
        for release in self.open.values():
            release.until = self.last + 1
        return [*self.ended, *self.gone.values(), *self.open.values()]


def _sorted(releases: Sequence[PastRelease]) -> list[tuple[object, ...]]:
    return sorted((r.person, r.license_type, r.day, r.until, r.back or 0, r.used or 0, r.backlog) for r in releases)


def _kept(tmp_path: Any, data: Sequence[bytes]) -> Path:
    path: Path = tmp_path.mktemp("backtest") / "history.sqlite"
    with History(path, write=True) as history:
        for one in data:
            history.add(one, "it")
    return path


@settings(max_examples=12)
@given(histories())
def test_the_same_as_deciding_every_license_on_every_day(tmp_path_factory: Any, data: list[bytes]) -> None:
    path = _kept(tmp_path_factory, data)
    policies = CHECKED
    zones = {policy.timezone for policy in policies}
    for zone in zones:
        alike = [policy for policy in policies if policy.timezone == zone]
        for policy, fast in zip(alike, _fast(path, alike), strict=True):
            slow = _ByBruteForce(policy)
            for one in data:
                slow.take(one)
            assert _sorted(fast) == _sorted(slow.releases()), policy.source


@settings(max_examples=6)
@given(histories(), st.data())
def test_a_history_that_was_pruned_is_that_of_the_snapshots_that_are_left(
    tmp_path_factory: Any, data: list[bytes], drawn: st.DataObject
) -> None:
    path = _kept(tmp_path_factory, data)
    left = data[drawn.draw(st.integers(1, len(data) - 1)) :]
    limit = parse_timestamp(decode_snapshot(left[0], "it").taken_at or "")
    assert limit is not None
    with History(path, write=True) as history:
        assert history.prune(limit) == len(data) - len(left)
    policies = [policy for policy in CHECKED if policy.timezone == CHECKED[0].timezone]
    anew = _kept(tmp_path_factory, left)
    for policy, fast, expected in zip(policies, _fast(path, policies), _fast(anew, policies), strict=True):
        assert _sorted(fast) == _sorted(expected), policy.source


@settings(max_examples=4)
@given(histories())
def test_each_policy_alone_finds_the_same_as_together(tmp_path_factory: Any, data: list[bytes]) -> None:
    path = _kept(tmp_path_factory, data)
    policies = CHECKED[:-1]
    together = _fast(path, policies)
    for policy, found in zip(policies, together, strict=True):
        (alone,) = _fast(path, [policy])
        assert _sorted(alone) == _sorted(found)


def test_who_is_released_without_disuse_is_seen_to_come_back(tmp_path_factory: pytest.TempPathFactory) -> None:
    used = [0, 0, 2, 2]
    data = [
        snapshot_of(day, [user_row("ada")], [license_row("ada", at(use + 0.3), excess=True)])
        for day, use in enumerate(used, 1)
    ]
    policy = check_text("release when license.excess or unused for 9 days", "a.policy")
    (found,) = _fast(_kept(tmp_path_factory, data), [policy])
    first = START.date().toordinal()
    assert [(one.day - first, one.back and one.back - first) for one in found] == [(1, 2), (3, None)]


def test_seat_days_are_the_days_on_which_licenses_lie_unused(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Of a plain policy, where who comes back has the license again at once."""
    uses = {"ada": [0, 1, 9, 10, 18], "bo": [3], "cleo": [2, 12], "dan": [-20]}
    data, expected = [], 0
    for day in range(25):
        last = {name: max([u for u in found if u < day], default=-20) for name, found in uses.items()}
        rows = [license_row(name, at(used + 0.3)) for name, used in last.items()]
        data.append(snapshot_of(day, [user_row(name) for name in uses], rows))
        expected += sum(day - used >= 4 for used in last.values())
    (found,) = _fast(_kept(tmp_path_factory, data), [check_text("release when unused for 4 days", "a.policy")])
    assert sum(release.seat_days for release in found) == expected
    assert [r.backlog for r in found if r.day == START.date().toordinal()] == [True] * 4


def test_a_seat_is_free_until_the_return_and_not_until_a_snapshot_shows_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    data = [
        snapshot_of(day, [user_row("ada")], [license_row("ada", at(used + 0.3))])
        for day, used in [(0, -20), (7, -20), (30, 9)]
    ]
    (found,) = _fast(_kept(tmp_path_factory, data), [check_text("release when unused for 25 days", "a.policy")])
    (release,) = found
    assert (release.seat_days, (release.back or 0) - release.day) == (3, 2), "released on day 7, used on day 9"
