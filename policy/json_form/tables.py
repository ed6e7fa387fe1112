"""The objects of the JSON form: their keys with what stands there, for the reader and for the JSON Schema."""

from dataclasses import replace
from typing import Any

from seatwarden.grammar.ast import DOWNGRADED, LICENSE_TYPES, PROMISES, Date, MonthDay, Operator
from seatwarden.grammar.builder import is_name
from seatwarden.grammar.calendar_names import date_from
from seatwarden.grammar.keywords import KINDS_OF_LISTS
from seatwarden.grammar.suggest import did_you_mean
from seatwarden.policy.yaml.kinds import (
    DAY_SCHEMA,
    NAME_PATTERN,
    NAME_SCHEMA,
    SWITCH,
    TEXT,
    TEXT_NODE,
    TEXT_SCHEMA,
    WHOLE_SCHEMA,
    list_of,
    whole,
)
from seatwarden.policy.yaml.nodes import Entry, Node, YamlScalar
from seatwarden.policy.yaml.reader import YamlReader, describe
from seatwarden.policy.yaml.settings import Kind, Section, Setting, need

FORMAT = 1
"""Version of the JSON form; another one is refused."""
MARK = "seatwarden"
OPERATORS: tuple[Operator, ...] = ("=", "!=", "==", "!==", "like", "<", "<=", ">", ">=")
_DATE_HELP = 'dates are written year-month-day with two digits each: "2027-02-28"'

# Single values -------------------------------------------------------------------------------------------


def read_word(reader: YamlReader, node: Node, what: str, words: tuple[str, ...]) -> str | None:
    """One of a few words, exactly: programs write this form."""
    text = reader.text(node, what)
    if text is None or text in words:
        return text
    help_ = did_you_mean(text, words) or f"write one of {', '.join(words)}"
    reader.error("SW205", f"`{what}` is one of {', '.join(words)}", node.span, f"this is `{text}`", help_)
    return None


def _words(*words: str) -> Kind:
    return Kind(lambda reader, entry, what: read_word(reader, entry.value, what, words), {"enum": list(words)})


def _node(schema: dict[str, Any]) -> Kind:
    """The kind that the reader itself reads, since it is nested."""
    return Kind(lambda reader, entry, what: entry.value, schema)


def _date(reader: YamlReader, entry: Entry, what: str) -> Date | None:
    node = entry.value
    day = date_from(node.value) if isinstance(node, YamlScalar) and isinstance(node.value, str) else None
    if day is None:
        reader.error("SW205", f"`{what}` must be a date", node.span, f"this is {describe(node)}", _DATE_HELP)
        return None
    return Date(day, node.span)


def _name(reader: YamlReader, entry: Entry, what: str) -> str | None:
    name = reader.text(entry.value, "name")
    if name is None or is_name(name):
        return name
    help_ = "a name has letters, digits and _, starts with a letter, and is no word of the language"
    reader.error("SW006", f"`{name}` cannot be a name", entry.value.span, "not a name", help_)
    return None


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def _several(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _ref(name), "minItems": 2}


def _season_day(reader: YamlReader, entry: Entry, what: str) -> MonthDay | Date | None:
    node = entry.value
    text = node.value if isinstance(node, YamlScalar) and isinstance(node.value, str) else ""
    day = date_from(text)
    of_every_year = date_from(f"2000-{text}") if len(text) == len("12-15") else None
    if day is None and of_every_year is None:
        help_ = 'days are written "12-15" for every year, or "2026-12-15"'
        reader.error("SW205", f"`{what}` must be a day", node.span, f"this is {describe(node)}", help_)
        return None
    return Date(day, node.span) if day else MonthDay(of_every_year.month, of_every_year.day, node.span)  # type: ignore[union-attr]


_SEASON_DAY = Kind(_season_day, {"type": "string", "pattern": r"^(?:\d{4}-)?\d{2}-\d{2}$"})
_DAY = Kind(_date, DAY_SCHEMA)
_NAME = Kind(_name, {**NAME_SCHEMA, "description": "Letters, digits and `_`; no word of the language."})
_CONDITION = _node(_ref("condition"))
_OPERAND = _node(_ref("operand"))
_PERCENT = replace(
    whole("percent").must(lambda percent: percent <= 100, "more than 100 %", "not a share of the licenses"),
    schema={"type": "integer", "minimum": 0, "maximum": 100},
)
_FIELD_NAME = {
    "type": "string",
    "pattern": rf"^(?:(?:user|license)(?:\.{NAME_PATTERN})*(?:\.@)?|today|month|weekday)$",
}
_PARTS = Kind(lambda reader, entry, what: reader.items(entry.value, what), _several("condition"))

