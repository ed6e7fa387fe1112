"""What msgspec raises for JSON that cannot be read; two versions of it tell in two ways of what is not UTF-8."""

import msgspec

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""The errors that tell of JSON which cannot be read."""


def is_not_utf8(error: Exception) -> bool:
    """Whether an error of msgspec is about UTF-8: a UnicodeDecodeError before 0.23, since then a DecodeError."""
    return isinstance(error, UnicodeDecodeError) or (type(error) is msgspec.DecodeError and "UTF-8" in str(error))
