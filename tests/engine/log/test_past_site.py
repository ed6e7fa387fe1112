"""Another policy on a past run: the same decisions as on the snapshot of that day, or the facts that are missing."""

import secrets
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import assume, given

from seatwarden.engine.decide.decide import decide_all
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.facts.day import day_for
from seatwarden.engine.log.kept import keep
from seatwarden.engine.log.past_site import PastSite, past_site
from seatwarden.engine.log.run_folder import SNAPSHOT_FILE
from seatwarden.engine.log.writer import Recording, write_plan
from seatwarden.engine.plan.decide_site import decide_site
from seatwarden.engine.plan.plan import Plan, make_plan
from seatwarden.engine.snapshot.packed import compress
from seatwarden.engine.snapshot.reader import decode_snapshot
from seatwarden.grammar.ast import Policy
from seatwarden.grammar.printer import print_policy
from seatwarden.policy.errors import InputError
from seatwarden.policy.loading import CheckedPolicy
from tests.engine.support import checked, day_of, license_row, plan_of, site_of, user
from tests.strategies import NEVER, as_json, policies, sites

USED = "2026-09-01T08:00:00.000Z"
SITE = site_of(
    [user(1, tags=[{"name": "vip"}]), user(2), user(3, userDirectory="ADMIN")],
    [license_row(1, USED), license_row(2, NEVER, createdDate="2026-11-01T00:00:00.000Z"), license_row(3, USED)],
    [license_row(9, USED, user={"id": "u1", "userId": "user1", "userDirectory": "ACME"})],
)
THEN = 'keep "vip" when user.tags = "vip"\nrelease when unused for 30 days'
LATER = 'keep "admins" when user.userDirectory = "ADMIN" or license.neverUsed\nrelease when unused for 60 days'


def _recorded(plan: Plan, folder: Path, *, kept: bytes | None = None) -> PastSite:
    snapshot = plan.snapshot
    snapshot.data = kept
    recording = Recording(secrets.token_bytes(32), snapshot=keep(snapshot) if kept is not None else None)
    write_plan(plan, folder, "", recording)
    return past_site(folder)


def _said(decisions: Iterable[Decision]) -> Counter[tuple[object, ...]]:
    return Counter((*d.key, d.user, d.verdict, d.because, d.rule_name, d.reason) for d in decisions)


def _other(policy: Policy | str) -> CheckedPolicy:
    return checked(print_policy(policy) if isinstance(policy, Policy) else policy)


@given(policies(), policies(), sites())
def test_it_decides_as_the_snapshot_or_says_what_is_missing(then: Policy, later: Policy, site: dict[str, Any]) -> None:
    policy = _other(later)
    plan = plan_of(print_policy(then), site)
    assume(plan.day.zone.key == policy.timezone)
    with TemporaryDirectory() as folder:
        past = _recorded(plan, Path(folder) / "run")
    if past.missing(policy):
        with pytest.raises(InputError, match="did not record"):
            list(past.decide_all(policy, past.day_for(policy, None, None)))
        return
    again = past.decide_all(policy, past.day_for(policy, None, None))
    assert _said(again) == _said(decide_all(policy, plan.snapshot, plan.day))


@given(policies(), sites())
def test_what_its_own_policy_read_is_enough_for_it(policy: Policy, site: dict[str, Any]) -> None:
    plan = plan_of(print_policy(policy), site)
    with TemporaryDirectory() as folder:
        past = _recorded(plan, Path(folder) / "run")
    assert past.missing(plan.policy) == []
    assert _said(past.decide_all(plan.policy, plan.day)) == _said(plan.decisions)


@given(policies(), policies(), sites())
def test_a_kept_snapshot_is_enough_for_every_policy(then: Policy, later: Policy, site: dict[str, Any]) -> None:
    plan, policy = plan_of(print_policy(then), site), _other(later)
    with TemporaryDirectory() as folder:
        past = _recorded(plan, Path(folder) / "run", kept=as_json(site))
    day = past.day_for(policy, None, None)
    assert past.snapshot.digest == plan.snapshot.digest
    assert day == day_for(policy, plan.day.now, None)
    assert _said(past.decide_all(policy, day)) == _said(decide_site(policy, plan.snapshot, day))


def test_what_stands_in_every_line_needs_no_rule_that_read_it(tmp_path: Path) -> None:
    plan, later = plan_of("", SITE), _other(LATER)
    past = _recorded(plan, tmp_path / "run")
    decisions = list(past.decide_all(later, plan.day))
    assert _said(decisions) == _said(decide_all(later, plan.snapshot, plan.day))
    assert {d.user: d.verdict for d in decisions if d.license_type == "analyzer"} == {
        "ACME\\user1": "release",
        "ACME\\user2": "keep",
        "ADMIN\\user3": "keep",
    }


