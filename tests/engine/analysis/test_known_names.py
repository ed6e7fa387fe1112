"""The names a snapshot knows."""

from typing import Any

from hypothesis import given

from seatwarden.engine.analysis.known_names import known_names
from seatwarden.grammar.ast import Field
from tests.engine.support import checked, day_of, license_row, site_of, snapshot_of, user
from tests.strategies import sites


def test_names_of_users() -> None:
    facts = {
        "roles": ["RootAdmin"],
        "tags": [{"name": "vip"}],
        "customProperties": [{"value": "Finance", "definition": {"name": "Department"}}],
        "attributes": [{"attributeType": "group", "attributeValue": "Everyone"}],
    }
    policy = checked(
        "keep when user.inactive\nrelease analyzer when user.tags = 'vip'\nkeep professional when true\n"
        "keep when license.available < 3"
    )
    site = snapshot_of(site_of([user(1, **facts), user(2, name=None, tags=None)], [license_row(1)]))
    known = known_names(policy, site, day_of(policy))
    assert known.of(Field("user")) == {"ACME\\user1", "ACME\\user2"}
    assert known.of(Field("user.name")) == {"User 1"}
    assert known.of(Field("user.tags")) == {"vip"}
    assert known.of(Field("user.@", "Department")) == {"Finance"}
    assert known.of(Field("user.@", "department")) == frozenset()
    assert known.keys == {"user.@": {"Department"}, "user.attributes": {"group"}}
    assert [known.may_match(rule) for rule in policy.rules] == [False, True, False, True], "what is unknown may match"


@given(sites())
def test_no_site_breaks_it(site: dict[str, Any]) -> None:
    policy = checked('keep when user.tags = "vip" or user.@Department = "x"')
    known = known_names(policy, snapshot_of(site), day_of(policy))
    assert known.of(Field("user.userId"))
    known.may_match(policy.rules[0])
