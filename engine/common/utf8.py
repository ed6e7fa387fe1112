"""Whether JSON could not be read since it is not UTF-8, which two versions of msgspec say in two ways."""

import msgspec


def is_not_utf8(error: Exception) -> bool:
    """Whether an error of msgspec is about UTF-8: a UnicodeDecodeError before 0.23, since then a DecodeError."""
    return isinstance(error, UnicodeDecodeError) or (type(error) is msgspec.DecodeError and "UTF-8" in str(error))
