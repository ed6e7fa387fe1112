"""All hypothesis strategies: policy trees, Butler maps, and sites as QRS would describe them, good and nasty.

Values come from small pools that policies and sites share, so that rules often match. The first of each pool is
the plainest: it is what an example shrinks to. Knows the first floor only; a test in tests/policy holds `FIELDS`
against the vocabulary.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from grammar.ast import (
    LICENSE_TYPES,
    And,
    Boolean,
    Comparison,
    Condition,
    Date,
    Field,
    Let,
    LicenseType,
    Limit,
    ListOf,
    Literal_,
    Name,
    Not,
    Number,
    Operand,
    Operator,
    Or,
    Policy,
    Rule,
    SetFrom,
    Statement,
    Text,
    Timezone,
    UnusedFor,
)
from grammar.printer import print_condition

Kind: TypeAlias = Literal["text", "number", "date", "boolean"]

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
ZONES = ("UTC", "Europe/Stockholm", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati", "Australia/Lord_Howe")
THRESHOLDS = (30, 0, 1, 7, 60)

DIRECTORIES = ("ADMIN", "admin", "ACME", "A\\B", "ÅKER")
USER_IDS = ("ann", "ANN", "bob", "c", "B\\c", "İbrahim", "o'neil")
TAGS = ("vip", "VIP", "keep me", "straße", "STRASSE", 'say "hi"')
ROLES = ("RootAdmin", "rootadmin", "AuditAdmin")
PROPERTY_KEYS = ("Department", "Odd name", "department")
ATTRIBUTE_KEYS = ("group", "e-mail")
VALUES = ("Finance", "finance", "do-not-release", "")
LETS: Mapping[Kind, tuple[str, ...]] = {
    "text": ("admins", "vips"),
    "number": ("months",),
    "date": ("cutoff",),
    "boolean": ("always",),
}


@dataclass(frozen=True)
class FieldPool:
    """A field with its type and texts worth comparing it with. `closed`: no other text passes the check."""

    field: Field
    kind: Kind
    texts: tuple[str, ...] = ()
    closed: bool = False


FIELDS = (
    FieldPool(Field("user.userDirectory"), "text", DIRECTORIES),
    FieldPool(Field("user"), "text", ("ADMIN\\ann", "ADMIN\\ANN", "A\\B\\c", "ACME\\bob")),
    FieldPool(Field("user.userId"), "text", USER_IDS),
    FieldPool(Field("user.name"), "text", ("Ann", "ANN", "Bob *")),
    FieldPool(Field("user.roles"), "text", ROLES),
    FieldPool(Field("user.tags"), "text", TAGS),
    *(FieldPool(Field("user.@", key), "text", VALUES) for key in PROPERTY_KEYS),
    *(FieldPool(Field("user.attributes", key), "text", VALUES) for key in ATTRIBUTE_KEYS),
    FieldPool(Field("user.licenses"), "text", LICENSE_TYPES, closed=True),
    FieldPool(Field("license.type"), "text", LICENSE_TYPES, closed=True),
    FieldPool(Field("weekday"), "text", ("saturday", "sunday", "friday"), closed=True),
    FieldPool(Field("user.inactive"), "boolean"),
    FieldPool(Field("user.blocked"), "boolean"),
    FieldPool(Field("user.removedExternally"), "boolean"),
    FieldPool(Field("user.deleteProhibited"), "boolean"),
    FieldPool(Field("license.neverUsed"), "boolean"),
    FieldPool(Field("license.excess"), "boolean"),
    FieldPool(Field("user.createdDate"), "date"),
    FieldPool(Field("license.lastUsed"), "date"),
    FieldPool(Field("license.createdDate"), "date"),
    FieldPool(Field("today"), "date"),
    FieldPool(Field("license.unusedDays"), "number"),
    FieldPool(Field("month"), "number"),
)

# Conditions ------------------------------------------------------------------------------------------

_EQUALITY: tuple[Operator, ...] = ("=", "!=", "==", "!==")
_OPERATORS: Mapping[Kind, tuple[Operator, ...]] = {
    "text": (*_EQUALITY, "like"),
    "number": (*_EQUALITY, "<", "<=", ">", ">="),
    "date": (*_EQUALITY, "<", "<=", ">", ">="),
    "boolean": _EQUALITY,
}
_PATTERNS = ("*", "a*", "*IN", "*a*n*", "A\\*", "vip*")
_ANY_CHARACTER = st.characters(exclude_categories=["Cs"], exclude_characters="\n\r")
any_text = st.text(_ANY_CHARACTER, max_size=6)
"""Text that the language can write: on one line."""
any_names = st.sampled_from([name for names in LETS.values() for name in names])
dates = st.integers(0, 90).map(lambda days: Date(NOW.date() - timedelta(days=days)))
numbers = st.sampled_from((30, 0, 1, 11, 12)).map(Number)
booleans = st.booleans().map(Boolean)


def _literals(kind: Kind, texts: tuple[str, ...] = ()) -> SearchStrategy[Literal_]:
    match kind:
        case "text":
            return st.sampled_from(texts or TAGS).map(Text)
        case "number":
            return numbers
        case "date":
            return dates
        case _:
            return booleans


def _lists(kind: Kind, texts: tuple[str, ...] = ()) -> SearchStrategy[ListOf]:
    return st.lists(_literals(kind, texts), max_size=3).map(lambda items: ListOf(tuple(items)))


@st.composite
def comparisons(draw: st.DrawFn, names: Mapping[str, Kind]) -> Comparison:
    """A well-typed comparison of a field with values, a name or another field, on either side."""
    pool = draw(st.sampled_from(FIELDS))
    operator = draw(st.sampled_from(_OPERATORS[pool.kind]))
    texts = pool.texts + (_PATTERNS if operator == "like" else ())
    others: list[SearchStrategy[Any]] = [_literals(pool.kind, texts), _lists(pool.kind, texts)]
    if pool.field.name == "month":
        months = st.integers(1, 12).map(Number)
        others = [months, st.lists(months, max_size=3).map(lambda items: ListOf(tuple(items)))]
    if not pool.closed and pool.field.name != "month":
        others += [st.just(Name(name)) for name, kind in names.items() if kind == pool.kind]
    others += [st.sampled_from([p.field for p in FIELDS if p.kind == pool.kind])]
    sides: tuple[Operand, Operand] = (pool.field, draw(st.one_of(others)))
    left, right = sides if draw(st.integers(0, 5)) else sides[::-1]
    return Comparison(operator, left, right)


def conditions(names: Mapping[str, Kind] | None = None) -> SearchStrategy[Condition]:
    """A condition that passes the type check, where `names` have values of those types."""
    names = names or {}
    unused = st.builds(UnusedFor, st.sampled_from(THRESHOLDS), st.sampled_from(["days", "weeks"]))
    truths = [pool.field for pool in FIELDS if pool.kind == "boolean"]
    truths_named = [Name(name) for name, kind in names.items() if kind == "boolean"]
    bare = st.sampled_from([*truths, *truths_named, Boolean(False), Boolean(True)])
    return _combined(st.one_of(bare, unused, comparisons(names)))


def any_conditions() -> SearchStrategy[Condition]:
    """Any condition that can be written, mostly nonsense."""
    operand = st.one_of(
        any_text.map(Text),
        st.integers(0, 999_999_999).map(Number),
        st.dates().map(Date),
        booleans,
        st.lists(any_text.map(Text) | numbers | dates | booleans, max_size=3).map(lambda items: ListOf(tuple(items))),
        any_names.map(Name),
        st.sampled_from([pool.field for pool in FIELDS]),
        any_text.map(lambda key: Field("user.@", key)),
        any_text.map(lambda key: Field("user.attributes", key)),
    )
    operators = st.sampled_from(["=", "!=", "==", "!==", "like", "<", "<=", ">", ">="])
    unused = st.builds(UnusedFor, st.integers(0, 999), st.sampled_from(["days", "weeks"]))
    return _combined(st.one_of(operand, unused, st.builds(Comparison, operators, operand, operand)))


def _combined(leaves: SearchStrategy[Any]) -> SearchStrategy[Condition]:
    def grow(parts: SearchStrategy[Condition]) -> SearchStrategy[Condition]:
        several = st.lists(parts, min_size=2, max_size=3).map(tuple)
        return st.one_of(parts.map(Not), several.map(And), several.map(Or))

    return st.recursive(leaves, grow, max_leaves=5)


# Policies --------------------------------------------------------------------------------------------

_types: SearchStrategy[tuple[LicenseType, ...]] = st.sampled_from(
    [(), ("analyzer",), ("professional",), ("professional", "analyzer"), ("analyzer", "professional")]
)
_labels = st.none() | st.sampled_from(["by hand", "vips", 'the "old" ones'])
_untils = st.none() | st.integers(-3, 40).map(lambda days: Date(NOW.date() + timedelta(days=days)))
timezones = st.sampled_from(ZONES).map(Timezone)


def rules(of: SearchStrategy[Condition]) -> SearchStrategy[Rule]:
    """A keep or a release rule with such a condition."""
    return keep_rules(of) | release_rules(of)


def keep_rules(of: SearchStrategy[Condition]) -> SearchStrategy[Rule]:
    """A keep rule."""
    return st.builds(Rule, st.just("keep"), _types, _labels, _untils, of)


def release_rules(of: SearchStrategy[Condition]) -> SearchStrategy[Rule]:
    """A release rule."""
    return st.builds(Rule, st.just("release"), _types, _labels, st.none(), of)


@st.composite
def limits(draw: st.DrawFn) -> Limit:
    """Any limit."""
    license_type = draw(st.none() | st.sampled_from(LICENSE_TYPES))
    percent = draw(st.none() | st.integers(0, 100))
    count = draw(st.integers(0, 200)) if percent is None else None
    return Limit(count, percent, license_type, draw(st.booleans()))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """A policy that passes the type check, its statements in any order."""
    kinds = draw(st.lists(st.sampled_from(list(LETS.items())), max_size=2, unique_by=lambda item: item[0]))
    names = {name: kind for kind, all_names in kinds for name in all_names}
    lets = [Let(name, draw(_literals(kind) | _lists(kind).filter(lambda v: v.items))) for name, kind in names.items()]
    of = conditions(names)
    # Most verdicts come from one release rule that often matches and few keep rules.
    releases = draw(st.lists(release_rules(of | st.just(UnusedFor(30, "days"))), min_size=1, max_size=3))
    statements: list[Statement] = [*lets, *draw(st.lists(keep_rules(of), max_size=3)), *releases]
    different = draw(st.lists(limits(), max_size=2, unique_by=lambda limit: (limit.license_type, limit.count is None)))
    statements += different
    statements += draw(st.lists(timezones, max_size=1))
    return Policy(tuple(draw(st.permutations(statements))))


def any_policies() -> SearchStrategy[Policy]:
    """Any policy that can be written: every statement, every node, doubled and ill-typed ones too."""
    values = st.one_of(
        any_text.map(Text), st.lists(any_text.map(Text) | numbers, max_size=12).map(lambda items: ListOf(tuple(items)))
    )
    statement = st.one_of(
        rules(any_conditions()),
        st.builds(Rule, st.just("keep"), _types, any_text, st.none(), any_conditions()),
        st.builds(Let, any_names, values),
        st.builds(SetFrom, any_names, any_text.map(Text)),
        any_text.map(Timezone),
        limits(),
    )
    return st.lists(statement, max_size=4).map(lambda statements: Policy(tuple(statements)))


# Butler ----------------------------------------------------------------------------------------------

_flags = st.sampled_from(["Ignore", "yes", "no", "YES", " No ", "ignore"])


def _maybe(strategy: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return st.none() | st.lists(strategy, max_size=3)


def butler_maps() -> SearchStrategy[dict[str, Any]]:
    """A bare `licenseRelease` map that is right."""
    texts = {"user": st.sampled_from(USER_IDS), "dir": st.sampled_from(DIRECTORIES)}
    when = st.fixed_dictionaries({"name": st.sampled_from(TAGS), "when": conditions().map(print_condition)})
    never = {
        "user": _maybe(st.fixed_dictionaries({"userDir": texts["dir"], "userId": texts["user"]})),
        "tag": _maybe(st.sampled_from(TAGS)),
        "customProperty": _maybe(
            st.fixed_dictionaries({"name": st.sampled_from(PROPERTY_KEYS), "value": st.sampled_from(VALUES)})
        ),
        "userDirectory": _maybe(texts["dir"]),
        "inactive": _flags,
        "blocked": _flags,
        "removedExternally": _flags,
        "when": _maybe(when),
    }
    one_type = st.fixed_dictionaries(
        {"enable": st.booleans(), "releaseThresholdDays": st.sampled_from(THRESHOLDS)},
        optional={
            "neverUsed": st.sampled_from(["fromAllocation", "release", "keep"]),
            "when": conditions().map(print_condition),
        },
    )
    return st.fixed_dictionaries(
        {"licenseType": st.fixed_dictionaries({}, optional=dict.fromkeys(LICENSE_TYPES, one_type))},
        optional={
            "neverRelease": st.fixed_dictionaries({}, optional=never),
            "timezone": st.sampled_from(ZONES),
            "limit": st.sampled_from([5, "10%", "50 per run, longest unused first", ["10% of analyzer", 5]]),
        },
    )


# Sites -----------------------------------------------------------------------------------------------

NEVER = "1753-01-01T00:00:00.000Z"
UNREADABLE = ("yesterday", "2026-02-30T00:00:00Z", "2026-11-01", "", "0000-00-00T00:00:00Z")
WRONG: tuple[object, ...] = (5, {"no": "fact"}, [[]])
"""What no fact is."""

_ABSENT = object()


@st.composite
def timestamps(draw: st.DrawFn) -> str:
    """A moment within about 70 days before NOW, often close to a midnight, as QRS writes it."""
    day = NOW.date() - timedelta(days=draw(st.sampled_from((30, 0, 1, 7, 29, 31, 59, 60, 61, 70))))
    clock = draw(st.sampled_from(("12:00:00", "00:00:00", "23:59:59", "05:30:00", "10:00:00")))
    fraction = draw(st.sampled_from((".000", "", ".9", ".1234567", ".99", ".123456", ".12345", ".1234")))
    return f"{day.isoformat()}T{clock}{fraction}Z"


def _fact(good: SearchStrategy[Any], nasty: bool) -> SearchStrategy[Any]:
    """A good value mostly; a nasty one is null, of a wrong type, or not there."""
    if not nasty:
        return good
    bad = st.sampled_from([None, _ABSENT, *WRONG])
    return st.integers(0, 9).flatmap(lambda n: bad if n == 9 else good)


def _named(values: tuple[str, ...]) -> SearchStrategy[list[dict[str, str]]]:
    return st.lists(st.sampled_from(values).map(lambda name: {"name": name}), max_size=2)


def _users(user_id: str, nasty: bool) -> SearchStrategy[dict[str, Any]]:
    properties = st.lists(
        st.builds(
            lambda key, value: {"value": value, "definition": {"name": key}},
            st.sampled_from(PROPERTY_KEYS),
            st.sampled_from(VALUES),
        ),
        max_size=2,
    )
    attributes = st.lists(
        st.fixed_dictionaries(
            {"attributeType": st.sampled_from(ATTRIBUTE_KEYS), "attributeValue": st.sampled_from(VALUES)}
        ),
        max_size=2,
    )
    flag = _fact(st.booleans(), nasty)
    row = {
        "id": st.just(user_id),
        "userId": st.sampled_from(USER_IDS),
        "userDirectory": st.sampled_from(DIRECTORIES),
        "name": st.sampled_from(("Ann", "Bob B.", "")),
        "roles": _fact(st.lists(st.sampled_from(ROLES), max_size=2), nasty),
        "tags": _fact(_named(TAGS), nasty),
        "customProperties": _fact(properties, nasty),
        "attributes": _fact(attributes, nasty),
        "inactive": flag,
        "blacklisted": flag,
        "removedExternally": flag,
        "deleteProhibited": flag,
        "createdDate": _fact(timestamps() | st.sampled_from(UNREADABLE) if nasty else timestamps(), nasty),
    }
    return st.fixed_dictionaries(row).map(_without_absent)


def _licenses(license_id: str, user_ids: tuple[str, ...], nasty: bool) -> SearchStrategy[dict[str, Any]]:
    user: SearchStrategy[Any] = st.sampled_from(user_ids).map(lambda i: {"id": i, "userId": "x", "userDirectory": "Y"})
    if nasty:
        user = st.integers(0, 9).flatmap(lambda n: user_or_none if n == 9 else user_known)
    user_known: SearchStrategy[Any] = st.sampled_from(user_ids).map(lambda i: {"id": i})
    user_or_none: SearchStrategy[Any] = st.sampled_from([None, _ABSENT, {"id": "nobody"}])
    used = st.one_of(timestamps(), timestamps(), st.sampled_from((NEVER, None, _ABSENT, "0001-01-01T00:00:00Z")))
    row = {
        "id": st.just(license_id),
        "user": user,
        "lastUsed": used | st.sampled_from((*UNREADABLE, *WRONG)) if nasty else used,
        "createdDate": _fact(timestamps(), nasty),
        "quarantined": _fact(st.integers(0, 7).map(lambda n: n == 7), nasty),
        "quarantineEnd": st.sampled_from((NEVER, None, "2026-11-25T00:00:00Z")),
        "excess": _fact(st.booleans(), nasty),
    }
    return st.fixed_dictionaries(row).map(_without_absent)


def _without_absent(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if value is not _ABSENT}


@st.composite
def sites(draw: st.DrawFn, nasty: bool = True) -> dict[str, Any]:
    """A site in snapshot form. A nasty one has bad facts, doubled rows, rows without a user, a missing type."""
    ids = ("u1", "u2", "u3")[: draw(st.integers(1, 3))]
    users = [draw(_users(user_id, nasty)) for user_id in ids]
    licenses: dict[str, list[dict[str, Any]]] = {}
    for license_type in LICENSE_TYPES:
        names = [f"{license_type[0]}{n}" for n in range(1, draw(st.integers(license_type == "analyzer", 3)) + 1)]
        licenses[license_type] = [draw(_licenses(name, ids, nasty)) for name in names]
    if nasty:
        match draw(st.integers(0, 9)):
            case 7:
                users.append(draw(_users(ids[0], nasty)))
            case 8:
                licenses["analyzer"] += licenses["analyzer"][:1]
            case 9:
                del licenses["professional"]
            case _:
                pass
    return {"takenAt": "2026-11-21T02:00:00.000Z", "source": "test", "users": users, "licenses": licenses}


def as_json(site: Mapping[str, Any]) -> bytes:
    """A site as the bytes of a snapshot file."""
    return json.dumps(site, ensure_ascii=False).encode()


@st.composite
def moments(draw: st.DrawFn) -> datetime:
    """A moment within a day of NOW: a different calendar day, depending on the zone."""
    return NOW + timedelta(minutes=draw(st.integers(-24 * 60, 24 * 60)))


def any_dates() -> SearchStrategy[date]:
    """Any calendar date of these decades."""
    return st.dates(date(1990, 1, 1), date(2060, 1, 1))
