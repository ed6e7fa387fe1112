"""All hypothesis strategies: policy trees, Butler maps, and sites as QRS would describe them, good and nasty.

Values come from small pools that policies and sites share, so that rules often match. The first of each pool is
the plainest: it is what an example shrinks to. Knows the first floor only; a test in tests/policy holds `FIELDS`
against the vocabulary.
"""

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from seatwarden.grammar import ast
from seatwarden.grammar.ast import LICENSE_TYPES, Field
from seatwarden.grammar.printer import print_condition

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
UNTIL = Field("user.@", "Until")
"""A custom property that policies read as a date or a number."""
DATES_WRITTEN = ("2026-11-21", "2026-11-20", " 2026-11-22 ", "2026-10-22", "2027-02-28")
NUMBERS_WRITTEN = ("30", "0", " 31", "007")
VALUES = ("Finance", "finance", "do-not-release", "")
LICENSE_RULES = ("Analyzer for all", "SALES", "at work")
"""The names of license rules."""
_NAMES = ("admins", "vips"), ("months",), ("cutoff",), ("always",)
LETS: Mapping[Kind, tuple[str, ...]] = dict(zip(get_args(Kind), _NAMES, strict=True))


@dataclass(frozen=True)
class FieldPool:
    """A field with its type and texts worth comparing it with. `closed`: no other text passes the check."""

    field: Field
    kind: Kind
    texts: tuple[str, ...] = ()
    closed: bool = False


_TEXTS: Mapping[str, tuple[str, ...]] = {
    "user.userDirectory": DIRECTORIES,
    "user": ("ADMIN\\ann", "ADMIN\\ANN", "A\\B\\c", "ACME\\bob"),
    "user.userId": USER_IDS,
    "user.name": ("Ann", "ANN", "Bob *"),
    "user.roles": ROLES,
    "user.tags": TAGS,
    "license.takenBackBy": LICENSE_RULES,
}
_CLOSED: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("user.licenses", "license.type"), LICENSE_TYPES),
    "weekday": ("saturday", "sunday", "friday"),
}
_TRUTHS = ("inactive", "blocked", "removedExternally", "deleteProhibited")
FIELDS = (
    *(FieldPool(Field(name), "text", texts) for name, texts in _TEXTS.items()),
    *(FieldPool(Field("user.@", key), "text", VALUES) for key in PROPERTY_KEYS),
    FieldPool(UNTIL, "text", ("2026-11-21", "30", "soon")),
    *(FieldPool(Field("user.attributes", key), "text", VALUES) for key in ATTRIBUTE_KEYS),
    *(FieldPool(Field(name), "text", texts, closed=True) for name, texts in _CLOSED.items()),
    *(FieldPool(Field(f"user.{name}"), "boolean") for name in _TRUTHS),
    *(FieldPool(Field(name), "boolean") for name in ("license.neverUsed", "license.excess")),
    *(FieldPool(Field(f"{whose}.createdDate"), "date") for whose in ("user", "license")),
    *(FieldPool(Field(name), "date") for name in ("license.lastUsed", "user.lastUsed", "user.lastReleased", "today")),
    *(FieldPool(Field(name), "number") for name in ("license.unusedDays", "user.unusedDays", "month")),
    *(FieldPool(Field(name), "number") for name in ("license.available", "license.total")),
)

# Conditions ------------------------------------------------------------------------------------------

_EQUALITY: tuple[ast.Operator, ...] = ("=", "!=", "==", "!==")
_OPERATORS: Mapping[Kind, tuple[ast.Operator, ...]] = {
    "text": (*_EQUALITY, "like"),
    "number": (*_EQUALITY, "<", "<=", ">", ">="),
    "date": (*_EQUALITY, "<", "<=", ">", ">="),
    "boolean": _EQUALITY,
}
_PATTERNS = ("*", "a*", "*IN", "*a*n*", "A\\*", "vip*")
_ANY_CHARACTER = st.characters(exclude_categories=["Cs"], exclude_characters="\n\r")
any_text = st.text(_ANY_CHARACTER, max_size=6)
"""Text that the language can write: on one line."""
any_names = st.sampled_from([name for names in _NAMES for name in names])
_days_ago = st.sampled_from((30, 0, 1, 7, 29, 31, 59, 60, 61, -1, 70)) | st.integers(0, 90)
"""Often what a threshold asks for, or a day more or less."""
dates = _days_ago.map(lambda days: ast.Date(NOW.date() - timedelta(days=days)))
numbers = st.sampled_from((30, 0, 1, 7, 29, 31, 60, 11, 12)).map(ast.Number)
booleans = st.booleans().map(ast.Boolean)


