"""A snapshot in parts: its rows, list by list, and what stands around them, so that it can be put together again.

A row is a *skeleton*, the row with holes where timestamps stand, and its timestamps. What people do to a site moves
timestamps; everything else of a row changes seldom.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from seatwarden.engine.common.json_errors import UNREADABLE
from seatwarden.engine.snapshot.surrogates import with_marks
from seatwarden.policy.errors import InputError

USERS = "users"
"""The name of the list of users; the lists of licenses are called by their types."""
SEPARATOR = b"\x00"
"""No JSON has it, neither within a text nor between values."""
_TIMESTAMP = re.compile(rb'"(\d{4}-\d\d-\d\dT[0-9:.]{8,16}Z)"')


class ListFrame(NamedTuple):
    """What stands around the rows of a list: before the first, between any two, behind the last."""

    name: str
    head: bytes
    between: bytes
    tail: bytes


class CutSnapshot(NamedTuple):
    """A snapshot as text between lists, and lists: `texts` has one part more than `frames`. `rows` has the rows of each
    list, `whole` all bytes where the parts would not make the same ones."""

    texts: tuple[bytes, ...]
    frames: tuple[ListFrame, ...]
    rows: Mapping[str, Sequence[bytes]]
    whole: bytes | None

    @property
    def envelope(self) -> bytes:
        """What stands around the rows, as one text."""
        parts = [self.texts[0]]
        for frame, text in zip(self.frames, self.texts[1:], strict=True):
            parts += [frame.name.encode(), frame.head, frame.between, frame.tail, text]
        return SEPARATOR.join(parts)


def cut_snapshot(text: bytes, what: str) -> CutSnapshot:
    """The parts of a snapshot that is JSON; `what` names it in messages. Raises InputError."""
    if SEPARATOR in text or b"\x01" in text:
        raise InputError(f"{what} is not JSON: it has bytes that JSON cannot have")
    try:
        lists = list(_lists(text))
        rows = {name: [bytes(row) for row in msgspec.json.decode(raw, type=list[Raw])] for name, _, raw in lists}
    except (KeyError, *UNREADABLE):
        if with_marks(text) is not None:
            why = "a text in it has half a character (a lone surrogate)"
            raise InputError(f"{what} cannot be kept: {why}", "mend the name or value in Qlik Sense") from None
        raise InputError(f"{what} is not a snapshot", "`seatwarden snapshot` takes one") from None
    for name, texts_of_rows in rows.items():
        for count, row in enumerate(texts_of_rows):
            if not row.startswith(b"{"):
                where = name if name == USERS else f"licenses.{name}"
                found = row[:40].decode(errors="replace")
                raise InputError(f"{what}: {where}[{count}] is not an object: expected an object, found `{found}`")
    texts, frames, at = [], [], 0
    for name, start, raw in lists:
        texts.append(text[at:start])
        frames.append(_frame(name, raw, rows[name]))
        at = start + len(raw)
    cut = CutSnapshot((*texts, text[at:]), tuple(frames), rows, None)
    same = b"".join(_put_together(cut.texts, cut.frames, rows)) == text
    return cut if same else cut._replace(whole=text)


def _lists(text: bytes) -> Iterator[tuple[str, int, bytes]]:
    """The lists of rows, in their order: the name, where the list begins, and the list. Raises what msgspec does."""
    parts = msgspec.json.decode(text, type=dict[str, Raw])
    parts[USERS], parts["licenses"]  # without them it is no snapshot
    at = 0
    for name, value in parts.items():
        raw = bytes(value)
        # Between two values there is nothing but the name of the second.
        at = text.find(raw, at)
        if name == USERS:
            yield name, at, raw
        elif name == "licenses":
            within = at
            for license_type, rows in msgspec.json.decode(raw, type=dict[str, Raw]).items():
                within = text.find(bytes(rows), within)
                yield license_type, within, bytes(rows)
                within += len(bytes(rows))
        at += len(raw)


def put_together(envelope: bytes, rows: Mapping[str, Sequence[bytes]]) -> bytes:
    """The snapshot of an envelope and the rows of its lists."""
    first, *others = envelope.split(SEPARATOR)
    frames, texts = [], [first]
    for start in range(0, len(others), 5):
        name, head, between, tail, text = others[start : start + 5]
        frames.append(ListFrame(name.decode(), head, between, tail))
        texts.append(text)
    return b"".join(_put_together(texts, frames, rows))


class _Around(Struct, rename="camel"):
    license_rules: Raw | UnsetType = UNSET


def license_rules_in(envelope: bytes) -> bytes | None:
    """The license rules of a snapshot, of what stands around its rows; None where it has none."""
    found = msgspec.json.decode(put_together(envelope, {}), type=_Around).license_rules
    return None if found is UNSET else bytes(found)


def _put_together(
    texts: Sequence[bytes], frames: Sequence[ListFrame], rows: Mapping[str, Sequence[bytes]]
) -> list[bytes]:
    pieces = [texts[0]]
    for frame, text in zip(frames, texts[1:], strict=True):
        pieces += [frame.head, frame.between.join(rows.get(frame.name, ())), frame.tail, text]
    return pieces


def _frame(name: str, raw: bytes, rows: Sequence[bytes]) -> ListFrame:
    if not rows:
        return ListFrame(name, raw[:-1], b",", raw[-1:])
    first = raw.find(rows[0])
    between = b","
    if len(rows) > 1:
        end = first + len(rows[0])
        between = raw[end : raw.find(rows[1], end)]
    return ListFrame(name, raw[:first], between, raw[raw.rfind(rows[-1]) + len(rows[-1]) :])


class Row(NamedTuple):
    """A row of a list: a skeleton, with `%b` where a timestamp stands, and its timestamps in their order."""

    skeleton: bytes
    times: tuple[bytes, ...]

    @property
    def text(self) -> bytes:
        """The row as it was sent."""
        return self.skeleton % self.times

    @property
    def packed(self) -> bytes:
        """The row as it lies in the history."""
        return SEPARATOR.join((self.skeleton, *self.times))


def unpacked_row(packed: bytes) -> Row:
    """A row as it lies in the history."""
    skeleton, *times = packed.split(SEPARATOR)
    return Row(skeleton, tuple(times))


def row_of(text: bytes) -> Row:
    """A row taken apart."""
    parts = _TIMESTAMP.split(text.replace(b"%", b"%%"))
    return Row(b'"%b"'.join(parts[::2]), tuple(parts[1::2]))
