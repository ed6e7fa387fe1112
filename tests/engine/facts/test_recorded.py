"""Records in columns are what they are license by license; what is not regular is refused."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given

from seatwarden.engine.decide.compiled import CompiledRules
from seatwarden.engine.facts.facts import (
    OF_SITE,
    RecordedFact,
    RecordedFacts,
    fact_to_json,
    facts_from_json,
    subject_of,
)
from seatwarden.engine.facts.recorded import IrregularRecord, recorded_column
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import LICENSE_TYPES, Policy
from tests.engine.support import checked, day_of, snapshot_of
from tests.strategies import moments, policies, sites


@given(policies(), sites(), moments)
def test_columns_are_what_the_licenses_say_one_by_one(policy: Policy, site: dict[str, Any], now: datetime) -> None:
    loaded, snapshot = checked(policy), snapshot_of(site)
    day = day_of(loaded, now)
    for license_type in LICENSE_TYPES:
        rules = CompiledRules(loaded, license_type, day)
        rows = snapshot.licenses.get(license_type, [])
        read = rules.read([subject_of(snapshot, license_type, row, day) for row in rows])
        facts = [rules.facts(values) for values in read.rows()]
        records = [_recorded(found) for found in facts]
        of_site = {name: reader(snapshot.site_facts) for name, reader in OF_SITE.items()}
        again = rules.read_recorded(records, of_site)
        one_by_one = rules.read_again([RecordedFacts({**facts_from_json(r), **of_site}) for r in records])
        assert again.rows() == one_by_one.rows()
        assert rules.truths(again) == rules.truths(read)


def _recorded(facts: dict[str, Any]) -> dict[str, RecordedFact]:
    """The facts of a license as a plan has them."""
    found: dict[str, Any] = {name: fact_to_json(fact) for name, fact in facts.items() if name not in OF_SITE}
    return {name: Unknown(fact["unknown"]) if isinstance(fact, dict) else tuple(fact) for name, fact in found.items()}


IRREGULAR: dict[str, tuple[str, RecordedFact]] = {
    "a number for a text": ("user", (5,)),
    "two values where there is one": ("user.inactive", (True, False)),
    "no value where there is one": ("license.unusedDays", ()),
    "too large": ("license.unusedDays", (5_000_000,)),
    "no date": ("license.lastUsed", ("2026-02-30",)),
    "a date as a number": ("license.createdDate", (20260230,)),
    "a text among texts that is none": ("user.tags", ("a", False)),
}


@pytest.mark.parametrize("what", IRREGULAR)
def test_irregular(what: str) -> None:
    name, fact = IRREGULAR[what]
    with pytest.raises(IrregularRecord):
        recorded_column(name, (), [{name: fact}])


def test_missing() -> None:
    with pytest.raises(IrregularRecord):
        recorded_column("user", (), [{"user": ("A\\b",)}, {}])


def test_a_fact_that_no_rule_reads() -> None:
    """Whoever wrote the record, it was not us."""
    policy = checked("release when user.inactive")
    rules = CompiledRules(policy, "analyzer", day_of(policy))
    with pytest.raises(IrregularRecord):
        rules.read_recorded([{"user.inactive": (True,), "user.blocked": (True,)}], {})


def test_properties_stand_behind_their_keys() -> None:
    """One that is unknown makes the family unknown."""
    records: list[dict[str, RecordedFact]] = [
        {"user.@A": ("1", "2"), "user.@B": ("3",)},
        {"user.@A": (), "user.@B": ()},
        {"user.@A": ("1",), "user.@B": Unknown("hidden")},
    ]
    column = recorded_column("user.@", ("A", "B"), records)
    assert column == [(("A", "1"), ("A", "2"), ("B", "3")), (), Unknown("hidden")]
