"""Names held against what a snapshot knows."""

import pytest

from seatwarden.policy.lint.known_names import KnownNames
from seatwarden.policy.lint.lookalikes import looks
from tests.policy.lint.support import codes, findings

KNOWN = KnownNames(
    {
        "user": frozenset({"ADMIN\\jdoe", "CORP\\kchen"}),
        "user.userDirectory": frozenset({"ADMIN", "CORP"}),
        "user.userId": frozenset({"jdoe", "kchen"}),
        "user.name": frozenset({"Jane Doe", "Chen Kai"}),
        "user.roles": frozenset({"RootAdmin"}),
        "user.tags": frozenset({"License do not release", "Straße"}),
        "user.@Department": frozenset({"Finance", "IT"}),
        "user.attributes.group": frozenset({"Qlik Admins"}),
    },
    {"user.@": frozenset({"Department"}), "user.attributes": frozenset({"group"})},
    lambda rule: True,
)

CASES = {
    'user.userDirectory = "admin"': [],
    'user.userDirectory == "admin"': ["SW402"],
    'user.userDirectory = ["ADMIN", "ADMIM"]': ["SW401"],
    'user.userDirectory = "\u0410DMIN"': ["SW403"],
    'user.userDirectory != "ADMIM"': ["SW401"],
    'user.userDirectory like "adm*"': [],
    'user.userDirectory like "amd*"': ["SW401"],
    'user = "admin\\JDOE"': [],
    'user = "CORP\\jdoe"': ["SW401"],
    'user.roles = "rootadmin"': [],
    'user.tags = "STRASSE"': [],
    'user.tags = "License\u00a0do not release"': ["SW403", "SW317"],
    'user.tags = "License do not re1ease"': ["SW403"],
    'user.tags = "vip"': ["SW401"],
    'user.@Department = "finance"': [],
    'user.@Department == "finance"': ["SW402"],
    'user.@department = "Finance"': ["SW402"],
    'user.@Departement = "Finance"': ["SW401"],
    'user.@Department = "Sales"': ["SW401"],
    'user.attributes.group = "Qlik Users"': ["SW401"],
    'user.attributes.mail = "x"': ["SW401"],
    '"CORP" = user.userDirectory': [],
    'license.type = "analyzer" and user.inactive': [],
}


@pytest.mark.parametrize("condition", CASES)
def test_names(condition: str) -> None:
    assert sorted(codes(f'keep "x" when {condition}', KNOWN)) == sorted(CASES[condition])


def test_help() -> None:
    (found,) = findings('keep "x" when user.userDirectory = "ADMIM"', KNOWN)
    assert found.help == "did you mean `ADMIN`?"
    (found,) = findings('keep "x" when user.@department = "Finance"', KNOWN)
    assert found.help == "write `Department`"


def test_a_list_of_strangers_is_one_finding() -> None:
    tags = ", ".join(f'"t{n}"' for n in range(50))
    (found,) = findings(f'keep "x" when user.tags = [{tags}]', KNOWN)
    assert found.message.startswith("50 values are not in this snapshot: `t0`")


def test_a_let_is_looked_at_where_it_is_written() -> None:
    text = """let dirs = ["ADMIN", "nowhere"]
        keep "x" when user.userDirectory = dirs
        keep "y" when user.inactive and user.userDirectory = dirs"""
    found = [finding for finding in findings(text, KNOWN) if finding.code == "SW401"]
    assert [(finding.span.line, finding.span.column) for finding in found] == [(1, 22)]


def test_rules_that_match_nobody() -> None:
    nobody = KnownNames(KNOWN.texts, KNOWN.keys, lambda rule: False)
    assert codes('keep "x" when user.inactive', nobody) == ["SW404"]
    assert codes('keep "x" when user.userDirectory = "nowhere"', nobody) == ["SW401"]
    assert codes('keep "x" when user.inactive and month = 3', nobody) == []
    assert codes('keep "x" until 2025-01-01 when user.inactive', nobody) == ["SW310"]
    assert codes("release professional when user.inactive and unused for 9 days", nobody) == []


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("ADMIN", "\u0410DMIN"),
        ("vip", "v\u0456p"),
        ("a b", "a\u2003b"),
        ("a b", "a  b"),
        ("vip", "vip\u200b"),
        ("file", "\ufb01le"),
        ("O1", "0l"),
        ("RootAdmin", "ROOTADM\u0406N"),
    ],
)
def test_alike(text: str, other: str) -> None:
    assert set(looks(text)) & set(looks(other))


@pytest.mark.parametrize(("text", "other"), [("vip", "vib"), ("ADMIN", "ADMINS"), ("é", "e"), ("a", "")])
def test_not_alike(text: str, other: str) -> None:
    assert not set(looks(text)) & set(looks(other))
