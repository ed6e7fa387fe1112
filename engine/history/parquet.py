"""The history of licenses as Parquet, for who asks a year of it by pandas, DuckDB or Power BI."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from io import BytesIO
from itertools import islice

import pyarrow
from pyarrow.parquet import ParquetWriter

from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.facts.day import NEVER_BEFORE_YEAR
from seatwarden.engine.history.spans import SPAN_COLUMNS

_MOMENT = pyarrow.timestamp("ms", tz="UTC")
_TYPES = {name: pyarrow.string() for name in SPAN_COLUMNS} | {
    **dict.fromkeys(("from", "to", "lastUsed", "createdDate"), _MOMENT),
    **dict.fromkeys(("quarantined", "excess"), pyarrow.bool_()),
}
_ROWS = 50_000
"""Of a group, which is what lies in memory at once, and what a reader may leave out."""


def parquet(spans: Iterable[Mapping[str, object]]) -> bytes:
    """Spans, as `license_spans` has them, with types: moments are instants of UTC, and null for *never*.

    Null is also what QRS did not send, and what is not of its type.
    """
    schema = pyarrow.schema(list(_TYPES.items()))
    out = BytesIO()
    with ParquetWriter(out, schema, compression="zstd") as writer:
        for rows in _groups(iter(spans)):
            columns = [
                pyarrow.array([_value(row.get(name), kind) for row in rows], kind) for name, kind in _TYPES.items()
            ]
            writer.write_table(pyarrow.Table.from_arrays(columns, schema=schema))
    return out.getvalue()


def _groups(spans: Iterator[Mapping[str, object]]) -> Iterator[list[Mapping[str, object]]]:
    while rows := list(islice(spans, _ROWS)):
        yield rows


def _value(value: object, kind: pyarrow.DataType) -> str | bool | datetime | None:
    if kind == pyarrow.bool_():
        return value if isinstance(value, bool) else None
    if not isinstance(value, str) or kind != _MOMENT:
        return value if isinstance(value, str) else None
    moment = parse_timestamp(value)
    return moment if moment is not None and moment.year >= NEVER_BEFORE_YEAR else None
