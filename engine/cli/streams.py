"""Standard output and error, made ready for any text, and whether little is to be said."""

import io
import sys

_quiet = False


def prepare_streams() -> None:
    """A console that lacks a character shows a stand-in, instead of ending the program."""
    be_quiet(False)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def is_utf8() -> bool:
    """Whether standard output takes every character."""
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def be_quiet(asked: bool) -> None:
    """With `asked`, only warnings and errors are said from here on, and CSV or JSON that was asked for."""
    global _quiet
    _quiet = asked


def is_quiet() -> bool:
    """Whether only warnings and errors are to be said."""
    return _quiet
