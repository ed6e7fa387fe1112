"""Surrogates that stand alone: half a character, which no text can hold and some programs write all the same."""

import re

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)", re.DOTALL
)
"""Every escape of JSON; a pair of surrogates is one."""
_LONE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_RAW = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_MARK = b"\xff"
"""A byte that no UTF-8 has: only the text it stands in cannot be read."""


def with_marks(data: bytes) -> bytes | None:
    """The JSON with a byte that is no UTF-8 in place of each lone surrogate.

    None where there is none, or it is not UTF-8 anyhow. What else is wrong with the JSON stays so.
    """
    if not _RAW.search(data) and not _LONE.search(data):
        return None
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None
    marked = _ESCAPE.sub(lambda found: _MARK if _LONE.fullmatch(found[0]) else found[0], _RAW.sub(_MARK, data))
    return marked if marked != data else None