# The tables ----------------------------------------------------------------------------------------------


def _object(doc: str, *settings: Setting) -> Section:
    return Section(settings, doc, brief=True)


def _statement(kind: str, doc: str, *settings: Setting) -> Section:
    return _object(doc, need("kind", _node({"const": kind})), *settings)


_TYPES = Setting(
    "licenseTypes", list_of(_words(*LICENSE_TYPES)), "The license types a rule speaks of; absent or empty: both.", ()
)
_ITS_TYPE = Setting("licenseTypes", list_of(_words(DOWNGRADED)), "The one type that can be downgraded, or nothing.", ())
_CALLED = Setting("name", TEXT)
_UNTIL = Setting("until", _DAY, "The last day on which the rule holds.")
_WHEN = need("when", _CONDITION)
_REGARDLESS = Setting("regardlessOfUse", SWITCH, "Licenses that are in use are meant, too.", False)
_BY = _node({"anyOf": [_ref("length"), _ref("name")]})
NOTICE = _object(
    "Its user is told so long before, and reminded so long before the announced day.",
    need("of", _BY, "From the notice to the release."),
    Setting("reminder", _BY, "Absent: nobody is reminded."),
)
_NOTICE = Setting("notice", _node(NOTICE.schema()))
_COUNT = Setting("count", whole("licenses"), "Licenses a run.")
_SHARE = Setting("percent", _PERCENT, "Percent of the allocated licenses.")
_OF = Setting("licenseType", _words(*LICENSE_TYPES), "Absent: any type for a count, each type for a percentage.")
_REST = "Over the limit, release that many, longest unused first, and leave the rest."

LET = _statement(
    "let", "A named value, length of time or condition.", need("name", _NAME), need("value", _node(_ref("named")))
)
SET = _statement(
    "set",
    "A named list whose values stand in a file, one a line.",
    need("name", _NAME),
    need("from", TEXT_NODE),
    Setting("as", _words(*KINDS_OF_LISTS), "What the lines are.", "text"),
)
LIMIT = _statement(
    "limit",
    "How many licenses a run may release.",
    _COUNT,
    _SHARE,
    _OF,
    Setting("longestUnusedFirst", SWITCH, _REST, False),
    Setting("per", _node(_ref("length")), "Within so long, all runs together; absent: a run."),
)
RESERVE = _statement(
    "reserve",
    "No more is released than it takes until so many are free; the longest unused first.",
    need("free", whole("licenses"), "Licenses that are to be free."),
    need("licenseType", _words(*LICENSE_TYPES)),
)
TIMEZONE = _statement("timezone", "The time zone in which days are counted.", need("name", TEXT, "IANA name."))
GUARANTEE = _statement(
    "guarantee",
    "A sentence about the rules that is proved; it decides nothing.",
    need("promise", _words(*PROMISES), "What is promised of releases."),
    _TYPES,
    _CALLED,
    Setting("before", _BY, "Of `never before`: the disuse that there is at least."),
    Setting("when", _CONDITION, "The licenses it is about; absent: all of its types."),
)
STATEMENTS = {
    "keep": _statement("keep", "A keep rule.", _TYPES, _CALLED, _UNTIL, _WHEN),
    "downgrade": _statement("downgrade", "A downgrade rule.", _ITS_TYPE, _CALLED, _WHEN, _REGARDLESS, _NOTICE),
    "release": _statement("release", "A release rule.", _TYPES, _CALLED, _WHEN, _REGARDLESS, _NOTICE),
    "let": LET,
    "set": SET,
    "limit": LIMIT,
    "reserve": RESERVE,
    "timezone": TIMEZONE,
    "guarantee": GUARANTEE,
}
AND = _object("True when all are.", need("and", _PARTS, "", ()))
OR = _object("True when any is.", need("or", _PARTS, "", ()))
NOT = _object("True where the condition is false.", need("not", _CONDITION))
COMPARISON = _object(
    "A comparison.", need("operator", _words(*OPERATORS)), need("left", _OPERAND), need("right", _OPERAND)
)
UNUSED = _object(
    "The last use is that long ago, or longer.",
    need("unusedFor", _node({"anyOf": [WHOLE_SCHEMA, _ref("name")]})),
    Setting("unit", _words("days", "weeks"), "Of a number."),
    Setting("of", _words("user", "license"), "Whose: all licenses of the user, or the license alone.", "license"),
)
SEASON = _object("Today lies in a season, both days included.", need("from", _SEASON_DAY), need("to", _SEASON_DAY))
LENGTHS = {unit: _object(f"A length of time in {unit}.", need(unit, whole(unit))) for unit in ("days", "weeks")}
SHIFTED = {
    word: _object(f"A date, so much {word} than another.", need(word, _BY), need("than", _OPERAND))
    for word in ("later", "earlier")
}
IS_EMPTY = _object("The field has no value, or only blank ones.", need("isEmpty", _node(_ref("field"))))
READ_AS = _object(
    "The texts of a field, read as dates or as numbers.",
    need("readAs", _words("date", "number")),
    need("of", _node(_ref("field"))),
)
FIELD = _object(
    "A field.",
    need("field", Kind(TEXT.read, _FIELD_NAME), "A name that `seatwarden fields` lists."),
    Setting("key", TEXT, "Of user.@ the custom property, of user.attributes the attribute."),
)
NAMED = _object("The name of a `let` or `set` value.", need("name", _NAME))
DATE = _object("A calendar date.", need("date", _DAY))
WHOLE = Section(
    (
        Setting("$schema", _node({})),
        need(MARK, _node({"const": FORMAT}), "Version of this form."),
        need("statements", _node({"type": ["array", "null"], "items": _ref("statement")}), "In file order."),
    ),
    "The tree of a policy, for programs that read or write policies.",
)


