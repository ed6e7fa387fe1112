"""A point: one measurement at one moment, and the line of InfluxDB's line protocol it becomes.

influxdb-client escapes and formats. Two things are ours: numbers are always floats, since Butler's were and a field
keeps its first type for ever (`allocated=40`, never `40i`); and a point always has its own time, so that a line which
is sent twice is stored once.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from seatwarden.policy.butler.jobs import Tags

FieldValue: TypeAlias = float | str | bool

PRECISION = "ms"
"""Unit of the time in a line; InfluxDB 1, 2, 3 and VictoriaMetrics all keep it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_JOINER = "\u200b"
"""A zero-width space: line protocol has no way to write a backslash as the last character of a tag's value."""


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement: `at` is an aware instant, kept to the millisecond. A point without fields does not exist."""

    measurement: str
    tags: Tags
    fields: Mapping[str, FieldValue]
    at: datetime


def merge_tags(*sources: Iterable[tuple[str, str]]) -> Tags:
    """Tags from several sources: global static ones, then the feature's, then ours; a later one wins by its name."""
    merged: dict[str, str] = {}
    for source in sources:
        merged.update(source)
    return tuple(merged.items())


def known_numbers(fields: Mapping[str, object]) -> dict[str, FieldValue]:
    """The fields that are finite numbers, as floats; all others are left out."""
    numbers = {name: value for name, value in fields.items() if isinstance(value, int | float)}
    return {name: float(v) for name, v in numbers.items() if not isinstance(v, bool) and math.isfinite(v)}


def line(point: Point, with_time: bool = True) -> str:
    """The point in line protocol, without a line break; empty when the point has no field.

    Without a time the database would take its own clock's, as Butler let it. Tags and fields are in the order of
    their names. Line breaks and tabs in a tag become `\\n`, `\\r` and `\\t`; tags with an empty value are left out,
    since the database knows none.
    """
    from influxdb_client.client.write.point import Point as Line  # takes a while to import
    from influxdb_client.domain.write_precision import WritePrecision

    made = Line(point.measurement)
    for name, value in merge_tags(point.tags):
        made.tag(name, value + _JOINER if value.endswith("\\") else value)
    for name, number in point.fields.items():
        made.field(name, float(number) if isinstance(number, int | float) and not isinstance(number, bool) else number)
    if with_time:
        # Whole milliseconds by integer arithmetic: a float has no room for them in the far future.
        made.time(_milliseconds(point.at), WritePrecision.MS)
    text: str = made.to_line_protocol()
    # A line break in a text field, which the library leaves, and half of a character, which UTF-8 has no place for.
    return text.replace("\n", "\\n").encode("utf-8", "replace").decode()


def _milliseconds(instant: datetime) -> int:
    since = instant - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000
