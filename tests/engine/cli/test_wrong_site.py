"""Site files with hosts and headers that can never work: said before anything is sent, without the values."""

import re

import pytest
from urllib3.exceptions import LocationParseError

from seatwarden.engine.simulator.server import SimulatedQrs
from seatwarden.engine.site.connection import load_site
from tests.engine.cli.conftest import Run, SiteFile
from tests.paths import EXAMPLES

BUTLER = EXAMPLES / "butler.yaml"
pytestmark = pytest.mark.usefixtures("quick")


@pytest.mark.parametrize(
    "host",
    [
        "qlik..example.com",
        "müller..example",
        f"{'a' * 64}.example",
        ".example.com",
        "'[::1]'",
        '"a\\0b"',
        "h:4242",
        "'*.x'",
    ],
)
@pytest.mark.parametrize("command", ["plan", "check"])
def test_what_no_host_can_be_called(run: Run, site_file: SiteFile, host: str, command: str) -> None:
    arguments = ("plan", "--policy", BUTLER) if command == "plan" else ("site", "check")
    ran = run(*arguments, "--site", site_file(4242, host=host))
    assert (ran.code, "error[SW205]: `configQRS.host` " in ran.err) == (2, True)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "qlik", "qlik.example.com.", "müller.example", "my_host"])
def test_hosts(site_file: SiteFile, host: str) -> None:
    assert load_site(site_file(4242, host=f"'{host}'"), {}).host == host


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("headers: {X-Qlik-User: UserDirectory=INTERNAL;UserId=łHIDDEN}", "letters that no header can carry"),
        ("headers: {static: [{name: X-Qlik-User, value: łHIDDEN}]}", "letters that no header can carry"),
        ("headerKey: X-Qlik-User\n    headerValue: UserId=łHIDDEN", "letters that no header can carry"),
        ("authentication: jwt\n    jwt: eyHIDDEN–x", "letters that no header can carry"),
        ("authentication: jwt\n    jwt: ''", "`jwt` is empty"),
        ("authentication: jwt\n    jwt: HIDDEN\n    jtw: HIDDEN", None),
        ("authentication: jwt\n    jtw: HIDDEN", "unknown key `jtw`"),
        ("headers: [{name: X-Qlik-User, value: ''}]", "`value` is empty"),
        ("headers: {X-Qlik-User: ' '}", "`X-Qlik-User` is empty"),
        ("authentication: header\n    headers: {X-Qlik-User: ''}", "`X-Qlik-User` is empty"),
        ('headers: {X-Qlik-User: "HIDDEN\\nX: y"}', "contains a line break"),
        ('headers: {X-Qlik-User: "HIDDEN\\e"}', "characters that no header can carry"),
        ("headers: {X-Qlik-User: ' HIDDEN'}", "characters that no header can carry"),
        ("headers: {'X Qlik: User': HIDDEN}", "this is not the name of a header"),
        ("headers: [{name: 'X-Qlik-User: HIDDEN', value: HIDDEN}]", "this is not the name of a header"),
        ("headers: [{name: X-Qlik-User, valeu: HIDDEN}]", "unknown key `valeu`"),
        ("headers: [X-Qlik-User HIDDEN]", "must be a list of headers"),
        (
            "headers: {X-Qlik-User: 'INTERNAL\\HIDDEN'}",
            "UserId=sa_api`: directory and id apart",
        ),
        ("headers: {X-Qlik-User: 'UserDirectory:INTERNAL;UserId:HIDDEN'}", "with `=` and not `:`"),
        ("headers: {static: [{name: x-qlik-user, value: 'UserDirectory=A; UserId: HIDDEN'}]}", "with `=` and not `:`"),
        ("headers: {X-Qlik-User: UserDirectory=A UserId=HIDDEN}", "no `;` between the two"),
        ("headers: {X-Qlik-User: UserDirectory=A;UserId=}", "not of that form"),
        ("headerKey: X-Qlik-User\n    headerValue: HIDDEN", "does not name a user as QRS reads it"),
        ("authentication: header\n    headers: {X-Qlik-User: 'INTERNAL\\HIDDEN'}", None),
        ("headers: {X-Qlik-User: 'userdirectory = CORP ;UserId = CN=x y'}", None),
        ("headers: {X-Other: 'INTERNAL\\HIDDEN'}", None),
        ("headers: X-Qlik-User HIDDEN", "must be a list of headers"),
        ("headerKey: X-Qlik-User", "lacks the key `headerValue`"),
        ("headerValue: HIDDEN", "lacks the key `headerKey`"),
        ("headerKey: X-Qlik-User\n    headerValue: ''", "`headerValue` is empty"),
    ],
)
def test_headers_that_cannot_be_sent(run: Run, site_file: SiteFile, settings: str, message: str | None) -> None:
    """None is left out in silence: QRS would take us for the user with all rights."""
    site = site_file(4242)
    text = site.read_text(encoding="utf-8").replace("    host: localhost", f"    host: 127.0.0.1\n    {settings}")
    site.write_text(text.replace("port: 4242", "port: 1"), encoding="utf-8")
    ran = run("plan", "--policy", BUTLER, "--site", site)
    assert ran.code == (2 if message else 3)
    assert (message or "nothing listens") in ran.err
    assert "HIDDEN" not in ran.err


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ("headers:\n      static:\n        - name: X-Qlik-User\n          value: A\\b", 7),
        ("headers:\n      X-Other: c\n      X-Qlik-User: A\\b", 6),
        ("headerKey: X-Qlik-User\n    headerValue: A\\b", 5),
    ],
)
def test_a_wrong_user_is_shown_in_its_place(run: Run, site_file: SiteFile, settings: str, line: int) -> None:
    site = site_file(4242)
    text = site.read_text(encoding="utf-8").replace("    host: localhost", f"    host: localhost\n    {settings}")
    site.write_text(text, encoding="utf-8")
    assert f"site.yaml:{line}:" in run("site", "check", "--site", site).err


@pytest.mark.parametrize("error", [ValueError("HIDDEN"), LocationParseError("HIDDEN"), UnicodeError("HIDDEN")])
def test_what_no_check_of_a_site_foresaw(
    run: Run, qrs: SimulatedQrs, site_file: SiteFile, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("requests.Session.request", broken)
    ran = run("plan", "--policy", BUTLER, "--site", site_file(qrs.port))
    assert (ran.code, "could not be made" in ran.err, "HIDDEN" in ran.err) == (3, True, False)


def test_a_certificate_that_no_file_can_be(run: Run, site_file: SiteFile) -> None:
    site = site_file(4242)
    site.write_text(re.sub(r"clientCert: .*", r'clientCert: "a\\0b"', site.read_text(encoding="utf-8")))
    ran = run("plan", "--policy", BUTLER, "--site", site)
    assert (ran.code, "`cert.clientCert` has a character that is not printable" in ran.err) == (2, True)


def test_a_mistyped_passphrase_is_not_shown(run: Run, site_file: SiteFile) -> None:
    site = site_file(4242)
    site.write_text(site.read_text(encoding="utf-8") + "    clientCertPasphrase: HIDDEN\n")
    ran = run("plan", "--policy", BUTLER, "--site", site)
    assert (ran.code, "`clientCertPassphrase`?" in ran.err, "HIDDEN" in ran.err) == (2, True, False)
