"""Forms of older Butlers, from version 6 on, turned into today's before anything is read.

What moved, by the templates of Butler's own configuration file:

- to 6.1, `rejectUnauthorized` stood under `cert`; today under `configQRS`;
- to 8.6, the database stood under `uptimeMonitor.storeInInfluxdb`; today it is `influxDb`;
- from 11.1 to 12.1, the exempt users were `licenseRelease.neverReleaseUsers`, and there was no `dryRun`; today they are
  `neverRelease.user`;
- to 12.4, `influxDb.instanceTag` was the tag `butler_instance` of every point; today such a tag is written in
  `influxDb.tag.static`.

`configQRS.headerKey` and the flat form of `influxDb` are read where today's forms are.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec.structs import replace

from seatwarden.grammar.suggest import nearest
from seatwarden.policy.butler.rules import FLAGS, NEVER_RELEASE, USERS
from seatwarden.policy.butler.sections import inner
from seatwarden.policy.yaml.nodes import Entry, Node, YamlList, YamlMap, YamlScalar
from seatwarden.policy.yaml.reader import YamlReader

INSTANCE_TAG = "butler_instance"
_OLD_USERS = "neverReleaseUsers"
_Change: TypeAlias = Callable[[YamlReader, YamlMap], YamlMap]


def todays_form(reader: YamlReader, root: Node) -> Node:
    """The document in the form that Butler has today; `reader` gets a warning where a rule is written anew (SW211)."""
    if not isinstance(root, YamlMap):
        return root
    butler = root.get("Butler")
    if butler:
        return _changed(root, "Butler", todays_sections(reader, butler.value))
    return todays_sections(reader, root)


def todays_sections(reader: YamlReader, sections: Node) -> Node:
    """The same of the sections alone."""
    if not isinstance(sections, YamlMap):
        return sections
    for change in (_certificates, _database, _instance, _licenses, _bare_release, _release):
        sections = change(reader, sections)
    return sections


def with_older(schema: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of `licenseRelease`, which may have the exempt users of Butler 12.1 instead of `neverRelease`."""
    doc = "The exempt users up to Butler 12.1; today `neverRelease.user`."
    older = {_OLD_USERS: {**USERS.schema, "description": doc, "deprecated": True}}
    required = [key for key in schema.get("required", ()) if key != "neverRelease"]
    changed = {**schema, "properties": {**schema["properties"], **older}}
    if "neverRelease" in schema.get("required", ()):
        changed |= {"required": required, "anyOf": [{"required": ["neverRelease"]}, {"required": [_OLD_USERS]}]}
    return changed


# The site ------------------------------------------------------------------------------------------------


def _certificates(reader: YamlReader, sections: YamlMap) -> YamlMap:
    cert, qrs = sections.get("cert"), sections.get("configQRS")
    old = cert.value.written("rejectUnauthorized") if cert and isinstance(cert.value, YamlMap) else None
    if old is None or cert is None:
        return sections
    sections = _changed(sections, "cert", _without(cert.value, "rejectUnauthorized"))
    if qrs is None or not isinstance(qrs.value, YamlMap) or inner(qrs, "rejectUnauthorized"):
        return sections
    return _changed(sections, "configQRS", _with(qrs.value, old))


def _database(reader: YamlReader, sections: YamlMap) -> YamlMap:
    old = inner(sections.get("uptimeMonitor"), "storeInInfluxdb")
    if old is None or sections.written("influxDb") or not (inner(old, "hostIP") or inner(old, "dbName")):
        return sections
    return _with(sections, _entry("influxDb", old.key, old.value))


def _instance(reader: YamlReader, sections: YamlMap) -> YamlMap:
    """The old tag stands before all others, so that each of the same name wins over it."""
    influx = sections.get("influxDb")
    old = inner(influx, "instanceTag")
    if influx is None or old is None:
        return sections
    value = old.value
    section = _without(influx.value, "instanceTag")
    if isinstance(value, YamlScalar):
        if not value.text.strip():
            return _changed(sections, "influxDb", section)
        value = replace(value, value=str(value.value) if isinstance(value.value, str) else value.text)
    pair = YamlMap((_entry("name", old.key, _text(INSTANCE_TAG, old.key)), _entry("value", old.key, value)), value.span)
    tag = inner(influx, "tag")
    static = inner(tag, "static")
    if (tag and not isinstance(tag.value, YamlMap)) or (static and not isinstance(static.value, YamlList)):
        return sections  # which is an error of its own
    others = static.value.items if static and isinstance(static.value, YamlList) else ()
    listed = _entry("static", static.key if static else old.key, YamlList((pair, *others), value.span))
    tags = _with(tag.value if tag else YamlMap((), value.span), listed)
    return _changed(sections, "influxDb", _with(section, _entry("tag", tag.key if tag else old.key, tags)))


