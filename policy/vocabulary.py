"""The vocabulary: every field a rule can speak of, with its type, its source in QRS and a line of documentation.

The type check, the `fields` command, completion and the documentation all read this one table; a test holds
it against the facts the engine knows how to read.
"""

from difflib import SequenceMatcher
from enum import Enum

from msgspec import Struct

from seatwarden.grammar.ast import LICENSE_TYPES, Field
from seatwarden.grammar.calendar_names import WEEKDAYS
from seatwarden.grammar.printer import print_field
from seatwarden.grammar.suggest import did_you_mean, nearest, no_value
from seatwarden.policy.not_told import not_told


class Type(Enum):
    """The type of a value."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "true or false"


class FieldEntry(Struct, frozen=True):
    """One field, or one family of fields (`user.@` and `user.attributes`, which take a key).

    `many` says whether one user can have several values, `optional` whether a single one may be missing; `values` lists
    all possible texts where they are few; `source` names the field in QRS, `qmc` where the QMC shows it (empty where it
    does not).
    """

    name: str
    type: Type
    doc: str
    source: str
    example: str
    qmc: str = ""
    many: bool = False
    keyed: bool = False
    optional: bool = False
    values: tuple[str, ...] = ()


_ENTRIES = (
    FieldEntry(
        "user",
        Type.TEXT,
        "the user as DIRECTORY\\userId",
        "userDirectory and userId",
        r'user = "ADMIN\jdoe"',
        qmc="Users: User directory and User ID",
    ),
    FieldEntry(
        "user.userDirectory",
        Type.TEXT,
        "the user directory",
        "user.userDirectory",
        'user.userDirectory = ["INTERNAL", "ADMIN"]',
        qmc="Users: User directory",
    ),
    FieldEntry(
        "user.userId",
        Type.TEXT,
        "the user ID, without its directory",
        "user.userId",
        'user.userId like "sa_*"',
        qmc="Users: User ID",
    ),
    FieldEntry(
        "user.name",
        Type.TEXT,
        "the display name",
        "user.name",
        'user.name like "*(external)"',
        qmc="Users: Name",
    ),
    FieldEntry(
        "user.roles",
        Type.TEXT,
        "the admin roles",
        "user.roles",
        'user.roles = "RootAdmin"',
        many=True,
        qmc="Users: Admin roles",
    ),
    FieldEntry(
        "user.tags",
        Type.TEXT,
        "the tags",
        "user.tags",
        'user.tags = "License do not release"',
        many=True,
        qmc="Users: Tags",
    ),
    FieldEntry(
        "user.@",
        Type.TEXT,
        "the values of a custom property",
        "user.customProperties",
        'user.@LicenseManage = "do-not-release"',
        many=True,
        keyed=True,
        qmc="Users: Custom properties",
    ),
    FieldEntry(
        "user.attributes",
        Type.TEXT,
        "the values of an attribute that was synchronized from the user directory, such as email or group",
        "user.attributes",
        'user.attributes.group = "Qlik Admins"',
        many=True,
        keyed=True,
    ),
    FieldEntry(
        "user.inactive",
        Type.BOOLEAN,
        "marked Inactive in the QMC",
        "user.inactive",
        "user.inactive",
        qmc="Users: Inactive",
    ),
    FieldEntry(
        "user.blocked",
        Type.BOOLEAN,
        "marked Blocked in the QMC",
        "user.blacklisted",
        "user.blocked",
        qmc="Users: Blocked",
    ),
    FieldEntry(
        "user.removedExternally",
        Type.BOOLEAN,
        "no longer in the directory the user was synchronized from",
        "user.removedExternally",
        "user.removedExternally",
        qmc="Users: Removed externally",
    ),
    FieldEntry(
        "user.deleteProhibited",
        Type.BOOLEAN,
        "marked Delete prohibited in the QMC",
        "user.deleteProhibited",
        "user.deleteProhibited",
        qmc="Users: Delete prohibited",
    ),
    FieldEntry(
        "user.createdDate",
        Type.DATE,
        "the day Qlik Sense first saw the user",
        "user.createdDate",
        "user.createdDate >= 2026-01-01",
        qmc="Users: Created",
    ),
    FieldEntry(
        "user.licenses",
        Type.TEXT,
        "the license types allocated to the user, quarantined ones not counted",
        "license/professionalaccesstype and license/analyzeraccesstype",
        'user.licenses = "professional"',
        many=True,
        values=LICENSE_TYPES,
        qmc="License management: Professional and Analyzer access allocations",
    ),
    FieldEntry(
        "user.lastUsed",
        Type.DATE,
        "the day of the last use over all licenses of the user; who never used one has none",
        "lastUsed of all the user's licenses",
        "user.lastUsed < 2026-07-01",
        optional=True,
    ),
    FieldEntry(
        "user.unusedDays",
        Type.NUMBER,
        "calendar days since the latest use over all licenses of the user, or since the latest allocation when none was"
        " ever used",
        "lastUsed, createdDate of all the user's licenses",
        "user.unusedDays > 45",
    ),
    FieldEntry(
        "user.lastReleased",
        Type.DATE,
        "the day on which a run last released a license of the user; whose licenses no run ever released has none",
        "the journals of this site's runs",
        "user.lastReleased > today - 180 days",
        optional=True,
    ),
    FieldEntry(
        "license.type",
        Type.TEXT,
        "the type of the license that is decided on",
        "license/professionalaccesstype or license/analyzeraccesstype",
        'license.type = "analyzer"',
        values=LICENSE_TYPES,
        qmc="License management: Professional or Analyzer access allocations",
    ),
    FieldEntry(
        "license.lastUsed",
        Type.DATE,
        "the day of the last use; a license that was never used has none",
        "lastUsed",
        "license.lastUsed < 2026-07-01",
        optional=True,
        qmc="License management: Last used",
    ),
    FieldEntry(
        "license.createdDate",
        Type.DATE,
        "the day the license was allocated",
        "createdDate",
        "license.createdDate < 2026-07-01",
        qmc="License management: Created",
    ),
    FieldEntry(
        "license.neverUsed",
        Type.BOOLEAN,
        "never used since it was allocated; written `never used`",
        "lastUsed is null, absent or before 1900",
        "never used",
    ),
    FieldEntry(
        "license.unusedDays",
        Type.NUMBER,
        "calendar days since the last use, or since the allocation when never used",
        "lastUsed, createdDate",
        "license.unusedDays > 45",
    ),
    FieldEntry(
        "license.excess", Type.BOOLEAN, "allocated beyond what the site's license covers", "excess", "license.excess"
    ),
    FieldEntry(
        "license.takenBackBy",
        Type.TEXT,
        "the license rules by which the user certainly gets the license again at the next log-in; none where certainly"
        " no rule gives it",
        "systemrule of the category License",
        'license.takenBackBy = "Analyzer for all"',
        many=True,
    ),
    FieldEntry(
        "license.available",
        Type.NUMBER,
        "licenses of the same type that are free at the site, before this run",
        "license/accesstypeoverview",
        "license.available < 20",
    ),
    FieldEntry(
        "license.total",
        Type.NUMBER,
        "licenses of the same type that the site has in all",
        "license/accesstypeoverview",
        "license.total >= 100",
    ),
    FieldEntry("today", Type.DATE, "the day of the run, in the policy's time zone", "the run", "today >= 2026-12-01"),
    FieldEntry("month", Type.NUMBER, "the month of the run, 1 to 12", "the run", "month = [11, 12, 1]"),
    FieldEntry(
        "weekday", Type.TEXT, "the weekday of the run, in English", "the run", 'weekday = "sunday"', values=WEEKDAYS
    ),
)

VOCABULARY: dict[str, FieldEntry] = {entry.name: entry for entry in _ENTRIES}
"""Every field by its name."""

OF_POOL = ("license.available", "license.total")
"""The fields that count the site's licenses: the same for all licenses of a type, in one plan."""
NOUNS = {
    "user": "user",
    "user.userDirectory": "user directory",
    "user.userId": "user ID",
    "user.name": "name",
    "user.roles": "role",
    "user.tags": "tag",
    "user.@": "custom property",
    "user.attributes": "attribute",
}
"""The fields whose texts are names that somebody on the site has, with what such a name is."""

