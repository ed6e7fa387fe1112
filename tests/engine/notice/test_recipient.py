"""Whom a message goes to: one address that is nothing else, or nobody, and why."""

from email.headerregistry import Address
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seatwarden.engine.notice.recipient import (
    LONGEST_ADDRESS,
    Recipient,
    Unreachable,
    bare_address,
    recipient_of,
)
from seatwarden.engine.site.notice import NoticeSettings
from seatwarden.engine.snapshot.model import User, UserWithoutAttributes
from seatwarden.grammar.ast import Field
from tests.engine.support import user

LANGUAGES = ("en", "de", "fr", "sv")
DESK = Address("Service Desk", "desk", "example.com")
MANAGER = Field("user.attributes", "manager")
PLAIN = NoticeSettings()
ALL = NoticeSettings(manager=MANAGER, fallback=DESK)


def somebody(*attributes: tuple[str, str], **facts: Any) -> User:
    rows = [{"attributeType": kind, "attributeValue": value} for kind, value in attributes]
    return msgspec.convert(user(1, **{"attributes": rows, **facts}), type=User)


def without(fact: str) -> dict[str, Any]:
    """A user of whom QRS did not send one fact."""
    return {key: value for key, value in user(1).items() if key != fact}


def reason(settings: NoticeSettings, who: User | UserWithoutAttributes | None) -> str:
    found = recipient_of(settings, who, LANGUAGES)
    assert isinstance(found, Unreachable)
    return found.reason


def reached(settings: NoticeSettings, who: User | None) -> Recipient:
    found = recipient_of(settings, who, LANGUAGES)
    assert isinstance(found, Recipient)
    return found


def test_the_users_own() -> None:
    found = reached(ALL, somebody(("email", "Anna@Example.com "), ("manager", "boss@example.com")))
    assert (found.address, found.kind) == (Address("", "Anna", "Example.com"), "own")


def test_of_a_custom_property() -> None:
    row = {"value": "anna@example.com", "definition": {"name": "Email"}}
    found = reached(NoticeSettings(address=Field("user.@", "Email")), somebody(customProperties=[row]))
    assert found.address.addr_spec == "anna@example.com"


def test_the_managers_and_then_the_desk() -> None:
    found = reached(ALL, somebody(("email", "n/a"), ("manager", "boss@example.com")))
    assert (found.address.addr_spec, found.kind) == ("boss@example.com", "manager")
    desk = reached(ALL, somebody(("manager", "")))
    assert (desk.address, desk.kind) == (DESK, "fallback")
    assert reached(ALL, None).kind == "fallback"


def test_nobody_and_why() -> None:
    two = somebody(("email", "a@example.com"), ("email", "b@example.com"))
    assert reason(PLAIN, somebody()) == "`user.attributes.email` is empty"
    assert reason(PLAIN, somebody(("email", "x"))) == "`user.attributes.email` is no e-mail address: `x`"
    assert reason(PLAIN, two) == "`user.attributes.email` has 2 different addresses"
    assert reason(PLAIN, somebody(attributes=None)) == "`user.attributes.email` is empty"
    assert reason(PLAIN, None) == "the user is not among those of the site"
    both = reason(NoticeSettings(manager=MANAGER), somebody(("email", "x")))
    assert both.endswith("`x`; `user.attributes.manager` is empty")
    by_property = NoticeSettings(address=Field("user.@", "Email"))
    assert (
        reason(by_property, msgspec.convert(without("customProperties"), type=User)) == "`user.@Email` cannot be read"
    )
    unread = msgspec.convert(user(1), type=UserWithoutAttributes)
    assert reason(PLAIN, unread) == "`user.attributes.email` cannot be read"


def test_one_address_in_two_spellings_is_the_same_every_day() -> None:
    rows = [("email", "anna@example.com"), ("email", "Anna@example.com")]
    assert reached(PLAIN, somebody(*rows)) == reached(PLAIN, somebody(*reversed(rows)))


