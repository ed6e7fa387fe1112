"""Whom to write to about a user's license: the user, else the manager, else the address for all others.

What stands in an attribute comes from a directory that many people write in. It is an address if it is nothing else:
no name beside it, no second one, nothing that a header or a mail server could read otherwise. All else is none.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from email.headerregistry import Address
from typing import Literal, TypeAlias

from msgspec import UNSET, UnsetType

from seatwarden.engine.common.text import one_line
from seatwarden.engine.site.notice import NoticeSettings
from seatwarden.engine.site.notifications import parse_address
from seatwarden.engine.snapshot.model import User, UserWithoutAttributes
from seatwarden.grammar.ast import Field
from seatwarden.grammar.printer import print_field

RecipientKind = Literal["own", "manager", "fallback"]

LONGEST_ADDRESS = 254
"""RFC 5321, 4.5.3.1.3: a path of 256 with its brackets."""
LONGEST_LOCAL_PART = 64
_LOCAL_PART = re.compile(r"[^\s\"(),:;<>@\[\]\\.]+(?:\.[^\s\"(),:;<>@\[\]\\.]+)*")
"""No quotes, comments or routes: what RFC 5322 calls a dot-atom, with letters of any alphabet."""
_SHOWN = 60
_LANGUAGE = re.compile(r"\s*([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]+)*\s*(?:;\s*q\s*=\s*([01](?:\.\d{1,3})?)\s*)?", re.ASCII)
_LONGEST_LANGUAGES = 200


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a message goes: the address, whose it is, and the language that its reader has."""

    address: Address
    kind: RecipientKind
    language: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Nobody can be written to: why, in words."""

    reason: str


AnyUser: TypeAlias = User | UserWithoutAttributes


def recipient_of(settings: NoticeSettings, user: AnyUser | None, languages: Collection[str]) -> Recipient | Unreachable:
    """Whom to write to about a license of this user (None: there is no such user), in one of these languages."""
    if user is None:
        found: Address | str = "the user is not among those of the site"
    else:
        found = _address(settings.address, user)
    language = _language(settings, user, languages)
    if isinstance(found, Address):
        return Recipient(found, "own", language)
    reasons = [found]
    if settings.manager is not None and user is not None:
        managers = _address(settings.manager, user)
        if isinstance(managers, Address):
            # The manager's own language is not known: the user's is the likeliest.
            return Recipient(managers, "manager", language)
        reasons.append(managers)
    if settings.fallback is not None:
        return Recipient(settings.fallback, "fallback", settings.default_language)
    return Unreachable("; ".join(reasons))


def bare_address(text: str) -> Address | None:
    """The address that a text is, its domain in ASCII (IDNA); None when it is anything else or more than that."""
    if len(text) > LONGEST_ADDRESS or not text.isprintable():
        return None
    local, at, domain = text.strip(" ").partition("@")
    if not at or "@" in domain or not _LOCAL_PART.fullmatch(local) or len(local.encode()) > LONGEST_LOCAL_PART:
        return None
    # A server that normalizes, or a library that decodes, would write to somebody else.
    if unicodedata.normalize("NFKC", local) != local or "=?" in local:
        return None
    found = parse_address(f"{local}@{domain}")
    if found is None or found.username != local or found.display_name or len(found.addr_spec) > LONGEST_ADDRESS:
        return None
    return found


def _address(field: Field, user: AnyUser) -> Address | str:
    """The one address in a field of the user, or why there is none, in words."""
    name, values = print_field(field), _values(field, user)
    if values is None:
        return f"`{name}` cannot be read"
    written = [value for value in values if value.strip()]
    if not written:
        return f"`{name}` is empty"
    addresses = [bare_address(value) for value in written]
    for value, address in zip(written, addresses, strict=True):
        if address is None:
            return f"`{name}` is no e-mail address: `{one_line(value, _SHOWN)}`"
    found = {address.addr_spec.casefold(): address for address in addresses if address}
    if len(found) > 1:
        return f"`{name}` has {len(found)} different addresses"
    # QRS's order is no promise: of several spellings it is the same one every day.
    return min((address for address in addresses if address), key=lambda address: address.addr_spec)


def _language(settings: NoticeSettings, user: AnyUser | None, languages: Collection[str]) -> str:
    """The user's language among those that there are texts in.

    Directories hold `de`, `sv-SE`, or a list as browsers send it, `da, en-GB;q=0.8` (RFC 2798).
    """
    wanted: list[tuple[float, str]] = []
    for value in (_values(settings.language, user) if user is not None else None) or ():
        for part in value[:_LONGEST_LANGUAGES].split(","):
            if match := _LANGUAGE.fullmatch(part):
                wanted.append((-float(match[2] or 1), match[1].lower()))
    ranked = sorted(wanted, key=lambda pair: pair[0])
    return next((tag for weight, tag in ranked if weight and tag in languages), settings.default_language)


def _values(field: Field, user: AnyUser) -> tuple[str, ...] | None:
    """The values of an attribute or a custom property; None where they are not known."""
    if field.name == "user.@":
        properties = user.custom_properties
        if isinstance(properties, UnsetType):
            return None
        return tuple(row.value for row in properties or () if row.definition.name == field.key)
    attributes = user.attributes
    if attributes is UNSET or isinstance(attributes, UnsetType):
        return None
    return tuple(row.attribute_value for row in attributes or () if row.attribute_type == field.key)
