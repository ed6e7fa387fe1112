"""Each license of the page is told word for word as `explain` tells it alone, however few explanations are made."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from seatwarden.engine.decide.decision import listing_order
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.decide.reference import Trace
from seatwarden.engine.explain.explanation import Explainer, found, part_text, tree_parts
from seatwarden.engine.facts.standing import HoldInForce
from seatwarden.engine.log.reader import RecordedPlan, read_plan
from seatwarden.engine.log.states import states_in
from seatwarden.engine.plan.listing import brief
from seatwarden.engine.report.model import report_of
from seatwarden.engine.report.sources import read_sources
from seatwarden.engine.report.visible import shown
from seatwarden.grammar.ast import Policy
from seatwarden.grammar.printer import print_policy
from tests.engine.report.runs import LATELY, LONG_AGO, hostile_site, report_for, some_site, write_run
from tests.engine.report.told import ToldLicense, told_licenses
from tests.engine.support import license_row, site_of, user
from tests.paths import DATA
from tests.profiles import examples
from tests.strategies import DIRECTORIES, NEVER, USER_IDS, policies, sites

_KEY = b"a key that is long enough"
_STRANGERS = ("stranger", "p-00000000000000000000", 'x" or "y', "Ali\u202egpj", "\u200dz", "vip")
"""Ids that few policies name, and some that are hard to quote."""


def _explained(trace: Trace) -> list[Any]:
    return [trace.truth, shown(part_text(trace)), [_explained(part) for part in tree_parts(trace)]]


def _alone(plan: RecordedPlan) -> list[ToldLicense]:
    """Every license of a plan, explained by itself."""
    explainer, told = Explainer(plan.policy, plan.day), []
    states = dict(zip((d.key for d in plan.decisions), states_in(plan, None), strict=True))
    for decision in sorted(plan.decisions, key=listing_order):
        story = explainer.explain(decision, state=states[decision.key])
        rule = decision.ruling.rule
        tree = [
            [o.truth, shown(found(o)), [] if o.expired else [_explained(part) for part in tree_parts(o.trace)]]
            for o in story.decision.outcomes
        ]
        told.append(
            ToldLicense(
                decision.license_type,
                shown(decision.license_id),
                shown(decision.user),
                shown(decision.user_name or ""),
                shown(brief(decision.reason, rule.title if rule else None, rule.name if rule else None)),
                shown(decision.reason),
                shown(story.headline),
                tuple(map(shown, story.advice)),
                tree,
            )
        )
    return told


def _crowd(site: dict[str, Any], ids: Sequence[str], directories: Sequence[str]) -> dict[str, Any]:
    """The site with each of its users once more under other ids, names and directories, and all licenses for each."""
    crowd = deepcopy(site)
    for one in site["users"]:
        for number, user_id in enumerate(ids):
            twin = {**one, "id": f"{one['id']}-{number}", "userId": user_id}
            twin["userDirectory"] = directories[number % len(directories)]
            twin["name"] = (f"{user_id} the {number}th", user_id)[number % 2]
            crowd["users"].append(twin)
            for rows in crowd["licenses"].values():
                held = [row for row in rows if isinstance(row.get("user"), dict) and row["user"].get("id") == one["id"]]
                rows += [{**row, "id": f"{row['id']}-{number}", "user": {"id": twin["id"]}} for row in held]
    return crowd


_ids = st.lists(st.sampled_from((*USER_IDS, *_STRANGERS)), min_size=2, max_size=8)
_directories = st.lists(st.sampled_from((*DIRECTORIES, "CORP")), min_size=1, max_size=3)


@examples(13)
@given(policies(), sites(), _ids, _directories, st.booleans())
def test_everybody_is_told_as_if_alone(
    policy: Policy, site: dict[str, Any], ids: list[str], directories: list[str], pseudonyms: bool
) -> None:
    crowd = _crowd(site, ids, directories)
    with TemporaryDirectory() as folder:
        keyed = Pseudonyms(_KEY, k=2) if pseudonyms else None
        run = write_run(Path(folder) / "run", crowd, print_policy(policy), pseudonyms=keyed)
        assert list(told_licenses(report_for(run).table)) == _alone(read_plan(run))


_ABOUT_PEOPLE = (
    'user = ["ACME\\ann", "CORP\\stranger", "ADMIN\\bob"]',
    'user != "CORP\\vip"',
    'user like "ACME\\*"',
    "user.userId = vips",
    'user.userId like "*an*"',
    "user.name = vips",
    'user.name = ["stranger", "nobody"]',
    "user.name is empty",
    "user.name = user.userId",
    "user.name like vips",
    "user.tags = vips",
    'user.tags = ["vip", "keep me"]',
    'user.userDirectory = ["ADMIN", "ACME"]',
    'user.userDirectory like "AC*"',
    'user.@Department = "Finance"',
    "user.@Department is empty",
    'user.licenses = "professional"',
    "unused for 30 days",
    "license.unusedDays >= 10",
    "license.neverUsed",
    "license.lastUsed is empty",
    "license.lastUsed = user.lastUsed",
    "user.lastUsed < 2026-11-22",
    "user.createdDate < license.lastUsed",
    "license.createdDate < 2026-11-01",
    "month = [11, 12]",
    'weekday = "friday"',
)
"""Tests that meet in people: a change of the one is one of the other."""


_holds = st.builds(
    HoldInForce,
    until=st.sampled_from(["2026-11-20", "2026-11-21", "2026-12-24"]),
    reason=st.sampled_from(["on leave", "for stranger"]),
    by=st.just("ACME\\admin"),
    since=st.just("2026-11-01"),
)


@examples(8)
@given(policies(), sites(), _ids, st.data())
def test_the_held_are_told_as_if_alone(
    policy: Policy, site: dict[str, Any], ids: list[str], data: st.DataObject
) -> None:
    crowd = _crowd(site, ids, ["CORP"])
    licenses = sorted({str(row["id"]) for rows in crowd["licenses"].values() for row in rows})
    held = data.draw(st.dictionaries(st.sampled_from(licenses), _holds, min_size=1)) if licenses else {}
    with TemporaryDirectory() as folder:
        run = write_run(Path(folder) / "run", crowd, print_policy(policy), held=held)
        assert list(told_licenses(report_for(run).table)) == _alone(read_plan(run))


@st.composite
def _policies_about_people(draw: st.DrawFn) -> str:
    """A policy of a few such tests, with `vips` as a list that several may name."""
    test = st.sampled_from(_ABOUT_PEOPLE) | st.sampled_from(_ABOUT_PEOPLE).map(lambda one: f"not ({one})")
    joined = st.sampled_from((" or ", " and ")).flatmap(lambda by: st.lists(test, min_size=1, max_size=3).map(by.join))
    until = st.sampled_from(("", "", " until 2026-11-20", " until 2026-12-24"))
    keeps = draw(st.lists(st.tuples(until, joined), max_size=3))
    releases = draw(st.lists(st.just("unused for 30 days") | joined, min_size=1, max_size=2))
    lines = [
        'let vips = ["vip", "ann", "Ann", "x*"]',
        *(f'keep "rule {n}"{end} when {condition}' for n, (end, condition) in enumerate(keeps)),
        *(f"release when {condition}" for condition in releases),
    ]
    return "\n".join(lines)


@examples(13)
@given(_policies_about_people(), sites(nasty=False), _ids, _directories)
def test_rules_about_people_are_told_as_if_alone(
    policy: str, site: dict[str, Any], ids: list[str], directories: list[str]
) -> None:
    with TemporaryDirectory() as folder:
        run = write_run(Path(folder) / "run", _crowd(site, ids, directories), policy)
        assert list(told_licenses(report_for(run).table)) == _alone(read_plan(run))


def test_a_held_id_like_a_pseudonym_has_words_of_its_own(tmp_path: Path) -> None:
    people = [user(1, userId="ann"), user(2, userId="p-" + "0" * 20)]
    site = site_of(people, [license_row(1, LONG_AGO), license_row(2, LONG_AGO)])
    hold = HoldInForce(until="2026-11-20", reason="on leave", by="ACME\\admin", since="2026-11-01")
    policy = (
        'keep "winter" until 2026-11-21 when not user.inactive\nkeep when not user.inactive\n'
        'release when unused for 30 days or user.attributes.group = "vip"'
    )
    run = write_run(tmp_path / "run", site, policy, held={"l1": hold, "l2": hold})
    assert list(told_licenses(report_for(run).table)) == _alone(read_plan(run))


def test_strangers_share_their_words(tmp_path: Path) -> None:
    policy = (
        'keep "admins" when user = "ACME\\user3" or user.name = "User 4"\n'
        'keep "service" when user.userId like "svc*"\nrelease when unused for 30 days'
    )
    run = write_run(tmp_path / "run", some_site([LONG_AGO] * 40), policy)
    table = report_for(run).table
    assert list(told_licenses(table)) == _alone(read_plan(run))
    assert len(table["stories"]) == 2, "released, or kept by the first rule"
    slots = [text[1::2] for text in table["texts"] if isinstance(text, tuple)]
    assert {column for columns in slots for column in columns} == {"user", "name", "reason", "state"}
    assert len(table["texts"]) < 40


_TAGGED = {"tags": [{"name": "user2"}]}
_ODD: Mapping[str, tuple[str, dict[int, dict[str, Any]], dict[int, dict[str, Any]]]] = {
    "named": ('keep when user = "ACME\\user2"', {}, {}),
    "named in another directory": (
        'keep when user.userDirectory = "ADMIN" and user = "ADMIN\\user2"',
        {},
        {},
    ),
    "called as the id": (
        'let vips = ["x"]\nkeep when user.userId = vips and user.name = vips',
        {2: {"name": "USER2"}},
        {},
    ),
    "an id that is a pattern": (
        'let vips = ["x"]\nkeep when user.userId = vips and user.name like vips',
        {2: {"userId": "u*", "name": "uncle"}},
        {},
    ),
    "tagged with the own id": (
        'let vips = ["x"]\nkeep when user.userId = vips and user.tags = vips',
        {2: _TAGGED, 3: _TAGGED},
        {},
    ),
    "would be tagged with the own id": (
        'keep "own" when user.userId = user.tags\nkeep "other" when user.tags = "user2"',
        {},
        {},
    ),
    "an id like a pseudonym": ('keep when user.userId = "x"', {2: {"userId": "p-" + "0" * 20}}, {}),
    "created today": (
        'keep "new" when license.lastUsed = user.createdDate',
        {2: {"createdDate": "2026-11-21T01:00:00.000Z"}},
        {},
    ),
    "another license used tomorrow": (
        'keep analyzer "now" when user.lastUsed = 2026-11-21',
        {},
        {7: {"lastUsed": "2026-11-22T08:00:00.000Z"}},
    ),
    "other days, not due": ("", {}, {n: {"lastUsed": f"2026-11-0{n}T08:00:00.000Z"} for n in (2, 3, 4)}),
    "other days, kept": (
        'keep when user.userDirectory = "ACME"',
        {},
        {2: {"lastUsed": "2026-11-10T08:00:00.000Z"}, 3: {"lastUsed": LATELY}},
    ),
    "never used": ("", {}, {2: {"lastUsed": NEVER}, 3: {"lastUsed": NEVER, "createdDate": "2026-06-01T08:00:00.000Z"}}),
    "another unreadable fact": (
        "",
        {},
        {2: {"lastUsed": "some day"}, 3: {"lastUsed": NEVER, "createdDate": "some day"}},
    ),
}
"""Where one of six is different: a policy, and what is so about some users and licenses, by number. The seventh license
is a professional one of user 2."""


@pytest.mark.parametrize("which", _ODD)
def test_who_is_different_is_told_so(tmp_path: Path, which: str) -> None:
    policy, users, licenses = _ODD[which]
    people = [user(n, **users.get(n, {})) for n in range(1, 7)]
    rows = [license_row(n, **{"last_used": LONG_AGO} | _row(licenses.get(n, {}))) for n in range(1, 7)]
    other = license_row(2, **{"last_used": LONG_AGO, "id": "l7"} | _row(licenses.get(7, {})))
    site = site_of(people, rows, [other])
    run = write_run(tmp_path / "run", site, f"{policy}\nrelease when unused for 30 days")
    assert list(told_licenses(report_for(run).table)) == _alone(read_plan(run))


def _row(facts: dict[str, Any]) -> dict[str, Any]:
    return {"last_used" if name == "lastUsed" else name: value for name, value in facts.items()}


def test_a_record_with_other_names_than_its_facts(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", some_site([LONG_AGO] * 3), 'keep when user.userId = "x"\nrelease when never used')
    sources = read_sources(run)
    decisions = tuple(structs.replace(one, user_id=f"{one.user_id} too") for one in sources.plan.decisions)
    plan = replace(sources.plan, decisions=decisions)
    assert list(told_licenses(report_of(replace(sources, plan=plan)).table)) == _alone(plan)


@pytest.mark.parametrize("former", ["former-plan-of-before", "former-plan", "former-pseudonyms", "pseudonyms"])
def test_records_of_before_are_told_alike(tmp_path: Path, former: str) -> None:
    (tmp_path / "plan.jsonl").write_bytes((DATA / "log" / f"{former}.jsonl").read_bytes())
    assert list(told_licenses(report_for(tmp_path).table)) == _alone(read_plan(tmp_path))


def test_hostile_names_are_told_alike(tmp_path: Path) -> None:
    policy = 'keep "vips" when user.name = "vip" or user = "ACME\\vip"\nrelease when unused for 30 days'
    run = write_run(tmp_path / "run", hostile_site(), policy)
    assert list(told_licenses(report_for(run).table)) == _alone(read_plan(run))


def test_what_is_withheld_says_so(tmp_path: Path) -> None:
    policy = 'keep "by hand" when user.userId = "user1" or user.name = "User 1"\nrelease when unused for 30 days'
    site = some_site([LONG_AGO] * 12 + [LATELY] * 3)
    run = write_run(tmp_path / "run", site, policy, pseudonyms=Pseudonyms(_KEY))
    assert list(told_licenses(report_for(run).table)) == _alone(read_plan(run))