def test_one_good_and_one_bad_is_none() -> None:
    assert "is no e-mail address" in reason(PLAIN, somebody(("email", "anna@example.com"), ("email", "a b")))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("anna@example.com", "anna@example.com"),
        ("  anna@example.com ", "anna@example.com"),
        ("o'hara+qlik@example.com", "o'hara+qlik@example.com"),
        ("anna@münchen.example", "anna@xn--mnchen-3ya.example"),
        ("jörg@example.com", "jörg@example.com"),
        ("anna@localhost", "anna@localhost"),
    ],
)
def test_addresses(text: str, address: str) -> None:
    found = bare_address(text)
    assert found is not None
    assert found.addr_spec == address


NONE = (
    "",
    "anna",
    "@example.com",
    "anna@",
    "anna@example.com, evil@example.org",
    "anna@example.com;evil@example.org",
    "anna@example.com\nBcc: evil@example.org",
    "anna@example.com\r\n\r\nhello",
    "anna@exam\0ple.com",
    "anna\n@example.com",
    "Anna <anna@example.com>",
    "<anna@example.com>",
    "anna@example.com> RCPT TO:<evil@example.org",
    '"a b"@example.com',
    '"anna@evil.org"@example.com',
    "anna(comment)@example.com",
    "@relay.org:anna@example.com",
    "anna@evil.org@example.com",
    "anna@[127.0.0.1]",
    ".anna@example.com",
    "anna.@example.com",
    "an..na@example.com",
    "anna@example..com",
    "anna@exa mple.com",
    "undisclosed-recipients:;",
    "mailto:anna@example.com",
    "anna\u202e@example.com",
    "anna\u200b@example.com",
    "anna@evil.org\uff20example.com",
    "anna\uff20evil.org@example.com",
    "\ud800@example.com",
    "anna@\udc80.com",
    "a" * 65 + "@example.com",
    "anna@" + "a" * 64 + ".com",
    "anna@" + "a." * 200 + "com",
    "a@b.example" * 6_000,
    "=?utf-8?q?anna?=@example.com",
    "=?utf-8?q?=0aBcc=3a_evil?=@example.com",
)


@pytest.mark.parametrize("text", NONE, ids=range(len(NONE)))
def test_what_is_no_address_is_none(text: str) -> None:
    assert bare_address(text) is None
    found = recipient_of(PLAIN, somebody(("email", text)), LANGUAGES)
    assert isinstance(found, Unreachable)
    assert found.reason.isprintable()
    assert len(found.reason) < 200


@given(st.text(st.characters(codec=None), max_size=80) | st.from_regex(r".{0,20}@.{0,20}\.[a-z]{2,8}(\s.{0,20})?"))
@example("a@b.example\x0bc")
@example("a@b.example\u2028c")
def test_an_address_is_one_and_has_no_more_in_it(text: str) -> None:
    found = bare_address(text)
    if found is None:
        return
    spec = found.addr_spec
    assert spec.isprintable()
    assert spec.count("@") == 1
    assert not set(spec) & set(' "(),:;<>[]\\')
    assert len(spec) <= LONGEST_ADDRESS
    assert found.domain.isascii()
    assert found.display_name == ""
    assert spec.partition("@")[0] == text.strip(" ").partition("@")[0]
    assert bare_address(spec) == found


@pytest.mark.parametrize(
    ("written", "language"),
    [
        ("de", "de"),
        ("de-CH", "de"),
        ("sv_SE", "sv"),
        ("FR", "fr"),
        ("da, en-GB;q=0.8, de;q=0.9", "de"),
        ("nl", "sv"),
        ("de;q=0", "sv"),
        ("German", "sv"),
        ("", "sv"),
        ("de\n", "de"),
        ("../../etc", "sv"),
        ("x" * 100_000, "sv"),
    ],
)
def test_the_language(written: str, language: str) -> None:
    settings = NoticeSettings(default_language="sv")
    found = reached(settings, somebody(("email", "a@example.com"), ("preferredLanguage", written)))
    assert found.language == language


def test_the_desk_reads_the_default_language() -> None:
    assert reached(ALL, somebody(("preferredLanguage", "de"))).language == "en"
    assert reached(ALL, somebody(("preferredLanguage", "de"), ("manager", "b@example.com"))).language == "de"
