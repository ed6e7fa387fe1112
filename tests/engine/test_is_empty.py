"""`is empty`, from the snapshot to the second look before a release: no value, and what is not known."""

import json
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.explain.explanation import explain
from seatwarden.engine.log.reader import read_plan
from seatwarden.engine.log.replay import replay
from seatwarden.engine.log.writer import plan_lines, write_plan
from seatwarden.engine.plan.plan import make_plan
from seatwarden.policy.json_form.writer import print_json_form
from seatwarden.policy.loading import check_text, parse_surface
from tests.engine.apply.applying import LONG_AGO, MemoryQrs, idle, prepare
from tests.engine.log.forging import relinked
from tests.engine.support import RECORDING, checked, day_of, decide, license_row, plan_of, site_of, snapshot_of, user

NO_DEPARTMENT = "release analyzer when user.@Department is empty\nlimit release to 100% of analyzer per run\n"
NO_MAIL = "release analyzer when user.attributes.email is empty"


def _property(value: str, name: str = "Department") -> dict[str, Any]:
    return {"value": value, "definition": {"name": name}}


def _site(*values: list[dict[str, Any]] | None, **of_the_last: Any) -> dict[str, Any]:
    """Users with these custom properties, each with an analyzer license; None: absent."""
    users = [user(n, customProperties=value) for n, value in enumerate(values, 1)]
    users[-1].update(of_the_last)
    for row in users:
        if row["customProperties"] is None:
            del row["customProperties"]
    return site_of(users, [license_row(n, LONG_AGO) for n in range(1, len(users) + 1)])


def _verdicts(policy: str, site: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(decision.verdict, decision.guard) for decision in decide(policy, site)]


RELEASED, KEPT, UNKNOWN = ("release", None), ("keep", None), ("keep", "undetermined")


def test_no_value_or_only_blank_ones() -> None:
    site = _site([_property("Finance")], [], [_property("x", "Other")], [_property(" "), _property("")],
                 [_property(" "), _property("x")], None)  # fmt: skip
    assert _verdicts(NO_DEPARTMENT, site) == [KEPT, RELEASED, RELEASED, RELEASED, KEPT, UNKNOWN]
    opposite = NO_DEPARTMENT.replace("is empty", "is not empty")
    assert _verdicts(opposite, site) == [RELEASED, KEPT, KEPT, KEPT, RELEASED, UNKNOWN]


@pytest.mark.parametrize("asked", ["is empty", "is not empty"])
@pytest.mark.parametrize("name", ["Departmnet", "department"])
def test_a_name_that_nobody_has_releases_nobody(name: str, asked: str) -> None:
    site = _site([_property("Finance")], [])
    decisions = decide(f"release analyzer when user.@{name} {asked}", site)
    assert [(d.verdict, d.guard) for d in decisions] == [UNKNOWN, UNKNOWN]
    assert decisions[0].reason == (
        f"undetermined: nobody at this site has the custom property `{name}`, needed by release analyzer"
    )


def test_a_keep_rule_on_a_name_that_nobody_has_keeps() -> None:
    site = _site([_property("Finance")], [])
    assert _verdicts('keep "x" when user.@Typo is empty\nrelease when unused for 1 day', site) == [UNKNOWN, UNKNOWN]


def test_attributes_tags_and_roles() -> None:
    mail = [{"attributeType": "email", "attributeValue": "a@example.com"}]
    site = _site([], [], attributes=mail, tags=[{"id": "t", "name": "vip"}], roles=["RootAdmin"])
    for field in ("user.attributes.email", "user.tags", "user.roles"):
        assert _verdicts(f"release analyzer when {field} is empty", site) == [RELEASED, KEPT], field
    site["users"][0]["tags"] = [{"id": "b", "name": "  "}]
    assert _verdicts("release analyzer when user.tags is empty", site) == [RELEASED, KEPT]
    # Of tags and roles there is no name that could be mistyped.
    site["users"][1].update(tags=[], roles=[], attributes=[])
    assert _verdicts("release when user.tags is empty and user.roles is empty", site) == [RELEASED, RELEASED]
    decision = decide(NO_MAIL, site)[0]
    assert "nobody at this site has the attribute `email`" in decision.reason


def test_days_that_may_be_missing() -> None:
    site = site_of([user(1), user(2)], [license_row(1, LONG_AGO), license_row(2, None)])
    for field in ("license.lastUsed", "user.lastUsed"):
        assert _verdicts(f"release when {field} is empty", site) == [KEPT, RELEASED], field


# The record ----------------------------------------------------------------------------------------------