# The rules -----------------------------------------------------------------------------------------------


def _licenses(reader: YamlReader, sections: YamlMap) -> YamlMap:
    licenses = sections.get("qlikSenseLicense")
    release = inner(licenses, "licenseRelease")
    if licenses is None or release is None or not isinstance(release.value, YamlMap):
        return sections
    if release.value.get("dryRun") is None and not _mistyped(release.value, "dryRun"):
        reader.warning(
            "SW211",
            "`licenseRelease` has no `dryRun`, as up to Butler 12.1: this is a dry run",
            release.key.span,
            "nothing is released by `run`",
            "write `dryRun: true`, or `dryRun: false` where licenses are to be released",
        )
    return _changed(
        sections, "qlikSenseLicense", _changed(licenses.value, "licenseRelease", _release(reader, release.value))
    )


def _bare_release(reader: YamlReader, sections: YamlMap) -> YamlMap:
    release = sections.get("licenseRelease")
    if release is None or not isinstance(release.value, YamlMap):
        return sections
    return _changed(sections, "licenseRelease", _release(reader, release.value))


def _release(reader: YamlReader, release: YamlMap) -> YamlMap:
    """`neverReleaseUsers` as `neverRelease.user`; of both lists nobody is left out."""
    old = release.written(_OLD_USERS)
    if old is None:
        return release
    reader.warning(
        "SW211",
        f"`{_OLD_USERS}` is the form of Butler 12.1 and older",
        old.key.span,
        "read as `neverRelease.user`",
        "write `neverRelease:`, below it `user:`, and below that the same list",
    )
    release = _without(release, _OLD_USERS)
    kept = release.get("neverRelease")
    if kept is None:
        return _with(release, _entry("neverRelease", old.key, _nothing_but(old)))
    users = inner(kept, "user")
    if not isinstance(kept.value, YamlMap) or (users and not isinstance(users.value, YamlList)):
        return release
    listed = old.value
    if users and isinstance(users.value, YamlList) and isinstance(listed, YamlList):
        listed = YamlList((*users.value.items, *listed.items), users.value.span)
    elif users:
        listed = users.value
    return _changed(release, "neverRelease", _with(kept.value, _entry("user", users.key if users else old.key, listed)))


def _nothing_but(old: Entry) -> YamlMap:
    """All of `neverRelease`, in which only the users say something."""
    entries = [
        _entry(key, old.key, _text("Ignore", old.key) if key in FLAGS else YamlScalar(None, "", None, old.key.span))
        for key in NEVER_RELEASE
        if key != "user"
    ]
    return YamlMap((_entry("user", old.key, old.value), *entries), old.value.span)


# Nodes ---------------------------------------------------------------------------------------------------


def _mistyped(node: YamlMap, key: str) -> bool:
    """Whether one of the keys is that one, nearly."""
    return any(nearest(entry.key.text, (key,)) for entry in node.entries if entry.key.text != key)


def _text(text: str, place: YamlScalar) -> YamlScalar:
    return YamlScalar(text, text, None, place.span)


def _entry(key: str, place: YamlScalar, value: Node) -> Entry:
    """An entry that is written where another key stands."""
    return Entry(_text(key, place), value)


def _changed(node: Node, key: str, value: Node) -> YamlMap:
    """The map with another value of a key that it has."""
    assert isinstance(node, YamlMap)  # noqa: S101 - for the type checker: the key was found in it
    entries = (replace(entry, value=value) if entry.key.text == key else entry for entry in node.entries)
    return replace(node, entries=tuple(entries))


def _with(node: Node, entry: Entry) -> YamlMap:
    """The map with an entry, in place of the one of that key if there is one."""
    entries = node.entries if isinstance(node, YamlMap) else ()
    others = tuple(other for other in entries if other.key.text != entry.key.text)
    return YamlMap((*others, entry), node.span)


def _without(node: Node, key: str) -> YamlMap:
    assert isinstance(node, YamlMap)  # noqa: S101 - for the type checker: the key was found in it
    return replace(node, entries=tuple(entry for entry in node.entries if entry.key.text != key))