def is_condition(value: ast.Condition) -> bool:
    """Whether a `let` of it names a condition."""
    return not isinstance(value, ast.Literal_ | ast.ListOf | ast.Shifted)


def lists(values: SearchStrategy[Any], most: int = 3) -> SearchStrategy[ast.ListOf]:
    """A list of a few such values."""
    return st.lists(values, max_size=most).map(lambda items: ast.ListOf(tuple(items)))


def _literals(kind: Kind, texts: tuple[str, ...] = ()) -> SearchStrategy[ast.Literal_]:
    by_kind: Mapping[Kind, SearchStrategy[ast.Literal_]] = {"number": numbers, "date": dates, "boolean": booleans}
    return by_kind[kind] if kind in by_kind else st.sampled_from(texts or TAGS).map(ast.Text)


_lengths = st.builds(ast.Length, st.sampled_from(THRESHOLDS), st.sampled_from(["days", "weeks"]))
"""A length of time: one that sites are often unused for."""


_signs: SearchStrategy[Literal["+", "-"]] = st.sampled_from(("-", "+"))


_month_days = st.sampled_from(((11, 21), (11, 20), (11, 22), (1, 10), (2, 29), (12, 31), (1, 1), (6, 15))).map(
    lambda day: ast.MonthDay(*day)
)
_seasons_of_one_year = st.tuples(dates, dates).map(lambda days: sorted(days, key=lambda day: day.value))
seasons = st.builds(ast.Season, _month_days, _month_days) | _seasons_of_one_year.map(
    lambda days: ast.Season(days[0], days[1])
)
"""Seasons that often begin or end about NOW."""


def shifted() -> SearchStrategy[ast.Shifted]:
    """A date that is moved: mostly today."""
    days = [pool.field for pool in FIELDS if pool.kind == "date"]
    base = st.just(Field("today")) | st.sampled_from([*days, ast.ReadAs("date", UNTIL)]) | dates
    return st.builds(ast.Shifted, base, _signs, _lengths)


@st.composite
def comparisons(draw: st.DrawFn, names: Mapping[str, Kind]) -> ast.Comparison:
    """A well-typed comparison of a field with values, a name or another field, on either side."""
    pool = draw(st.sampled_from(FIELDS))
    operator = draw(st.sampled_from(_OPERATORS[pool.kind]))
    texts = pool.texts + (_PATTERNS if operator == "like" else ())
    others: list[SearchStrategy[Any]] = [_literals(pool.kind, texts), lists(_literals(pool.kind, texts))]
    if pool.field.name == "month":
        months = st.integers(1, 12).map(ast.Number)
        others = [months, lists(months)]
    if not pool.closed and pool.field.name != "month":
        others += [st.just(ast.Name(name)) for name, kind in names.items() if kind == pool.kind]
    others += [st.sampled_from([p.field for p in FIELDS if p.kind == pool.kind])]
    if pool.kind == "date":
        others += [shifted(), shifted()]
    own: ast.Field | ast.ReadAs = pool.field
    if pool.kind in ("date", "number") and not draw(st.integers(0, 3)):
        own = ast.ReadAs(pool.kind, UNTIL)
    sides: tuple[ast.Operand, ast.Operand] = (own, draw(st.one_of(others)))
    if pool.kind == "date" and not draw(st.integers(0, 3)):
        sides = ast.Shifted(own, draw(_signs), draw(_lengths)), sides[1]
    left, right = sides if draw(st.integers(0, 5)) else sides[::-1]
    return ast.Comparison(operator, left, right)