IN_USE = {"user.@": Field("site.properties"), "user.attributes": Field("site.attributes")}
"""For each family the field of the names that anybody at the site has: a fact of the site, which no rule can name.

`user.@Departmnet is empty` would hold for everybody. Of a name that nobody has it is not known who has no value.
"""


_OF_QLIK = {
    "active": "not user.inactive",
    "isactive": "not user.inactive",
    "enabled": "not user.inactive",
    "rolename": "user.roles",
    "blacklisted": "user.blocked",
    "isblacklisted": "user.blocked",
}
"""What other names that the field has for the user's facts are here."""
_PROPERTIES = ("customproperty", "customproperties", "property", "properties")
_ALIKE = 0.8
"""How much a name must be like a field to be that one mistyped, and nothing else."""


def entry_of(field: Field) -> FieldEntry | None:
    """The vocabulary's entry for a field as it stands in a rule, or None when there is no such field."""
    entry = VOCABULARY.get(field.name)
    return entry if entry is not None and entry.keyed == (field.key is not None) else None


def _of_the_user(key: str) -> str:
    """How a property or an attribute of that name is written."""
    property_, attribute = print_field(Field("user.@", key)), print_field(Field("user.attributes", key))
    return f"a custom property is written `{property_}`, an attribute of the user directory `{attribute}`"


