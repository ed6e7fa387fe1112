"""The pages on diagnostics, one a code: what it means, why it matters, and what to write instead.

They stand in docs/codes/ and are packed into the wheel beside this module.
"""

import re
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from seatwarden.grammar.suggest import did_you_mean
from seatwarden.policy.errors import InputError

_NAME = re.compile(r"(SW\d{3})\.md")


@lru_cache(maxsize=1)
def known_codes() -> tuple[str, ...]:
    """All codes there is a page for, in order."""
    return tuple(sorted(match[1] for page in _folder().iterdir() if (match := _NAME.fullmatch(page.name))))


def page_of(code: str) -> str:
    """The page on a code, in Markdown; the code may be written in small letters. Raises InputError."""
    wanted = code.strip().upper()
    if wanted not in known_codes():
        help_ = did_you_mean(wanted, known_codes()) or f"codes go from {known_codes()[0]} to {known_codes()[-1]}"
        raise InputError(f"there is no code `{code}`", help_)
    return _folder().joinpath(f"{wanted}.md").read_text(encoding="utf-8")


def title_of(code: str) -> str:
    """The heading of the page on a code, without the code: `a rule never matches`. Raises InputError."""
    return page_of(code).split("\n", 1)[0].partition(": ")[2]


def _folder() -> Traversable:
    packed = files("seatwarden.policy").joinpath("pages")
    return packed if packed.is_dir() else Path(__file__).resolve().parent.parent / "docs" / "codes"
