"""The settings of messages before a release: what they mean, and every wrong value with its place."""

from pathlib import Path

import pytest

from seatwarden.engine.site.notice import MAX_MESSAGES, NoticeSettings, load_notice
from seatwarden.engine.site.notifications import load_notifications
from seatwarden.engine.site.private_files import private_files
from seatwarden.grammar.ast import Field
from seatwarden.policy.diagnostics import render
from seatwarden.policy.errors import PolicyError
from tests.engine.service.sites import settings_of, write_site

SERVER = "{host: smtp.example.com, from: qlik@example.com}"
TEAM = f"  notifications:\n    email:\n      - {SERVER[:-1]}, to: [team@example.com]}}\n"


def load(folder: Path, text: str, above: str = "", **environment: str) -> NoticeSettings | None:
    path = folder / "site.yaml"
    indented = "".join(f"    {line}\n" for line in text.splitlines())
    path.write_text(f"seatwarden:\n{above}  notice:\n{indented}", encoding="utf-8")
    return load_notice(path, environment)


def loaded(folder: Path, text: str, above: str = "", **environment: str) -> NoticeSettings:
    found = load(folder, text, above, **environment)
    assert found is not None
    return found


def shown(folder: Path, text: str, above: str = "", **environment: str) -> str:
    with pytest.raises(PolicyError) as raised:
        load(folder, text, above, **environment)
    return "\n".join(render(finding, raised.value.sources) for finding in raised.value.diagnostics)


def test_all_of_it(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "ca.pem").write_text("", encoding="utf-8")
    text = """\
channel: email
email:
  host: smtp.example.com
  port: 2525
  security: tls
  user: qlik
  password: ${SMTP_PASSWORD}
  certificateAuthority: ca.pem
  from: Qlik Sense <qlik@example.com>
webhook: {url: "https://hooks.example.com/secretPath", secret: signing}
address: user.@Email
manager: user.attributes."manager mail"
fallback: Service Desk <desk@example.com>
redirectTo: me@example.com
language: user.@Language
defaultLanguage: de
templates: texts
maxMessagesPerRun: 50
contact: IT service desk, 4711
hub: https://qlik.example.com/hub
"""
    found = loaded(tmp_path, text, SMTP_PASSWORD="pass word")
    server, webhook = found.server, found.webhook
    assert server is not None
    assert webhook is not None
    assert (server.host, server.port, server.security, server.user) == ("smtp.example.com", 2525, "tls", "qlik")
    assert (server.password, server.authority) == ("pass word", tmp_path / "ca.pem")
    assert server.label == "e-mail (smtp.example.com:2525)"
    assert (webhook.label, webhook.secret) == ("webhook (https://hooks.example.com)", "signing")
    assert found.channel == "email"
    assert found.address == Field("user.@", "Email")
    assert found.manager == Field("user.attributes", "manager mail")
    assert found.language == Field("user.@", "Language")
    assert (found.fallback and found.fallback.addr_spec) == "desk@example.com"
    assert (found.redirect_to and found.redirect_to.addr_spec) == "me@example.com"
    assert (found.default_language, found.templates, found.max_messages) == ("de", tmp_path / "texts", 50)
    assert (found.contact, found.hub) == ("IT service desk, 4711", "https://qlik.example.com/hub")
    assert set(found.secrets) == {"pass word", "https://hooks.example.com/secretPath", "signing"}
    assert all(secret not in repr(found) for secret in found.secrets)
    assert found.reads_attributes