def _asked_of(name: str) -> str | None:
    """A help line for a field with a question behind it, as other languages write it: `user.tags.length`."""
    field, _, question = name.rpartition(".")
    if field not in VOCABULARY and not field.startswith(("user.@", "user.attributes.")):
        return None
    match question.casefold():
        case "empty" | "isempty" | "null" | "isnull":
            return no_value(field)
        case "length" | "count" | "size" | "len":
            return f"how many values it has is not asked; whether it has any: `{field} is not empty`"
        case _:
            return None


def field_help(name: str) -> str | None:
    """A help line for a name that is no field: what to write instead.

    Only what stands behind the first dot is compared: `user.` in front of it is no likeness.
    """
    first, _, rest = name.partition(".")
    fields = {known.removeprefix(f"{first}."): e for known, e in VOCABULARY.items() if known.startswith(f"{first}.")}
    if not fields:
        return did_you_mean(name, VOCABULARY) or not_told(name)
    word, _, tail = rest.partition(".")
    part = word.casefold()
    if asked := _asked_of(name):
        return asked
    if first == "user" and part in _PROPERTIES:
        return f"a custom property is written `{print_field(Field('user.@', tail.strip(chr(34)) or 'Department'))}`"
    whole = [f for f in fields if len(part) > 1 and (f.casefold().startswith(part) or f.casefold().endswith(part))]
    if first == "user" and part in _OF_QLIK:
        return f"write `{_OF_QLIK[part]}`"
    if untold := not_told(word):
        return untold
    found = nearest(word, fields) or (whole[0] if len(whole) == 1 else None)
    mistyped = found in whole or (found is not None and SequenceMatcher(None, part, found.casefold()).ratio() >= _ALIKE)
    meant = ""
    if found is not None:
        keyed = fields[found].keyed and tail
        meant = f"did you mean `{print_field(Field(fields[found].name, tail)) if keyed else fields[found].name}`?"
    if meant and (mistyped or first != "user"):
        return meant
    if first == "user" and rest:
        return _of_the_user(rest.strip("@\"'")) + (f"; or {meant}" if meant else "")
    return f"its fields are {', '.join(entry.name for entry in fields.values())}"