def json_form_schema() -> dict[str, Any]:
    """The JSON Schema of the form."""
    literals = [TEXT_SCHEMA, WHOLE_SCHEMA, {"type": "boolean"}, DATE.schema()]
    # Null is not set, as if the key were not there.
    either = [{"required": [key], "properties": {key: {"type": "integer"}}} for key in ("count", "percent")]
    keyed = {"required": ["field"], "properties": {"field": {"type": "string", "pattern": "@$"}}}
    named = {"required": ["key"], "properties": {"key": {"type": "string"}}}
    statements = {name: section.schema() for name, section in STATEMENTS.items()}
    statements["limit"]["oneOf"] = either
    counted = {"required": ["unusedFor"], "properties": {"unusedFor": {"type": "integer"}}}
    in_units = {"required": ["unit"], "properties": {"unit": {"type": "string"}}}
    unused = UNUSED.schema() | {"if": counted, "then": in_units}
    conditions = [*(section.schema() for section in (AND, OR, NOT, COMPARISON, IS_EMPTY, SEASON)), unused]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:seatwarden:schema:json-form:1",
        "title": "seatwarden policy, JSON form 1",
        **WHOLE.schema(),
        "$defs": {
            "statement": {"oneOf": [_ref(name) for name in statements], "type": "object", "required": ["kind"]},
            **statements,
            "condition": {
                "description": "A condition; a value, name or field alone is one when it is true or false.",
                "anyOf": [*conditions, _ref("operand")],
            },
            "named": {"anyOf": [_ref("length"), _ref("condition")]},
            "length": {"anyOf": [section.schema() for section in LENGTHS.values()]},
            "operand": {"anyOf": [_ref("field"), _ref("name"), _ref("readAs"), _ref("shifted"), _ref("value")]},
            "shifted": {"anyOf": [section.schema() for section in SHIFTED.values()]},
            "readAs": READ_AS.schema(),
            "name": NAMED.schema(),
            "field": FIELD.schema() | {"if": keyed, "then": named},
            "value": {
                "description": "One value, or a list of which any may match.",
                "anyOf": [_ref("literal"), {"type": "array", "items": _ref("literal")}],
            },
            "literal": {"anyOf": literals},
        },
    }
