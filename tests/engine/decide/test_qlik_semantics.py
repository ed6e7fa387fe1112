"""Qlik's own documented examples of the operators, with a custom property of the user for its `resource.@org`.

Source: Qlik Sense help, "Operators and functions for conditions", with a page for each operator, such as
https://help.qlik.com/en-us/sense/2.2/Subsystems/ManagementConsole/Content/operator-equal.htm. Of all four operators of
equality it says that a list need not match as a whole: one of its values is enough.
"""

import pytest

from seatwarden.policy.errors import PolicyError
from tests.engine.support import checked, decide, license_row, site_of, user


def _holds(condition: str, values: tuple[str, ...] = (), groups: tuple[str, ...] = (), **flags: bool) -> bool:
    """Whether a condition is true of a user whose custom property `org` has these values."""
    properties = [{"value": value, "definition": {"name": "org"}} for value in values]
    properties += [{"value": value, "definition": {"name": "groups"}} for value in groups]
    site = site_of([user(1, customProperties=properties, **flags)], [license_row()])
    (decision,) = decide(f"release when {condition}", site)
    return decision.verdict == "release"


@pytest.mark.parametrize(
    ("page", "org", "condition", "expected"),
    [
        # operator-equal.htm
        ("EQUAL", "uk", 'user.@org = "UK"', True),
        ("EQUAL", "UK", 'user.@org = "UK"', True),
        ("EQUAL", "United Kingdom", 'user.@org = "UK"', False),
        ("EQUAL", "united states", 'user.@org = "United States"', True),
        ("EQUAL", "United States", 'user.@org = "United States"', True),
        ("EQUAL", "US", 'user.@org = "United States"', False),
        # operator-strict-equal.htm
        ("STRICT EQUAL", "united States", 'user.@org == "United States"', False),
        ("STRICT EQUAL", "United States", 'user.@org == "United States"', True),
        ("STRICT EQUAL", "US", 'user.@org == "United States"', False),
        # operator-not-equal.htm
        ("NOT EQUAL", "uk", 'user.@org != "UK"', False),
        ("NOT EQUAL", "UK", 'user.@org != "UK"', False),
        ("NOT EQUAL", "United Kingdom", 'user.@org != "UK"', True),
        # operator-strict-not-equal.htm
        ("STRICT NOT EQUAL", "united States", 'user.@org !== "United States"', True),
        ("STRICT NOT EQUAL", "United States", 'user.@org !== "United States"', False),
        ("STRICT NOT EQUAL", "US", 'user.@org !== "United States"', True),
        # operator-like.htm: resource.name like "mya*" is true of all names beginning with "mya", in any case
        ("LIKE", "myApp", 'user.@org like "mya*"', True),
        ("LIKE", "MYAPP", 'user.@org like "mya*"', True),
        ("LIKE", "mya", 'user.@org like "mya*"', True),
        ("LIKE", "not myApp", 'user.@org like "mya*"', False),
    ],
)
def test_documented_examples(page: str, org: str, condition: str, expected: bool) -> None:
    assert _holds(condition, (org,)) is expected, page


@pytest.mark.parametrize(
    ("org", "groups", "equal"),
    [
        # resource.groups = user.groups: true if the groups are the same irrespective of case
        (("Sales",), ("sales",), True),
        (("Sales",), ("Finance",), False),
        # a list need not match as a whole
        (("Sales", "Finance"), ("finance", "IT"), True),
        (("Sales", "Finance"), ("IT", "HR"), False),
        ((), ("IT",), False),
        ((), (), False),
    ],
)
def test_several_values(org: tuple[str, ...], groups: tuple[str, ...], equal: bool) -> None:
    assert _holds("user.@org = user.@groups", org, groups) is equal
    assert _holds("user.@org != user.@groups", org, groups) is not equal
    if groups:
        listed = ", ".join(f'"{value}"' for value in groups)
        assert _holds(f"user.@org = [{listed}]", org) is equal
        assert _holds(f"user.@org != [{listed}]", org) is not equal
        assert _holds(f"[{listed}] = user.@org", org) is equal
        assert _holds(f"not user.@org = [{listed}]", org) is not equal


@pytest.mark.parametrize("a", [True, False])
@pytest.mark.parametrize("b", [True, False])
@pytest.mark.parametrize("c", [True, False])
def test_precedence(a: bool, b: bool, c: bool) -> None:
    """operators-and-functions-for-conditions.htm: NOT first, then AND, then OR; A OR B AND C is A OR (B AND C)."""

    def holds(condition: str) -> bool:
        return _holds(condition, inactive=a, blacklisted=b, removedExternally=c)

    one, two, three = "user.inactive", "user.blocked", "user.removedExternally"
    assert holds(f"{one} or {two} and {three}") is (a or (b and c))
    assert holds(f"{one} OR {two} AND {three}") is (a or (b and c))
    assert holds(f"{one} || {two} && {three}") is (a or (b and c))
    assert holds(f"not {one} and {two}") is ((not a) and b)
    assert holds(f"!{one} or {two}") is ((not a) or b)
    assert holds(f"!({one} or {two}) and {three}") is (not (a or b) and c)


def test_case_is_folded_as_unicode_says() -> None:
    assert _holds('user.@org = "STRASSE"', ("straße",))
    assert _holds('user.@org = "ÅKER"', ("åker",))
    assert _holds('user.@org like "STR*SSE"', ("straße",))
    assert not _holds('user.@org == "STRASSE"', ("strasse",))


def test_matches_is_not_in_the_language() -> None:
    """operator-matches.htm: Qlik has regular expressions; here `like` has to do."""
    with pytest.raises(PolicyError) as caught:
        checked('release when user.name matches ".*yAp.*"')
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.message == "unexpected `matches`"
    assert diagnostic.help is not None
    assert diagnostic.help.startswith("there are no regular expressions here; `like`")


@pytest.mark.parametrize("word", ["in", "contains", "has", "is"])
def test_operators_of_other_languages(word: str) -> None:
    with pytest.raises(PolicyError) as caught:
        checked(f'release when user.tags {word} "a"')
    assert (caught.value.diagnostics[0].help or "").startswith("write `=`")
