"""Instants as QRS writes and reads them: UTC, 0 to 7 fraction digits, `Z`."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

_USUAL = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z", re.ASCII)
"""The form that QRS writes most; the standard library reads it as it is, in a third of the time. It is not asked about
less: it takes `…T05:24Z` with a zero byte and anything at all behind it for a timestamp."""
_FORM = b"0000-00-00T00:00:00.000Z"
USUAL_LENGTH = len(_FORM)
_AS_FORM = bytes.maketrans(b"123456789", b"000000000")
_TO_2, _TO_5, (_2, _3) = frozenset(b"012"), frozenset(b"012345"), b"23"
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?\s*(Z|z|[+-]\d\d:\d\d)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

_TICKS_PER_SECOND = 10_000_000
"""QRS counts time in units of 100 ns, hence the up to 7 fraction digits of its timestamps."""


def parse_timestamp(text: str) -> datetime | None:
    """The instant a QRS timestamp names, in UTC, or None when it is not one.

    Digits after the sixth of a fraction are cut, a missing zone is UTC.
    """
    try:
        if _USUAL.fullmatch(text):
            return datetime.fromisoformat(text)
        match = _TIMESTAMP.fullmatch(text.strip())
        return _instant(match) if match else None
    except (ValueError, OverflowError):
        return None


def are_usual(texts: Sequence[str]) -> bool:
    """Whether all have the form that QRS writes most, with a time of day that there is; the day may be none."""
    joined = "".join(texts)
    return set(map(len, texts)) <= {USUAL_LENGTH} and joined.isascii() and are_usual_bytes(joined.encode())


def are_usual_bytes(joined: bytes, end: bytes = b"") -> bool:
    """`are_usual` of texts one behind the other, with `end` behind each.

    A regular expression takes seven times as long: this looks at a column of all texts at once.
    """
    step = USUAL_LENGTH + len(end)
    count, rest = divmod(len(joined), step)
    if rest or joined.translate(_AS_FORM) != (_FORM + end) * count:
        return False
    if not (set(joined[14::step]) | set(joined[17::step])) <= _TO_5:
        return False
    tens = joined[11::step]
    return set(tens) <= _TO_2 and (
        b"2" not in tens or all(one <= _3 for ten, one in set(zip(tens, joined[12::step], strict=True)) if ten == _2)
    )


def instant_ticks(text: str) -> int | None:
    """A QRS timestamp in units of 100 ns since the year 1, UTC; None when `text` is not one.

    As in filters of QRS, a bare day is its midnight.
    """
    match = _TIMESTAMP.fullmatch(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text)
    if match is None or len(match[3] or "") > 7:
        return None
    try:
        since = _instant(match).replace(microsecond=0) - datetime(1, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):  # the 31st of February
        return None
    return (since.days * 86_400 + since.seconds) * _TICKS_PER_SECOND + int((match[3] or "").ljust(7, "0"))


def format_instant(instant: datetime) -> str:
    """An instant as QRS writes it: UTC, three fraction digits, `Z`."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_the_minute(at: str) -> str:
    """An instant as QRS writes it, without its seconds, as tables and sentences have it."""
    return f"{at[:16].replace('T', ' ')}Z"


def _instant(match: re.Match[str]) -> datetime:
    day, time, fraction, offset = match.groups()
    digits = (fraction or "")[:6].ljust(6, "0")
    offset = "+00:00" if offset is None or offset in "Zz" else offset
    return datetime.fromisoformat(f"{day}T{time}.{digits}{offset}").astimezone(UTC)
