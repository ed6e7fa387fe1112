"""The settings of `licenseRelease` that are rules, and ours beside them: what may stand there and what it means.

`neverRelease` and `licenseType` become keep and release rules, named by their key, in the order in which Butler tests
them. Comparison is exact (`==`), as in Butler.
"""

from typing import Any, cast

from msgspec.structs import replace

from seatwarden.grammar.ast import (
    DOWNGRADED,
    DOWNGRADED_TO,
    LICENSE_TYPES,
    And,
    AnyLimit,
    Comparison,
    Condition,
    Date,
    Field,
    Length,
    LicenseType,
    Limit,
    ListOf,
    Not,
    Notice,
    Or,
    Rule,
    RuleKind,
    Text,
    Timezone,
    UnusedFor,
)
from seatwarden.grammar.calendar_names import date_from
from seatwarden.grammar.errors import PolicySyntaxError
from seatwarden.grammar.keywords import UNITS
from seatwarden.grammar.parser import parse_condition, parse_limit
from seatwarden.grammar.spans import NOWHERE, Span
from seatwarden.policy.butler.guarantees import GUARANTEES
from seatwarden.policy.butler.names import LENGTHS, LETS, SETS, named_conditions
from seatwarden.policy.diagnostics import from_syntax
from seatwarden.policy.operators import MAX_SHIFT
from seatwarden.policy.yaml.kinds import (
    DAY_SCHEMA,
    SWITCH,
    TEXT,
    TEXT_NODE,
    TEXT_SCHEMA,
    WHOLE_SCHEMA,
    any_case,
    between,
    list_of,
    map_of,
    maps,
    one_of,
    whole,
)
from seatwarden.policy.yaml.nodes import Entry, Node, YamlList, YamlScalar
from seatwarden.policy.yaml.reader import YamlReader, describe
from seatwarden.policy.yaml.settings import Kind, Section, Setting, Values, need
from seatwarden.policy.yaml.text import locate_in

FLAGS = {"inactive": "user.inactive", "blocked": "user.blocked", "removedExternally": "user.removedExternally"}


def ours(key: str, kind: Kind, doc: str, default: Any = None) -> Setting:
    """A setting that Butler does not know."""
    return Setting(key, kind, f"{doc} A setting of seatwarden's.", default)


# Single values -------------------------------------------------------------------------------------------


def _condition(reader: YamlReader, entry: Entry, what: str) -> Condition | None:
    """A condition in the policy language; spans point into the YAML file."""
    node = entry.value
    if not isinstance(node, YamlScalar) or not isinstance(node.value, str):
        reader.unlike(node, what, "a condition", 'like: user.tags = "vip"')
        return None
    try:
        return parse_condition(node.value, locate_in(node))
    except PolicySyntaxError as error:
        reader.findings += [from_syntax(problem) for problem in error.problems]
        return None


def _until(reader: YamlReader, entry: Entry, what: str) -> Date | None:
    """A date; YAML reads an unquoted one as its date type, quoted it is text."""
    day = date_from(entry.value.text) if isinstance(entry.value, YamlScalar) else None
    if day is None:
        help_ = "dates are written year-month-day with two digits each: 2027-02-28"
        reader.error("SW205", f"`{what}` must be a date", entry.value.span, f"this is {describe(entry.value)}", help_)
        return None
    return Date(day, entry.value.span)


def _license_types(reader: YamlReader, entry: Entry, what: str) -> tuple[LicenseType, ...]:
    """One type or a list of them; none is both, as in a rule that names no type."""
    one = isinstance(entry.value, YamlScalar) and entry.value.value is not None
    nodes = (entry.value,) if one else reader.items(entry.value, what)
    words = [reader.one_of(node, what, LICENSE_TYPES) for node in nodes]
    return tuple(dict.fromkeys(cast(LicenseType, word) for word in words if word is not None))


CONDITION = Kind(
    _condition,
    {
        "type": "string",
        "minLength": 1,
        "examples": ['user.tags = "vip"', 'user.@Department = "Finance" and month = [11, 12, 1]'],
    },
)
DATE = Kind(_until, DAY_SCHEMA)

# What is kept --------------------------------------------------------------------------------------------


