"""The answers that a first policy and site file are made of, and their readers.

A reader takes what somebody typed and returns what is meant. It raises `WrongAnswer`, which says why not; what lint
would find in the policy is found here already, by lint itself.
"""

import ipaddress
import re
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from seatwarden.grammar.printer import quote
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.lint.disuse import QUARANTINE_DAYS
from seatwarden.policy.lint.linter import lint
from seatwarden.policy.loading import check_text
from seatwarden.policy.zones import is_timezone, timezone_help

NONE = "none"
"""The answer that leaves a rule out."""

_NO_DAY = date(2000, 1, 1)  # the rules that are tried here have no end
_HOST = re.compile(r"[\w-]+(\.[\w-]+)*")


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers, read and right.

    `certificates` is the folder as it is to stand in the site file. A number of days is None where licenses of that
    type are never released, `tag` where no tag protects. `limit` is the most licenses that one run may release.
    """

    host: str
    certificates: str
    analyzer_days: int | None
    professional_days: int | None
    directories: tuple[str, ...]
    tag: str | None
    timezone: str
    limit: int


class WrongAnswer(ValueError):
    """An answer that cannot be used, and why."""


def read_host(text: str) -> str:
    """A host name or IP address."""
    name = text.strip()
    try:
        return str(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        pass  # it is a name then, or nothing that names a host
    if _HOST.fullmatch(name):
        return name
    try:
        meant = urlsplit(name if "://" in name else f"//{name}").hostname or ""
    except ValueError:
        meant = ""
    hint = f", like {meant}" if _HOST.fullmatch(meant) else ""
    raise WrongAnswer(f"only the name of the server is asked for{hint}")


def read_folder(text: str) -> str:
    """A folder, also in the quotes that Windows puts around a copied path."""
    folder = text.strip().strip('"').strip()
    if not folder:
        raise WrongAnswer("name a folder")
    return _printable(folder)


def read_days(text: str) -> int | None:
    """The days that a license must be unused; None for never."""
    word = text.strip()
    if word.lower() == NONE:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", word):
        raise WrongAnswer(f"write a whole number of days, like 30, or {NONE}")
    days = int(word)
    if days < QUARANTINE_DAYS:
        why = f"what was used in the last {QUARANTINE_DAYS} days, Qlik Sense puts into quarantine"
        raise WrongAnswer(f"write {QUARANTINE_DAYS} days or more: {why}")
    return days


def read_professional_days(text: str, analyzer: int | None) -> int | None:
    """The days for Professional licenses, as `read_days`; one of the two types must be released at some time."""
    days = read_days(text)
    if days is None and analyzer is None:
        raise WrongAnswer("then no license would ever be released: give a number of days for one type")
    return days


def read_directories(text: str) -> tuple[str, ...]:
    """Names with commas between them, each once."""
    if text.strip().lower() == NONE:
        return ()
    names = {name.casefold(): _printable(name) for part in text.split(",") if (name := part.strip())}
    if not names:
        raise WrongAnswer(f"name one or more with commas between them, or {NONE}")
    _try(f"keep when user.userDirectory = {text_list(tuple(names.values()))} release when unused for 30 days")
    return tuple(names.values())


def read_tag(text: str) -> str | None:
    """The name of a tag; None for no tag."""
    tag = text.strip()
    if tag.lower() == NONE:
        return None
    if not tag:
        raise WrongAnswer(f"name a tag, or {NONE}")
    _try(f"keep when user.tags = {quote(_printable(tag))} release when unused for 30 days")
    return tag


def read_timezone(text: str) -> str:
    """The IANA name of a time zone."""
    name = text.strip()
    if not is_timezone(name):
        raise WrongAnswer(f"there is no time zone `{name}`: {timezone_help(name)}")
    return name


def read_limit(text: str) -> int:
    """The most licenses that one run may release."""
    word = text.strip()
    if not re.fullmatch(r"[0-9]{1,9}", word) or int(word) == 0:
        raise WrongAnswer("write how many licenses one run may release, 1 or more")
    return int(word)


def text_list(texts: tuple[str, ...]) -> str:
    """Texts as the policy language writes them: one alone, or a list."""
    quoted = [quote(text) for text in texts]
    return quoted[0] if len(quoted) == 1 else f"[{', '.join(quoted)}]"


def _printable(text: str) -> str:
    if not text.isprintable():
        raise WrongAnswer("there is a character in it that cannot be seen: type it anew")
    return text


def _try(text: str) -> None:
    """Raises WrongAnswer when rules have errors, or are such that lint warns of them."""
    try:
        found = lint(check_text(text, "answer"), _NO_DAY).findings
    except PolicyError as error:
        found = error.diagnostics
    if found:
        raise WrongAnswer(found[0].message)
