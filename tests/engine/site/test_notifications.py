"""The notifications in a site file: what they mean, and every wrong value with its place, without its secret."""

from pathlib import Path

import pytest

from seatwarden.engine.site.notifications import EVENTS, MAX_DESTINATIONS, Notifications, load_notifications
from seatwarden.policy.diagnostics import render
from seatwarden.policy.errors import PolicyError

HEAD = "seatwarden:\n  notifications:\n"


def load(folder: Path, text: str, **environment: str) -> Notifications:
    path = folder / "site.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    return load_notifications(path, environment)


def refused(folder: Path, text: str, **environment: str) -> PolicyError:
    with pytest.raises(PolicyError) as raised:
        load(folder, text, **environment)
    return raised.value


def shown(error: PolicyError) -> str:
    return "\n".join(render(finding, error.sources) for finding in error.diagnostics)


def test_all_of_it(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("", encoding="utf-8")
    text = """
    webhook:
      - url: https://user:pw@hooks.example.com:8443/T0/secretPath?k=v
        secret: ${HOOK}
        certificateAuthority: ca.pem
        events: [releases-done, Limit-Hit]
        people: true
      - url: ${URL}
      - url: http://[::1]:8080/x
      - {url: http://n8n.corp.example/x, security: none}
    email:
      - host: smtp.example.com
        user: qlik
        password: ${SMTP_PASSWORD}
        from: Seat Warden <seatwarden@münchen.example>
        to: ["Jörg <jörg@example.com>", board@example.com]
      - {host: "::1", security: none, from: a@b.example, to: [c@d.example], events: [run-failed]}
      - {host: relay, port: 2465, security: TLS, from: a@b.example, to: [c@d.example]}
"""
    found = load(tmp_path, text, HOOK="signing", URL="https://teams.example.com/secret", SMTP_PASSWORD="pass word")
    one, two, three, four = found.webhooks
    assert (one.secret, one.people) == ("signing", True)
    assert one.events == {"releases-done", "limit-hit"}
    assert one.authority == tmp_path / "ca.pem"
    assert one.label == "webhook 1 (https://hooks.example.com:8443)"
    assert (two.url, two.label) == ("https://teams.example.com/secret", "webhook 2 (https://teams.example.com)")
    assert (two.secret, two.people, two.events) == (None, False, frozenset(EVENTS))
    assert three.label == "webhook 3 (http://[::1]:8080)"
    assert four.label == "webhook 4 (http://n8n.corp.example)"
    mail, relay, other = found.emails
    assert (mail.port, mail.security, mail.user, mail.password) == (587, "starttls", "qlik", "pass word")
    assert mail.sender.addr_spec == "seatwarden@xn--mnchen-3ya.example"
    assert [a.addr_spec for a in mail.recipients] == ["jörg@example.com", "board@example.com"]
    assert mail.recipients[0].display_name == "Jörg"
    assert (relay.port, relay.label) == (25, "e-mail 2 ([::1]:25)")
    assert relay.events == {"run-failed"}
    assert (other.port, other.security) == (2465, "tls")
    for secret in ("signing", "pass word", "secretPath", "secret", "pw@"):
        assert secret not in repr(found).replace("secret=", "")


@pytest.mark.parametrize("text", ["", "    {}\n", "    webhook:\n    email:\n", "    webhook: []\n"])
def test_nobody(tmp_path: Path, text: str) -> None:
    if text:
        assert load(tmp_path, text) == Notifications()
    else:
        (tmp_path / "site.yaml").write_text("configQRS: {host: q}\n", encoding="utf-8")
        assert load_notifications(tmp_path / "site.yaml", {}) == Notifications()


MAIL = "host: h.example, from: a@b.example, to: [c@d.example]"


@pytest.mark.parametrize(
    ("text", "code", "message", "line"),
    [
        ("    webhok: []\n", "SW203", "unknown key `webhok` in `notifications`", 3),
        ("    webhook:\n      - {ulr: https://h/x}\n", "SW203", "unknown key `ulr`", 4),
        ("    webhook:\n      - {secret: x}\n", "SW206", "lacks the key `url`", 4),
        ("    webhook: https://h/x\n", "SW204", "`notifications.webhook` must be a list", 3),
        ("    webhook: {url: https://h/x}\n", "SW204", "`notifications.webhook` must be a list", 3),
        ("    webhook:\n      - https://h/x\n", "SW204", "`notifications.webhook` must be a map", 4),
        ("    webhook:\n      - url: 12345678\n", "SW204", "`url` must be text", 4),
        ("    webhook:\n      - url: ftp://h/x\n", "SW205", "is not a web address", 4),
        ("    webhook:\n      - url: https://\n", "SW205", "is not a web address", 4),
        ("    webhook:\n      - url: https://h:99999/\n", "SW205", "is not a web address", 4),
        ("    webhook:\n      - url: http://hooks.example.com/x\n", "SW205", "is without TLS", 4),
        ("    webhook:\n      - url: ${NOT_SET}\n", "SW205", "environment variable `NOT_SET` is not set", 4),
        ("    webhook:\n      - {url: https://h/x, secret: ''}\n", "SW205", "`secret` is empty", 4),
        (
            "    webhook:\n      - {url: https://h/x, events: [run-faild]}\n",
            "SW205",
            "`notifications.webhook.events`",
            4,
        ),
        ("    webhook:\n      - {url: https://h/x, events: []}\n", "SW205", "names no event", 4),
        ("    webhook:\n      - {url: https://h/x, events: run-failed}\n", "SW204", "must be a list", 4),
        ("    webhook:\n      - {url: https://h/x, people: yes}\n", "SW204", "must be true or false", 4),
        ("    webhook:\n      - {url: https://h/x, certificateAuthority: no.pem}\n", "SW205", "there is no file", 4),
        (f"    email:\n      - {{{MAIL}, port: 0}}\n", "SW205", "is from 1 to 65535", 4),
        (f"    email:\n      - {{{MAIL}, security: ssl}}\n", "SW205", "`notifications.email.security` is one of", 4),
        (f"    email:\n      - {{{MAIL}, user: u}}\n", "SW206", "has `user` but lacks the key `password`", 4),
        (f"    email:\n      - {{{MAIL}, password: p}}\n", "SW206", "has `password` but lacks the key `user`", 4),
        (f"    email:\n      - {{{MAIL}, user: u, password: pä}}\n", "SW205", "can only be sent in ASCII", 4),
        (
            f"    email:\n      - {{{MAIL}, security: none, user: u, password: p}}\n",
            "SW205",
            "a password is never sent without TLS",
            4,
        ),
        ("    email:\n      - {host: 'h:25', from: a@b.c, to: [a@b.c]}\n", "SW205", "is not a host name", 4),
        ("    email:\n      - {host: h, from: nobody, to: [a@b.c]}\n", "SW205", "`notifications.email.from` is not", 4),
        ("    email:\n      - {host: h, from: a@b.c, to: []}\n", "SW205", "`notifications.email.to` names nobody", 4),
        (
            "    email:\n      - {host: h, from: a@b.c, to: a@b.c}\n",
            "SW204",
            "`notifications.email.to` must be a list",
            4,
        ),
        ("    email:\n      - {host: h, from: a@b.c, to: ['a@b.c, d@e.f']}\n", "SW205", "is not an e-mail address", 4),
        ('    email:\n      - {host: h, from: a@b.c, to: ["a@b.c\\r\\nBcc: x@y.z"]}\n', "SW205", "line break", 4),
        ('    email:\n      - {host: h, from: a@b.c, to: ["a\\u202e@b.c"]}\n', "SW205", "is not an e-mail address", 4),
        ("    email:\n      - {host: h, from: a@, to: [a@b.c]}\n", "SW205", "is not an e-mail address", 4),
    ],
)
def test_what_is_wrong(tmp_path: Path, text: str, code: str, message: str, line: int) -> None:
    error = refused(tmp_path, text)
    found = [(d.code, d.span.line) for d in error.diagnostics if message in d.message]
    assert found == [(code, line)], shown(error)


def test_everything_at_once_with_what_was_meant(tmp_path: Path) -> None:
    text = """    webhook:
      - {url: http://far.example/x, evnts: [], events: [limit-hitt]}
    email:
      - {host: h.example, securty: tls, from: a, to: [b]}
"""
    said = shown(refused(tmp_path, text))
    for help_ in ("did you mean `events`?", "did you mean `limit-hit`?", "did you mean `security`?", "is without TLS"):
        assert help_ in said
    assert said.count("is not an e-mail address") == 2


def test_too_many(tmp_path: Path) -> None:
    text = "    webhook:\n" + "      - url: https://h/x\n" * (MAX_DESTINATIONS + 1)
    assert "more than 20 destinations" in shown(refused(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "    webhook: [{url: https://h/HIDDEN, evnts: 1}]\n",
        "    webhook:\n      - {url: http://far.example/HIDDEN, secret: HIDDEN}\n",
        "    webhook:\n      - {url: 'https://far.example:x/HIDDEN'}\n",
        "    webhook:\n      - HIDDEN\n",
        "    webhook: HIDDEN\n",
        "    webhook: {url: HIDDEN}\n",
        "    webhook: [[HIDDEN]]\n",
        "    webhook:\n      - {urll: https://h/HIDDEN}\n",
        "    webhook:\n      - {url: [HIDDEN]}\n",
        "    webhook:\n      - {url: 'https://h/ HIDDEN', events: 1}\n",
        "    email:\n      - {host: h, user: u, password: HIDDEN, from: 1, to: 2}\n",
        "    email:\n      - {host: h, user: u, pasword: HIDDEN, from: a@b.c, to: [a@b.c]}\n",
        "    email:\n      - {host: h, user: u, password: HIDDENé, from: a@b.c, to: [a@b.c]}\n",
        "    email:\n      - {host: h, password: HIDDEN, security: none, from: a@b.c, to: [a@b.c]}\n",
        "    emial: [{password: HIDDEN}]\n",
    ],
)
def test_findings_show_no_secret(tmp_path: Path, text: str) -> None:
    """Nor do they where the secret is a number, which words for wrong types would repeat."""
    for secret in ("hunter2", "12345678"):
        error = refused(tmp_path, text.replace("HIDDEN", secret))
        assert error.diagnostics
        assert secret not in shown(error)
        assert secret not in str(error)
        assert "•" in shown(error)