def _users(reader: YamlReader, entry: Entry, what: str) -> Condition | None:
    """`user == ["DIR\\id", …]`; a pair whose own text has a backslash is compared part by part, since
    `A\\B` + `c` and `A` + `B\\c` are written alike."""
    names: list[Text] = []
    conditions: list[Condition] = []
    for pair in USERS.read(reader, entry, what):
        directory, user_id = pair["userDir"], pair["userId"]
        if directory is None or user_id is None:
            continue
        if "\\" in directory.value or "\\" in user_id.value:
            parts = (("user.userDirectory", directory), ("user.userId", user_id))
            compared = (Comparison("==", Field(name, None, text.span), text, text.span) for name, text in parts)
            conditions.append(And(tuple(compared), pair.map.span))
        else:
            names.append(Text(f"{directory.value}\\{user_id.value}", directory.span.to(user_id.span)))
    if names:
        conditions.insert(0, _listed(Field("user", None, entry.key.span), names, entry.key.span))
    return _any(conditions, entry.key.span)


def _one_of_the_texts(field: str) -> Kind:
    """`field == [text, …]`."""

    def read(reader: YamlReader, entry: Entry, what: str) -> Condition | None:
        texts = TEXTS.read(reader, entry, what)
        return _listed(Field(field, None, entry.key.span), list(texts), entry.key.span) if texts else None

    return Kind(read, TEXTS.schema)


def _custom_properties(reader: YamlReader, entry: Entry, what: str) -> Condition | None:
    values: dict[str, list[Text]] = {}
    places: dict[str, Span] = {}
    for pair in PROPERTIES.read(reader, entry, what):
        name, value = pair["name"], pair["value"]
        if name is not None and value is not None:
            values.setdefault(name.value, []).append(value)
            places.setdefault(name.value, name.span)
    conditions: list[Condition] = [
        _listed(Field("user.@", name, places[name]), texts, places[name]) for name, texts in values.items()
    ]
    return _any(conditions, entry.key.span)


def _flag(reader: YamlReader, entry: Entry, what: str) -> Condition | None:
    """`Yes` keeps users that are marked so in the QMC, `No` those that are not; `Ignore` is no rule."""
    word = YES_OR_NO.read(reader, entry, what)
    field = Field(FLAGS[entry.key.text], None, entry.value.span)
    if word == "yes":
        return field
    return Not(field, entry.value.span) if word == "no" else None


def _named_rule(reader: YamlReader, entry: Entry, what: str) -> Rule | None:
    rule = NAMED_RULE.read(reader, entry.value, what)
    if rule is None or rule["name"] is None or rule["when"] is None:
        return None
    span = rule.map.span
    return Rule("keep", rule["licenseType"], rule["name"], rule["until"], rule["when"], span, rule.span("name"))


def _keep_rules(section: Section) -> Kind:
    def read(reader: YamlReader, entry: Entry, _: str) -> list[Rule]:
        never = section.read(reader, entry.value, "neverRelease")
        if never is None:
            return []
        places = [(key, found.key.span) for key in NEVER_RELEASE if (found := never.map.get(key))]
        rules = [Rule("keep", (), key, None, never[key], span, span) for key, span in places if never[key] is not None]
        return [*rules, *never["when"]]

    return Kind(read, section.schema())


# What is released ----------------------------------------------------------------------------------------


def _taking(section: Section) -> Kind:
    return Kind(lambda reader, entry, what: _taking_rule(section, reader, entry, what), section.schema())


def _taking_rule(section: Section, reader: YamlReader, entry: Entry, what: str) -> Rule | None:
    settings = section.read(reader, entry.value, what)
    if settings is None or not settings["enable"] or settings["releaseThresholdDays"] is None:
        return None
    place = settings.span("releaseThresholdDays")
    condition: Condition = UnusedFor(Length(settings["releaseThresholdDays"], "days", place), False, place)
    never_used = Field("license.neverUsed", None, place)
    if settings["neverUsed"] == "release":
        condition = Or((condition, never_used), place)
    elif settings["neverUsed"] == "keep":
        condition = And((condition, Not(never_used, place)), place)
    if settings["when"] is not None:
        condition = And((*_and_parts(condition), *_and_parts(settings["when"])), place)
    license_type = cast(LicenseType, entry.key.text)
    key, said = entry.key.span, settings["regardlessOfUse"]
    said_at = settings.span("regardlessOfUse") if said else NOWHERE
    kind: RuleKind = "downgrade" if settings.by_key.get("downgrade") else "release"
    return Rule(kind, (license_type,), None, None, condition, key, key, said, said_at, settings["notice"])


