"""The pages on diagnostics, one a code: what it means, why it matters, and what to write instead.

They stand in docs/codes/ and are packed into the wheel beside this module.
"""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from seatwarden.grammar.suggest import did_you_mean
from seatwarden.policy.codes import CODES
from seatwarden.policy.errors import InputError


def page_of(code: str) -> str:
    """The page on a code, in Markdown; the code may be written in small letters. Raises InputError."""
    wanted = code.strip().upper()
    if wanted not in CODES:
        help_ = did_you_mean(wanted, tuple(CODES)) or f"codes go from {min(CODES)} to {max(CODES)}"
        raise InputError(f"there is no code `{code}`", help_)
    return _folder().joinpath(f"{wanted}.md").read_text(encoding="utf-8")


def _folder() -> Traversable:
    packed = files("seatwarden.policy").joinpath("pages")
    return packed if packed.is_dir() else Path(__file__).resolve().parent.parent / "docs" / "codes"