def conditions(
    names: Mapping[str, Kind] | None = None, named: Sequence[str] = (), lengths: Sequence[str] = ()
) -> SearchStrategy[ast.Condition]:
    """A condition that passes the type check, where `names` have values of those types.

    `named` are names of conditions, `lengths` those of lengths of time.
    """
    names = names or {}
    length = _lengths | st.sampled_from([ast.Name(name) for name in lengths]) if lengths else _lengths
    unused = st.builds(ast.UnusedFor, length, st.sampled_from([False, False, True]))
    truths = [pool.field for pool in FIELDS if pool.kind == "boolean"]
    alone = [ast.Name(name) for name in (*(name for name, kind in names.items() if kind == "boolean"), *named)]
    empty = st.sampled_from([pool.field for pool in FIELDS if _may_be_empty(pool)]).map(ast.IsEmpty)
    return _combined(
        st.one_of(st.sampled_from([*truths, *alone]), booleans, unused, seasons, empty, comparisons(names))
    )


def _may_be_empty(pool: FieldPool) -> bool:
    return pool.kind == "text" or pool.field.name in ("license.lastUsed", "user.lastUsed", "user.lastReleased")


def any_conditions() -> SearchStrategy[ast.Condition]:
    """Any condition that can be written, mostly nonsense."""
    operand = st.one_of(
        any_text.map(ast.Text),
        st.integers(0, 999_999_999).map(ast.Number),
        st.dates().map(ast.Date),
        booleans,
        lists(any_text.map(ast.Text) | numbers | dates | booleans),
        any_names.map(ast.Name),
        st.sampled_from([pool.field for pool in FIELDS]),
        any_text.map(lambda key: Field("user.@", key)),
        any_text.map(lambda key: Field("user.attributes", key)),
    )
    operators = st.sampled_from(["=", "!=", "==", "!==", "like", "<", "<=", ">", ">="])
    kinds: SearchStrategy[Literal["date", "number"]] = st.sampled_from(("date", "number"))
    operand |= st.builds(ast.ReadAs, kinds, st.sampled_from([pool.field for pool in FIELDS]))
    length = st.builds(ast.Length, st.integers(0, 999), st.sampled_from(["days", "weeks"]))
    unused = st.builds(ast.UnusedFor, length | any_names.map(ast.Name), st.booleans())
    operand |= st.builds(ast.Shifted, operand, _signs, length | any_names.map(ast.Name))
    empty = st.sampled_from([pool.field for pool in FIELDS]).map(ast.IsEmpty)
    return _combined(st.one_of(operand, seasons, unused, empty, st.builds(ast.Comparison, operators, operand, operand)))


def _combined(leaves: SearchStrategy[Any]) -> SearchStrategy[ast.Condition]:
    def grow(parts: SearchStrategy[ast.Condition]) -> SearchStrategy[ast.Condition]:
        several = st.lists(parts, min_size=2, max_size=3).map(tuple)
        return st.one_of(parts.map(ast.Not), several.map(ast.And), several.map(ast.Or))

    return st.recursive(leaves, grow, max_leaves=5)


# Policies --------------------------------------------------------------------------------------------

_types: SearchStrategy[tuple[ast.LicenseType, ...]] = st.sampled_from(
    [(), ("analyzer",), ("professional",), ("professional", "analyzer"), ("analyzer", "professional")]
)
_labels = st.none() | st.sampled_from(["by hand", "vips", 'the "old" ones'])
_last_days = st.sampled_from((0, -1, 1)) | st.integers(-3, 40)
_untils = st.none() | _last_days.map(lambda days: ast.Date(NOW.date() + timedelta(days=days)))


def keep_rules(of: SearchStrategy[ast.Condition]) -> SearchStrategy[ast.Rule]:
    """A keep rule."""
    return st.builds(ast.Rule, st.just("keep"), _types, _labels, _untils, of)


def notices(names: Sequence[str] = ()) -> SearchStrategy[ast.Notice]:
    """A notice clause; `names` are those of lengths of time."""
    length = _lengths | st.sampled_from([ast.Name(name) for name in names]) if names else _lengths
    return st.builds(ast.Notice, length, st.none() | length)


def release_rules(of: SearchStrategy[ast.Condition], lengths: Sequence[str] = ()) -> SearchStrategy[ast.Rule]:
    """A release rule; some are announced. `lengths` are names of lengths of time."""
    said = {"regardless_of_use": st.booleans(), "notice": st.none() | st.none() | notices(lengths)}
    return st.builds(ast.Rule, st.just("release"), _types, _labels, st.none(), of, **said)