def _notice(said: Values) -> Notice | None:
    days, reminder = said.take("days", "reminderDays")
    if days is None:
        return None
    back = Length(reminder, "days", said.span("reminderDays")) if reminder is not None else None
    return Notice(Length(days, "days", said.span("days")), back, said.map.span)


def _release_rules(section: Section) -> Kind:
    def read(reader: YamlReader, entry: Entry, _: str) -> list[Rule]:
        types = section.read(reader, entry.value, "licenseType")
        rules = types.by_key.values() if types else ()
        return sorted((rule for rule in rules if rule is not None), key=lambda rule: rule.span)

    return Kind(read, section.schema())


# Ours ----------------------------------------------------------------------------------------------------


def _timezone(reader: YamlReader, entry: Entry, _: str) -> list[Timezone]:
    name = reader.text(entry.value, "timezone")
    return [Timezone(name, entry.value.span, entry.value.span)] if name is not None else []


def _limits(reader: YamlReader, entry: Entry, _: str) -> list[AnyLimit]:
    nodes = entry.value.items if isinstance(entry.value, YamlList) else (entry.value,)
    limits = [_limit(reader, node) for node in nodes]
    return [limit for limit in limits if limit is not None]


def _limit(reader: YamlReader, node: Node) -> AnyLimit | None:
    if isinstance(node, YamlScalar) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        count = reader.whole(node, "limit", "licenses")
        return Limit(count, None, span=node.span) if count is not None else None
    if not isinstance(node, YamlScalar) or not isinstance(node.value, str):
        reader.unlike(node, "limit", "a number, a text or a list of them", "like: 50 per run")
        return None
    text = reader.text(node, "limit")
    if text is None:
        return None
    try:
        return parse_limit(text, locate_in(node)).but(span=node.span)
    except PolicySyntaxError as error:
        reader.findings += [from_syntax(problem) for problem in error.problems]
        return None


def _listed(field: Field, texts: list[Text], span: Span) -> Comparison:
    value = texts[0] if len(texts) == 1 else ListOf(tuple(texts), texts[0].span.to(texts[-1].span))
    return Comparison("==", field, value, span)


def _and_parts(condition: Condition) -> tuple[Condition, ...]:
    return condition.operands if isinstance(condition, And) else (condition,)


def _any(conditions: list[Condition], span: Span) -> Condition | None:
    if len(conditions) > 1:
        return Or(tuple(conditions), span)
    return conditions[0] if conditions else None


# The tables ----------------------------------------------------------------------------------------------

TEXTS = list_of(TEXT_NODE)
USERS = maps(need("userDir", TEXT_NODE, "The user directory."), need("userId", TEXT_NODE, "The user ID."))
PROPERTIES = maps(need("name", TEXT_NODE, "The custom property."), need("value", TEXT_NODE, "One of its values."))
YES_OR_NO = one_of(("yes", "no", "ignore"), ("Yes", "No", "Ignore"))
_FLAG = Kind(_flag, {**YES_OR_NO.schema, "default": "Ignore"})
_WORD = one_of(LICENSE_TYPES).schema
_WORDS = Kind(_license_types, {"anyOf": [_WORD, {"type": ["array", "null"], "items": _WORD}]})

NAMED_RULE = Section(
    (
        need("name", TEXT, "What the rule is called in reports."),
        need("when", CONDITION, "The condition, in the policy language."),
        Setting("until", DATE, "The last day on which the rule keeps anything."),
        Setting("licenseType", _WORDS, "The license types it speaks of; both unless set.", ()),
    ),
    brief=True,
)
KEPT = (
    Setting("user", Kind(_users, USERS.schema), "Users by directory and user ID."),
    Setting("tag", _one_of_the_texts("user.tags"), "Tags of users."),
    Setting("customProperty", Kind(_custom_properties, PROPERTIES.schema), "Values of users' custom properties."),
    Setting("userDirectory", _one_of_the_texts("user.userDirectory"), "User directories."),
    Setting("inactive", _FLAG, "Yes keeps users that are inactive, No all that are active, Ignore looks away."),
    Setting("blocked", _FLAG, "Yes keeps users that are blocked, No all that are not, Ignore looks away."),
    Setting(
        "removedExternally", _FLAG, "Yes keeps those removed from their directory, No all others, Ignore looks away."
    ),
)
"""Butler's settings of `neverRelease`, in the order in which it tests them."""
NEVER_RELEASE = tuple(setting.key for setting in KEPT)
_NAMED_RULES = list_of(Kind(_named_rule, NAMED_RULE.schema()))