def test_the_names_in_use_stand_in_the_header_and_nowhere_else(tmp_path: Path) -> None:
    site = _site([_property("Finance"), _property("x", "Other")], [])
    header, *lines = [json.loads(line) for line in plan_lines(plan_of(NO_DEPARTMENT, site), RECORDING)]
    assert header["siteFacts"] == {"properties": ["Department", "Other"]}
    facts = [list(line["person"]["facts"]) for line in lines if line["kind"] == "decision"]
    assert facts == [["user.@Department"]] * 2
    # A policy that does not ask has no such facts.
    header, *_ = [json.loads(line) for line in plan_lines(plan_of("release when unused for 1 day", site), RECORDING)]
    assert header["siteFacts"] is None


@pytest.mark.parametrize("policy", [NO_DEPARTMENT, 'keep "x" when user.@Nobody is empty\nrelease when never used'])
@pytest.mark.parametrize("key", [None, b"k" * 32])
def test_it_is_decided_again_from_the_record(tmp_path: Path, policy: str, key: bytes | None) -> None:
    site = _site([_property("Finance")], [], None)
    loaded = checked(policy)
    plan = make_plan(loaded, snapshot_of(site), day_of(loaded), "test", Pseudonyms(key, k=1) if key else None)
    write_plan(plan, tmp_path / "run", "", RECORDING)
    assert replay(tmp_path / "run") == (3, [], [])
    read = read_plan(tmp_path / "run").decisions
    recorded = {d.key: d for d in read}
    assert {key: d.verdict for key, d in recorded.items()} == {d.key: d.verdict for d in plan.decisions}
    made = plan.decisions[1]
    assert _explained(recorded[made.key], policy) == _explained(made, policy)


def test_without_the_site_s_facts_on_record_it_is_unknown(tmp_path: Path) -> None:
    """A log of which somebody has taken the names out, and sealed it anew, releases nobody."""
    plan = plan_of(NO_DEPARTMENT, _site([_property("Finance")], []))
    write_plan(plan, tmp_path / "run", "", RECORDING)
    log = tmp_path / "run" / "plan.jsonl"
    lines = [json.loads(line) for line in log.read_bytes().splitlines()]
    lines[0]["siteFacts"] = None
    log.write_bytes(relinked(lines, own=False))
    differences = replay(tmp_path / "run").differences
    assert len(differences) == 1
    assert "`site.properties` was not recorded" in differences[0]


# The second look -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "result", "said"),
    [
        ([], "released", ""),
        ([_property("x", "Other")], "released", ""),
        ([_property("Finance")], "skipped", 'user.@Department was none, is "Finance"'),
    ],
)
def test_the_second_look_knows_the_names_of_the_whole_site(
    tmp_path: Path, now: list[dict[str, Any]], result: str, said: str
) -> None:
    """Read again is one user only, who has none of the names; that others have them stands in the plan."""
    site = _site([_property("Finance")], [])
    prepared, qrs = prepare(tmp_path, site, NO_DEPARTMENT), MemoryQrs(site)
    qrs.site["users"][1]["customProperties"] = now
    prepared.apply(qrs)
    assert prepared.journal.results == {"l2": result}
    assert prepared.journal.details["l2"].startswith(said)


# In words ------------------------------------------------------------------------------------------------


def _explained(decision: Decision, policy: str) -> list[str]:
    loaded = checked(policy)
    return list(explain(decision, loaded, day_of(loaded)).advice)


def test_reasons_and_what_would_change_them() -> None:
    kept, released = decide(NO_DEPARTMENT, _site([_property("Finance")], []))
    assert kept.reason == 'no release rule matches: user.@Department = "Finance"'
    assert released.reason == "release analyzer: user.@Department is empty"
    # Nor would anybody, perhaps, and then it would not be known who has none.
    assert not any("did not have the custom property" in s for s in _explained(kept, NO_DEPARTMENT))
    assert any("had a value of the custom property Department" in s for s in _explained(released, NO_DEPARTMENT))
    protecting = 'keep "staff" when user.tags is not empty\nrelease when unused for 1 day'
    tagged = idle()
    tagged["users"][0]["tags"] = [{"id": "t", "name": "vip"}]
    (decision,) = decide(protecting, tagged)
    assert decision.reason == 'keep "staff": user.tags = "vip"'
    (decision,) = decide(protecting, idle())
    assert any("had a tag" in sentence for sentence in _explained(decision, protecting))


def test_the_json_form() -> None:
    text = 'keep "x" when user.@"Odd name" is not empty or user.tags is empty\n'
    written = print_json_form(check_text(text, "p").tree)
    assert json.loads(written)["statements"][0]["when"] == {
        "or": [
            {"not": {"isEmpty": {"field": "user.@", "key": "Odd name"}}},
            {"isEmpty": {"field": "user.tags"}},
        ]
    }
    assert parse_surface(written, "p.json") == parse_surface(text, "p")