def downgrade_rules(of: SearchStrategy[ast.Condition], lengths: Sequence[str] = ()) -> SearchStrategy[ast.Rule]:
    """A downgrade rule; some are announced. `lengths` are names of lengths of time."""
    types: SearchStrategy[tuple[ast.LicenseType, ...]] = st.sampled_from([(), (ast.DOWNGRADED,)])
    said = {"regardless_of_use": st.booleans(), "notice": st.none() | st.none() | notices(lengths)}
    return st.builds(ast.Rule, st.just("downgrade"), types, _labels, st.none(), of, **said)


def taking_rules(of: SearchStrategy[ast.Condition], lengths: Sequence[str] = ()) -> SearchStrategy[ast.Rule]:
    """A release rule, or now and then a downgrade rule."""
    return release_rules(of, lengths) | release_rules(of, lengths) | downgrade_rules(of, lengths)


def guarantees(of: SearchStrategy[ast.Condition], lengths: Sequence[str] = ()) -> SearchStrategy[ast.Guarantee]:
    """A guarantee; `lengths` are names of lengths of time."""
    length = _lengths | st.sampled_from([ast.Name(name) for name in lengths]) if lengths else _lengths
    name, about = st.none() | any_text, st.none() | of
    plain: SearchStrategy[ast.Promise] = st.sampled_from(("never", "always", "never without notice"))
    return st.one_of(
        st.builds(ast.Guarantee, plain, _types, name, st.none(), about),
        st.builds(ast.Guarantee, st.just("never before"), _types, name, length, about),
        st.builds(ast.Guarantee, st.just("never both types"), st.just(()), name),
    )


_amounts = st.tuples(st.integers(0, 200), st.none()) | st.tuples(st.none(), st.integers(0, 100))
limits: SearchStrategy[ast.AnyLimit] = st.builds(
    lambda amount, *rest: ast.Limit(*amount, *rest),
    _amounts,
    st.none() | st.sampled_from(LICENSE_TYPES),
    st.booleans(),
    st.none() | st.none() | _lengths.filter(lambda length: length.days > 0),
) | st.builds(ast.Reserve, st.integers(0, 30), st.sampled_from(LICENSE_TYPES))


def _subject_of(limit: ast.Statement) -> tuple[object, ...]:
    if not isinstance(limit, ast.Limit):
        return type(limit), getattr(limit, "license_type", None)
    return limit.license_type, limit.count is None, limit.over and limit.over.days


@st.composite
def policies(draw: st.DrawFn) -> ast.Policy:
    """A policy that passes the type check, its statements in any order."""
    kinds = draw(st.lists(st.sampled_from(list(LETS.items())), max_size=2, unique_by=lambda item: item[0]))
    names = {name: kind for kind, all_names in kinds for name in all_names}
    lets = [
        ast.Let(name, draw(_literals(kind) | lists(_literals(kind)).filter(lambda v: v.items)))
        for name, kind in names.items()
    ]
    named = draw(st.lists(st.sampled_from(("leaver", "gone")), max_size=2, unique=True))
    for number, name in enumerate(named):  # the second may need the first
        condition = draw(conditions(names, named[:number]).filter(is_condition))
        assume(not (isinstance(condition, ast.Name) and condition.name in names))  # a name of a value has no name
        lets.append(ast.Let(name, condition))
    lengths = draw(st.sampled_from(((), ("grace",))))
    lets += [ast.Let(name, draw(_lengths)) for name in lengths]
    of = conditions(names, named, lengths)
    # One release rule that often matches, and few keep rules: so that every fact may turn a verdict.
    first: SearchStrategy[Any] = st.sampled_from([ast.UnusedFor(ast.Length(30, "days")), ast.Boolean(True)])
    releases = [draw(release_rules(first | of, lengths)), *draw(st.lists(release_rules(of, lengths), max_size=2))]
    downgrades = draw(st.lists(downgrade_rules(first | of, lengths), max_size=1))
    statements: list[ast.Statement] = [*lets, *draw(st.lists(keep_rules(of), max_size=3)), *downgrades, *releases]
    statements += draw(st.lists(guarantees(of, lengths), max_size=1))
    statements += draw(st.lists(limits, max_size=2, unique_by=_subject_of))
    statements += draw(st.lists(st.sampled_from(ZONES).map(ast.Timezone), max_size=1))
    return ast.Policy(tuple(draw(st.permutations(statements))))


