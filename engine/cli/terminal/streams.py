"""Standard output and error, made ready for any text, and whether little is to be said."""

import codecs
import errno
import io
import os
import stat
import sys
from typing import TextIO

_PLAIN = {"✓": "+", "✗": "-", "→": ">", "·": "-", "─": "-", "—": "-", "…": "."}
"""Stand-ins for signs that a console lacks. A `?` would say in an explanation that a truth is not known."""

_MOST_LOST = 5
"""Most letters that are named which an output lacks."""

_quiet = False
_letters_lost: dict[str, None] = {}


def prepare_streams() -> None:
    """Makes both streams take any text: a console that lacks a character shows a stand-in and ends no program."""
    _letters_lost.clear()
    be_quiet(False)
    codecs.register_error("stand-in", _stand_in)
    # A process of Windows without a console (pythonw, some services) has no streams at all.
    sys.stdout = sys.stdout or nowhere()
    sys.stderr = sys.stderr or nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8" if _is_redirected_on_windows(stream) else None, errors="stand-in")


def _is_redirected_on_windows(stream: TextIO) -> bool:
    """Whether Python would write it in the code page of the machine, and nobody has asked for an encoding.

    No code page has the letters of all names, and all that reads files of ours reads UTF-8. Of a console Python knows
    what it shows.
    """
    return os.name == "nt" and not stream.isatty() and "PYTHONIOENCODING" not in os.environ


def nowhere() -> TextIO:
    """A stream that takes everything and keeps nothing."""
    return open(os.devnull, "w", encoding="utf-8")


def _stand_in(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        return codecs.replace_errors(error)
    missing = error.object[error.start : error.end]
    # A mark may well be missing where another says the same, a letter of a name may not.
    _letters_lost.update(dict.fromkeys(c for c in missing if c.isalnum()))
    return "".join(_PLAIN.get(c, "?") for c in missing), error.end


def letters_lost() -> str:
    """Letters for which a file or pipe on standard output has stand-ins, by their codes, as what shows this may lack
    them too; empty when none is lost. On a terminal everybody sees the stand-ins."""
    if sys.stdout.isatty():
        return ""
    named = [code_of(letter) for letter in list(_letters_lost)[:_MOST_LOST]]
    return ", ".join(named) + (" …" if len(_letters_lost) > _MOST_LOST else "")


def code_of(letter: str) -> str:
    """The code of a character, such as `U+011F`."""
    return f"U+{ord(letter):04X}"


def is_closed_pipe(error: OSError) -> bool:
    """Whether an error tells that nobody reads our output any more. Windows says only that something is invalid."""
    if os.name != "nt" or error.errno != errno.EINVAL or error.filename is not None:
        return error.errno == errno.EPIPE
    return _is_pipe(sys.stdout) or _is_pipe(sys.stderr)


def _is_pipe(stream: TextIO) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode)
    except OSError:  # it has no number, being no file of the system
        return False


def leave_closed_pipe() -> None:
    """Makes what is still in the streams of no consequence: writing it at the end would fail again."""
    sys.stdout = sys.stderr = nowhere()


def is_utf8() -> bool:
    """Whether standard output takes every character."""
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def be_quiet(asked: bool) -> None:
    """Sets whether only warnings and errors are said from here on, beside CSV or JSON that was asked for."""
    global _quiet
    _quiet = asked


def is_quiet() -> bool:
    """Whether only warnings and errors are to be said."""
    return _quiet