def test_a_missing_fact_is_named(tmp_path: Path) -> None:
    past = _recorded(plan_of(THEN, SITE), tmp_path / "run")
    policy = _other('keep when user.roles = "x"\nrelease analyzer when user.inactive\nkeep when user.@A is empty')
    with pytest.raises(InputError) as error:
        list(past.decide_all(policy, past.day_for(policy, None, None)))
    assert error.value.message == (
        "the run did not record which custom properties anybody has, `user.@A`, `user.inactive` of analyzer licenses "
        "and `user.roles`: its policy did not read them"
    )
    assert "--keep-snapshot" in (error.value.help or "")


def test_recorded_facts_are_those_of_their_moment(tmp_path: Path) -> None:
    plan = plan_of(THEN, SITE)
    past, whole = _recorded(plan, tmp_path / "run"), _recorded(plan, tmp_path / "whole", kept=as_json(SITE))
    there = _other(f'timezone "Asia/Tokyo"\n{THEN}')
    for asked, policy in ((plan.day.later_by(1).now, plan.policy), (None, there)):
        assert whole.day_for(policy, asked, None) == day_for(policy, asked or plan.day.now, None)
        with pytest.raises(InputError, match=r"moment|counted days in UTC"):
            past.day_for(policy, asked, None)
    assert past.day_for(there, plan.day.now, "UTC") == plan.day


def test_pseudonyms_hide_names_from_another_policy_too(tmp_path: Path) -> None:
    policy = checked('keep when user.userId = "user1"\nrelease when unused for 30 days')
    plan = make_plan(policy, plan_of("", SITE).snapshot, day_of(policy), "test", Pseudonyms(b"k" * 32))
    past = _recorded(plan, tmp_path / "run")
    assert past.missing(policy) == ["`license.unusedDays`", "`user.userId`"], "of few licenses nothing is said"
    with pytest.raises(InputError, match="people have pseudonyms in it"):
        list(past.decide_all(policy, plan.day))


def test_coarse_facts_are_enough_for_a_policy_that_tells_the_same_apart(tmp_path: Path) -> None:
    policy = checked('keep when user.userId = "user1"\nrelease when unused for 30 days')
    plan = make_plan(policy, plan_of("", SITE).snapshot, day_of(policy), "test", Pseudonyms(b"k" * 32, k=1))
    past = _recorded(plan, tmp_path / "run")
    again = list(past.decide_all(policy, plan.day))
    assert _said(again) == _said(plan.decisions)
    assert {one.reason for one in again} == {one.reason for one in plan.decisions}
    fewer = checked("release when unused for 30 days")
    assert past.missing(fewer) == []
    assert past.missing(checked("release when unused for 31 days")) == ["`license.unusedDays`"]
    assert past.missing(checked('keep when user.userId = "user2"')) == ["`user.userId`"]


# Kept ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
def test_it_is_kept_byte_for_byte(tmp_path: Path, packed: bool) -> None:
    data = compress(as_json(SITE)) if packed else as_json(SITE)
    plan = replace(plan_of(THEN, SITE), snapshot=decode_snapshot(data, "test"))
    past = _recorded(plan, tmp_path / "run", kept=data)
    assert (past.is_whole, past.remarks, past.snapshot.data) == (True, [], data)
    assert past.snapshot.digest == plan.snapshot.digest == past.opened.log.header.snapshot.sha256


def test_a_kept_snapshot_that_was_touched_is_not_read(tmp_path: Path) -> None:
    _recorded(plan_of(THEN, SITE), tmp_path / "run", kept=as_json(SITE))
    file = tmp_path / "run" / SNAPSHOT_FILE
    file.write_bytes(compress(as_json(site_of([]))))
    with pytest.raises(InputError, match="was changed"):
        past_site(tmp_path / "run")
    file.unlink()
    with pytest.raises(InputError, match="is missing: the plan lists it"):
        past_site(tmp_path / "run")


@pytest.mark.parametrize("field", ["key", "serial", "control", "check"])
def test_no_license_key_is_kept(field: str) -> None:
    snapshot = plan_of(THEN, SITE).snapshot
    snapshot.data = compress(as_json({**SITE, "license": {field: "eyJ", "name": "us"}}))
    with pytest.raises(InputError, match=f"it has `license.{field}`"):
        keep(snapshot)