def any_policies() -> SearchStrategy[ast.Policy]:
    """Any policy that can be written: every statement, every node, doubled and ill-typed ones too."""
    values = any_text.map(ast.Text) | lists(any_text.map(ast.Text) | numbers, most=12) | _lengths | any_conditions()
    statement = st.one_of(
        keep_rules(any_conditions()),
        release_rules(any_conditions(), [name for names in _NAMES for name in names]),
        downgrade_rules(any_conditions(), [name for names in _NAMES for name in names]),
        st.builds(ast.Rule, st.just("keep"), _types, any_text, st.none(), any_conditions()),
        st.builds(ast.Let, any_names, values),
        st.builds(ast.SetFrom, any_names, any_text.map(ast.Text), st.sampled_from(["text", "dates", "numbers"])),
        any_text.map(ast.Timezone),
        guarantees(any_conditions(), [name for names in _NAMES for name in names]),
        limits,
    )
    return st.lists(statement, max_size=4).map(lambda statements: ast.Policy(tuple(statements)))


# Butler ----------------------------------------------------------------------------------------------


def butler_maps() -> SearchStrategy[dict[str, Any]]:
    """A bare `licenseRelease` map that is right."""

    def maybe(strategy: SearchStrategy[Any]) -> SearchStrategy[Any]:
        return st.none() | st.lists(strategy, max_size=3)

    pools = {"user": USER_IDS, "dir": DIRECTORIES, "key": PROPERTY_KEYS, "value": VALUES}
    texts = {name: st.sampled_from(pool) for name, pool in pools.items()}
    when = st.fixed_dictionaries({"name": st.sampled_from(TAGS), "when": conditions().map(print_condition)})
    never = {
        "user": maybe(st.fixed_dictionaries({"userDir": texts["dir"], "userId": texts["user"]})),
        "tag": maybe(st.sampled_from(TAGS)),
        "customProperty": maybe(st.fixed_dictionaries({"name": texts["key"], "value": texts["value"]})),
        "userDirectory": maybe(texts["dir"]),
        **dict.fromkeys(("inactive", "blocked", "removedExternally"), st.sampled_from(["Ignore", "yes", " NO ", "No"])),
        "when": maybe(when),
    }
    needed = {"enable": st.booleans(), "releaseThresholdDays": st.sampled_from(THRESHOLDS)}
    more: dict[str, Any] = {
        "neverUsed": st.sampled_from(["fromAllocation", "release", "keep"]),
        "when": conditions().map(print_condition),
        "notice": st.fixed_dictionaries(
            {"days": st.sampled_from(THRESHOLDS)},
            optional={"reminderDays": st.none() | st.sampled_from(THRESHOLDS)},
        ),
    }
    types = {
        "professional": st.fixed_dictionaries(needed, optional={**more, "downgrade": st.booleans()}),
        "analyzer": st.fixed_dictionaries(needed, optional=more),
    }
    return st.fixed_dictionaries(
        {"licenseType": st.fixed_dictionaries({}, optional=types)},
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

UNREADABLE_USERS: tuple[object, ...] = (*WRONG, "u1", [], {}, {"id": 5}, {"userId": "x"})
"""What does not say whose a license is."""

_ABSENT = object()


def holder_of(row: Mapping[str, Any]) -> str | None:
    """The id of the user that a license row names; None when it names nobody, or not readably."""
    user = row.get("user")
    user_id = user.get("id") if isinstance(user, dict) else None
    return user_id if isinstance(user_id, str) else None


def _midnights() -> tuple[datetime, ...]:
    """The midnights of all zones around NOW's day, and the last moments before them."""
    days = [NOW.date() + timedelta(days=ahead) for ahead in (0, 1)]
    first = [datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC) for day in days for zone in ZONES]
    return tuple(
        moment - before for moment in dict.fromkeys(first) for before in (timedelta(), timedelta(microseconds=1))
    )


MIDNIGHTS = _midnights()
_edges = st.sampled_from(MIDNIGHTS).map(lambda moment: moment.strftime("%H:%M:%S.%f"))


@st.composite
def timestamps(draw: st.DrawFn) -> str:
    """A moment within about 70 days before NOW, often close to a midnight of a zone, as QRS writes it."""
    day = NOW.date() - timedelta(days=draw(_days_ago))
    clock = st.sampled_from(("12:00:00", "00:00:00", "23:59:59", "05:30:00", "10:00:00"))
    fraction = st.sampled_from((".000", "", ".9", ".1234567", ".99", ".123456", ".12345", ".1234"))
    return f"{day.isoformat()}T{draw(st.tuples(clock, fraction).map(''.join) | _edges)}Z"