def test_nothing_said(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text("seatwarden:\n  parallel: 2\n", encoding="utf-8")
    assert load_notice(path, {}) is None
    found = loaded(tmp_path, f"email: {SERVER}")
    assert (found.channel, found.address, found.default_language) == ("email", Field("user.attributes", "email"), "en")
    assert (found.fallback, found.manager, found.redirect_to, found.templates) == (None, None, None, None)
    assert found.max_messages == MAX_MESSAGES
    assert found.server is not None
    assert found.server.port == 587


def test_the_server_of_notifications(tmp_path: Path) -> None:
    found = loaded(tmp_path, "contact: desk", TEAM)
    assert found.server == load_notifications(tmp_path / "site.yaml", {}).emails[0]
    own = loaded(tmp_path, "email: {host: other.example.com, from: a@b.example}", TEAM)
    assert own.server is not None
    assert own.server.host == "other.example.com"


def test_a_wrong_notification_matters_where_it_is_used(tmp_path: Path) -> None:
    wrong = "  notifications: {email: [{host: a b}]}\n"
    assert loaded(tmp_path, f"email: {SERVER}", wrong).server is not None
    assert "is not a host name" in shown(tmp_path, "contact: desk", wrong)


def test_a_webhook_alone_counts(tmp_path: Path) -> None:
    found = loaded(tmp_path, "webhook: {url: https://hooks.example.com/x}")
    assert (found.channel, found.server) == ("webhook", None)
    assert loaded(tmp_path, "webhook: {url: https://hooks.example.com/x}\nchannel: email", TEAM).server is not None


def test_attributes_are_asked_for_where_they_are_read(tmp_path: Path) -> None:
    both = "address: user.@Email\nlanguage: user.@Language\n"
    assert not loaded(tmp_path, f"email: {SERVER}\n{both}").reads_attributes
    assert loaded(tmp_path, f"email: {SERVER}\n{both}manager: user.attributes.boss").reads_attributes


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("contact: desk", "`notice` has no way to send: no mail server"),
        ("channel: webhook", "`notice` has no way to send: no webhook"),
        ("email: {from: a@b.example}", "lacks the key `host`"),
        (f"email: {SERVER}\nwebhook: {{url: https://h.example/x}}", "lacks the key `channel`"),
        ("webhook: {url: http://h.example/x}", "`notice.webhook.url` is without TLS"),
        ("email: {host: h, from: a@b.example, to: [c@d.example]}", "unknown key `to`"),
        ("email: {host: h, from: a@b.example, user: u}", "`notice.email` has `user` but lacks the key `password`"),
        (
            "email: {host: h, from: a@b.example, user: u, password: HIDDEN, security: none}",
            "a password is never sent without TLS",
        ),
        (f"email: {SERVER}\naddress: user.name", "`address` is neither an attribute nor a custom property"),
        (f"email: {SERVER}\naddress: user.attributes", "`address` is neither an attribute nor a custom property"),
        (f"email: {SERVER}\naddress: email", "`address` is neither an attribute nor a custom property"),
        (f"email: {SERVER}\nfallback: nobody", "is not an e-mail address"),
        (f"email: {SERVER}\nredirectTo: a@b.example, c@d.example", "is not an e-mail address"),
        (f"email: {SERVER}\ndefaultLanguage: German", "`defaultLanguage` is not a language"),
        (f"email: {SERVER}\ntemplates: nowhere", "`templates`: there is no folder"),
        (f"email: {SERVER}\nmaxMessagesPerRun: 0", "`maxMessagesPerRun` is from 1 to 100,000"),
        (f"email: {SERVER}\nhub: qlik.example.com", "`hub` is not a web address"),
        (f"email: {SERVER}\nhub: javascript:alert(1)", "`hub` is not a web address"),
        (f'email: {SERVER}\ncontact: ""', "`contact` is a text of 1 to 200 characters"),
        (f'email: {SERVER}\ncontact: "a\\u202eb"', "`contact` is a text of 1 to 200 characters"),
        (f"emial: {SERVER}", "unknown key `emial`"),
        ("- HIDDEN", "`notice` must be a map"),
    ],
)
def test_every_wrong_value_has_its_place(tmp_path: Path, text: str, finding: str) -> None:
    found = shown(tmp_path, text)
    assert finding in found
    assert "site.yaml:" in found
    assert "HIDDEN" not in found


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    text = "webhook: {url: https://h.example/x, secret: HIDDEN1, sekret: HIDDEN2}\nemail: HIDDEN3\nmanager: x"
    assert "HIDDEN" not in shown(tmp_path, text)


def test_the_whole_site_file_has_them(tmp_path: Path) -> None:
    secret = tmp_path / "smtp.txt"
    secret.write_text("pass", encoding="utf-8")
    mail = "{host: smtp.example.com, from: q@example.com, user: u, password: {file: smtp.txt}}"
    site = write_site(tmp_path, 4242, ours=f"notice: {{email: {mail}}}\nproxy: http://proxy.example.com:3128\n")
    settings = settings_of(site)
    assert settings.notice is not None
    assert settings.notice.server is not None
    assert settings.notice.proxy == settings.notifications.proxy
    assert "pass" in settings.secrets
    assert secret in settings.secret_files
    assert secret in [file.path for file in private_files(site, {})]
    site = write_site(tmp_path, 4242, ours="notice: {}\n")
    with pytest.raises(PolicyError, match="no mail server"):
        settings_of(site)
    assert settings_of(write_site(tmp_path, 4242)).notice is None