_NEVER_USED = "Whether a license that was never used counts from its allocation, is released at once, or kept."
NOTICE = Section(
    (
        need("days", between(0, MAX_SHIFT, "days"), "Calendar days from the notice to the release."),
        Setting("reminderDays", between(0, MAX_SHIFT, "days"), "How many days before the release a reminder goes out."),
    )
)
_NOTICE = "Users are told before a release by this rule."
_TAKING = (
    need("enable", SWITCH, "false: licenses of this type are never released."),
    need("releaseThresholdDays", whole("days"), "Calendar days of disuse after which a license is released."),
    ours("when", CONDITION, "A condition that must hold too, in the policy language."),
    ours("neverUsed", one_of(("fromAllocation", "release", "keep")), _NEVER_USED, "fromAllocation"),
    ours("regardlessOfUse", SWITCH, "true: licenses that are in use are meant, too.", False),
    ours("notice", map_of(NOTICE, _notice), _NOTICE),
)
_DOWNGRADE = ours("downgrade", SWITCH, "true: the user gets an Analyzer license in its place.", False)
RELEASED = (
    Setting(DOWNGRADED, _taking(Section((*_TAKING, _DOWNGRADE))), "Professional access licenses."),
    Setting(DOWNGRADED_TO, _taking(Section(_TAKING)), "Analyzer access licenses."),
)
_KEPT_DOC = "Whose licenses are kept. One match is enough; upper and lower case count."
_RELEASED_DOC = "The license types and after how many days of disuse their licenses are released."


def rules(complete: bool) -> tuple[Setting, Setting]:
    """The settings that are rules. In a `complete` file of Butler's every key of Butler's must be there."""
    kept, released = ([replace(one, required=complete) for one in settings] for settings in (KEPT, RELEASED))
    never = _keep_rules(Section((*kept, ours("when", _NAMED_RULES, "Further rules, in the policy language.", ()))))
    types = _release_rules(Section(tuple(released)))
    return (
        Setting("neverRelease", never, _KEPT_DOC, (), required=complete),
        need("licenseType", types, _RELEASED_DOC, ()),
    )


_LONGEST = rf"\s*,\s*{any_case('longest')}\s+{any_case('unused')}\s+{any_case('first')}"
_LIMIT_TEXT = {
    "type": "string",
    "pattern": r"^\s*(?:\d{1,9}|0{0,6}(?:100|\d{1,2})\s*%)"
    rf"(?:\s*{any_case('of')}\s+(?:{'|'.join(map(any_case, LICENSE_TYPES))}))?"
    rf"(?:\s*{any_case('per')}\s+(?:{any_case('run')}|\d{{1,9}}\s*(?:{'|'.join(map(any_case, UNITS))})))?"
    rf"(?:{_LONGEST})?\s*$"
    rf"|^\s*{any_case('reach')}\s+\d{{1,9}}\s*{any_case('free')}\s+(?:{'|'.join(map(any_case, LICENSE_TYPES))})"
    rf"{_LONGEST}\s*$",
}
_LIMITS = {
    "anyOf": [WHOLE_SCHEMA, _LIMIT_TEXT, {"type": "array", "items": {"anyOf": [WHOLE_SCHEMA, _LIMIT_TEXT]}}],
    "examples": [
        *("50 per run, longest unused first", "10% of analyzer per run", "2% of analyzer per 7 days"),
        "reach 20 free analyzer, longest unused first",
    ],
}
LIMITS = Kind(_limits, _LIMITS)
"""One limit or a list of them: a number, or the words of the language behind `limit release to`."""
_ZONE = {**TEXT_SCHEMA, "examples": ["Europe/Stockholm", "UTC"]}
_ZONE_DOC = "IANA name of the time zone in which days are counted; UTC unless set."
_SETS_DOC = "Named lists for conditions, one value a line in a file beside this one."
OURS = (
    ours("timezone", Kind(_timezone, _ZONE), _ZONE_DOC, ()),
    ours("limit", LIMITS, "How many licenses a run may release; several limits as a list.", ()),
    ours("let", LETS, "Named values for conditions.", ()),
    ours("days", LENGTHS, "Named lengths of time for conditions, like `30 days`.", ()),
    ours("conditions", named_conditions(CONDITION), "Named conditions, in the policy language.", ()),
    ours("set", SETS, _SETS_DOC, ()),
    ours("guarantees", GUARANTEES, "Sentences about all rules together, by name; each is proved.", ()),
)