_FLAGS = ("inactive", "blacklisted", "removedExternally", "deleteProhibited")
USER_FACTS = ("name", "roles", "tags", "customProperties", "attributes", "createdDate", *_FLAGS)
LICENSE_FACTS = ("lastUsed", "license.createdDate", "excess")
_BAD: Mapping[str, tuple[object, ...]] = {
    "user": (None, _ABSENT, {"id": "nobody"}, *UNREADABLE_USERS, {"id": "u1", "userId": 5, "name": []}),
    "lastUsed": (*UNREADABLE, *WRONG),
    "createdDate": (None, _ABSENT, *UNREADABLE, *WRONG),
}


def _row(facts: dict[str, SearchStrategy[Any]], broken: Set[str]) -> SearchStrategy[dict[str, Any]]:
    """A row with these facts; a broken one is often null, of a wrong type, unreadable or not there."""
    for name in broken & set(facts):
        facts[name] |= st.sampled_from(_BAD.get(name.rpartition(".")[2], (None, _ABSENT, *WRONG)))
    by_key = {name.rpartition(".")[2]: value for name, value in facts.items()}
    return st.fixed_dictionaries(by_key).map(lambda row: {k: v for k, v in row.items() if v is not _ABSENT})


def _users(user_id: str, broken: Set[str]) -> SearchStrategy[dict[str, Any]]:
    values = st.sampled_from(VALUES)
    tag = st.fixed_dictionaries({"name": st.sampled_from(TAGS)})
    definition = st.fixed_dictionaries({"name": st.sampled_from(PROPERTY_KEYS)})
    until = st.sampled_from((*DATES_WRITTEN, *DATES_WRITTEN, *NUMBERS_WRITTEN, "soon", ""))
    one_property = st.fixed_dictionaries({"value": values, "definition": definition}) | st.fixed_dictionaries(
        {"value": until, "definition": st.just({"name": UNTIL.key})}
    )
    attribute = st.fixed_dictionaries({"attributeType": st.sampled_from(ATTRIBUTE_KEYS), "attributeValue": values})
    facts: dict[str, SearchStrategy[Any]] = {
        "id": st.just(user_id),
        "userId": st.sampled_from(USER_IDS),
        "userDirectory": st.sampled_from(DIRECTORIES),
        "name": st.sampled_from(("Ann", "Bob B.", "")),
        "roles": st.lists(st.sampled_from(ROLES), max_size=2),
        "tags": st.lists(tag, max_size=2),
        "customProperties": st.lists(one_property, max_size=2),
        "attributes": st.lists(attribute, max_size=2),
        **dict.fromkeys(_FLAGS, st.booleans()),
        "createdDate": timestamps(),
    }
    return _row(facts, broken)


def _licenses(license_id: str, user_ids: tuple[str, ...], broken: Set[str]) -> SearchStrategy[dict[str, Any]]:
    facts: dict[str, SearchStrategy[Any]] = {
        "id": st.just(license_id),
        "user": st.sampled_from(user_ids).map(lambda i: {"id": i, "userId": "x", "userDirectory": "Y"}),
        "lastUsed": timestamps() | timestamps() | st.sampled_from((NEVER, None, _ABSENT, "0001-01-01T00:00:00Z")),
        "license.createdDate": timestamps(),
        "quarantined": st.integers(0, 7).map(lambda n: n == 7),
        "quarantineEnd": st.sampled_from((NEVER, None, "2026-11-25T00:00:00Z")),
        "excess": st.booleans(),
    }
    return _row(facts, broken)


@st.composite
def sites(draw: st.DrawFn, nasty: bool = True) -> dict[str, Any]:
    """A site in snapshot form. A nasty one has broken facts, doubled rows, rows without a user, a missing type."""
    ids = ("u1", "u2", "u3")[: draw(st.integers(1, 3))]
    accident = draw(st.integers(0, 9)) if nasty else 0
    broken = draw(st.sets(st.sampled_from(USER_FACTS + LICENSE_FACTS), max_size=8)) if nasty else set()
    broken |= {"user", "quarantined"} if accident >= 8 else set()
    users = [draw(_users(user_id, broken)) for user_id in ids]
    licenses: dict[str, list[dict[str, Any]]] = {}
    for license_type in LICENSE_TYPES:
        names = [f"{license_type[0]}{n}" for n in range(1, draw(st.integers(license_type == "analyzer", 3)) + 1)]
        licenses[license_type] = [draw(_licenses(name, ids, broken)) for name in names]
    if accident == 5:
        users.append(draw(_users(ids[0], broken)))
    elif accident == 6:
        doubled = draw(st.sampled_from(LICENSE_TYPES))
        licenses[doubled] += licenses[doubled][:1]
    elif accident == 7:
        del licenses["professional"]
    site = {"takenAt": "2026-11-21T02:00:00.000Z", "source": "test", "users": users, "licenses": licenses}
    rules = draw(st.lists(_license_rule_rows, max_size=3)) if draw(st.integers(0, 2)) == 2 else None
    return site if rules is None else {**site, "licenseRules": rules}


def as_json(site: Mapping[str, Any]) -> bytes:
    """A site as the bytes of a snapshot file."""
    return json.dumps(site, ensure_ascii=False).encode("utf-8", "surrogatepass")


_around_now = st.integers(-24 * 60, 24 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes))
moments = _around_now | st.sampled_from(MIDNIGHTS)
"""A moment within a day or two of NOW: a different calendar day, depending on the zone; often exactly a midnight."""


# License rules of Qlik -------------------------------------------------------------------------------

_RULE_TEXTS = (
    *("*", "ann", "RootAdmin", "root*", "Finance", "fin.*", "a*", "*IN", "*a*n*", "", "B\\\\c", "B\\c", "A\\B", "^F"),
    *("A\\*", ".*", "a|b", "[a-z]+", "\\w+", "\\\\w+", "Root(Admin)?", "(", "a**", "x{2}"),
    *("STRASSE", "ibrahim", ".", "n$"),
)
_RULE_PATHS = (
    *("user.name", "user.userId", "user.userid", "user.userDirectory", "user.roles", "user.group", "user.e-mail"),
    *("user.@Until", "user.@Department", "user.email", "user.Group", "user.tags", "user.environment.os"),
    "resource.name",
)
_RULE_LEAVES = (
    *("true", "false", "user.IsAnonymous()", "user.group.Empty()", "user.email.Empty()", "user.@Until.Empty()"),
    *("(user.name contains 5)", "user.level < 5", 'user.HasPrivilege("x")', "user.name = 5", "(foo bar)"),
    '!user.name="a"',
)

_rule_heads = {
    "name": st.sampled_from(LICENSE_RULES),
    "resourceFilter": st.sampled_from(("License.AnalyzerAccessGroup_1", "License.ProfessionalAccessGroup_1")),
    "disabled": st.sampled_from((False, False, False, True)),
}


def license_rules() -> SearchStrategy[str]:
    """The condition of a license rule, often of the site's values; some parts of it nobody understands."""
    operators = st.sampled_from(("=", "=", "like", "like", "!=", "==", "!==", "matches"))
    texts = st.sampled_from(_RULE_TEXTS + ROLES + USER_IDS + DIRECTORIES).filter(lambda text: '"' not in text)
    path, text = st.sampled_from(_RULE_PATHS[:8]) | st.sampled_from(_RULE_PATHS), texts.map(lambda text: f'"{text}"')
    compared = st.tuples(path, operators, text | path).map(" ".join)
    leaf = compared | compared | st.sampled_from(_RULE_LEAVES)

    def grow(parts: SearchStrategy[str]) -> SearchStrategy[str]:
        joins = st.sampled_from((" and ", " or ", " && ", "||"))
        several = st.lists(st.tuples(parts, joins), min_size=2, max_size=4)
        in_a_row = several.map(lambda row: "".join(part + join for part, join in row[:-1]) + row[-1][0])
        return st.one_of(parts.map(lambda part: f"!({part})"), parts.map(lambda part: f"({part})"), in_a_row)

    return st.recursive(leaf, grow, max_leaves=5)


_license_rule_rows = st.fixed_dictionaries({**_rule_heads, "rule": st.deferred(license_rules)})
"""License rules as QRS sends them, as far as we read them."""
