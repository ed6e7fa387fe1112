"""`seatwarden notice preview` from the outside, and what `lint` and `site check` say of broken messages."""

import email
import json
from email.policy import SMTP
from pathlib import Path

import pytest

from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.cli.conftest import Run
from tests.engine.service.sites import write_site
from tests.engine.support import license_row, site_of, user
from tests.paths import EXAMPLES

MAIL = "email: {host: smtp.example.com, from: Qlik Sense <qlik@example.com>}"
POLICY = 'release analyzer "unused" when unused for 30 days\n'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site file that names a mail server, beside a policy."""
    return with_notice(tmp_path, MAIL)


def with_notice(folder: Path, *lines: str) -> Path:
    said = "".join(f"  {line}\n" for line in lines)
    return write_site(folder, 4242, policy=POLICY, ours=f"notice:\n{said}")


def given(site: Path) -> tuple[object, ...]:
    return "--site", site, "--snapshot", EXAMPLES / "site.json"


def test_the_text(run: Run, site: Path) -> None:
    ran = run("notice", "preview", "mlopez", *given(site))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[:9] == [
        "to       mlopez@example.com (the user)",
        "by       e-mail (smtp.example.com:587)",
        "language en",
        "subject  Your Analyzer license for Qlik Sense will be given to others on 5 December 2026",
        "",
        "Hello María López,",
        "",
        "Your Analyzer license for Qlik Sense (qlik.example.com) was last used on 4 May 2026, 201 days ago.",
        "Licenses that nobody uses are given to colleagues who need them. With yours, this will be on 5 December 2026.",
    ]


def test_the_reminder_in_another_language(run: Run, site: Path) -> None:
    out = run("notice", "preview", "mlopez", *given(site), "--reminder", "--language", "de").out
    assert "language de\nsubject  Erinnerung: Ihre Analyzer-Lizenz" in out
    assert "wir haben Ihnen am 10. November 2026 geschrieben" in out
    assert "am 24. November 2026." in out


def test_html_and_mail(run: Run, site: Path) -> None:
    html = run("notice", "preview", "mlopez", *given(site), "--format", "html").out
    assert html.startswith("<!doctype html>\n")
    assert html.endswith("</html>\n")
    mail = email.message_from_string(
        run("notice", "preview", "mlopez", *given(site), "--format", "eml").out, policy=SMTP
    )
    assert mail["To"] == "mlopez@example.com"
    assert [part.get_content().rstrip().replace("\r\n", "\n") for part in mail.iter_parts()][1] == html.rstrip()


def test_who_is_meant_and_who_is_not_due(run: Run, site: Path) -> None:
    ran = run("notice", "preview", "Svensson", *given(site))
    assert ran.code == 0
    assert "`Svensson` is CORP\\asvensson (Åsa Svensson)\n" in ran.err
    assert "nothing is due here today" in ran.err
    several = run("notice", "preview", "a", *given(site))
    assert several.code == 2
    assert "say which" in several.err
    assert run("notice", "preview", "nobody", *given(site)).code == 2
    wrong = run("notice", "preview", "mlopez", *given(site), "--type", "professional")
    assert wrong.code == 2
    assert "CORP\\mlopez (María López) has no professional license" in wrong.err


def test_nobody_to_write_to_is_no(run: Run, tmp_path: Path) -> None:
    site = with_notice(tmp_path, MAIL, "address: user.attributes.mail")
    ran = run("notice", "preview", "mlopez", *given(site))
    assert (ran.code, ran.out) == (1, "")
    reason = "`user.attributes.mail` is empty"
    assert ran.err == f"CORP\\mlopez (María López) cannot be told, and keeps the license: {reason}\n"


def test_others_and_a_trial(run: Run, tmp_path: Path) -> None:
    lines = ("address: user.attributes.mail", "fallback: desk@example.com", "redirectTo: me@example.com")
    ran = run("notice", "preview", "mlopez", *given(with_notice(tmp_path, MAIL, *lines)))
    first, _, _, subject = ran.out.splitlines()[:4]
    assert first == "to       me@example.com (`redirectTo`), not yet desk@example.com (`fallback` of the site file)"
    assert subject.startswith("subject  [for desk@example.com] The Analyzer license of María López")


def test_plain_mail_has_no_html(run: Run, tmp_path: Path) -> None:
    (tmp_path / "texts" / "en").mkdir(parents=True)
    (tmp_path / "texts" / "en" / "message.txt").write_text("Hi\n", encoding="utf-8")
    site = with_notice(tmp_path, MAIL, "templates: texts")
    assert run("notice", "preview", "mlopez", *given(site)).out.endswith("\n\nHi\n")
    ran = run("notice", "preview", "mlopez", *given(site), "--format", "html")
    assert ran.code == 2
    assert "this message has no HTML" in ran.err
    mail = run("notice", "preview", "mlopez", *given(site), "--format", "eml").out
    assert "multipart" not in mail


def test_two_licenses(run: Run, tmp_path: Path) -> None:
    anna = user(1, attributes=[{"attributeType": "email", "attributeValue": "anna@example.com"}])
    who = {key: anna[key] for key in ("id", "userId", "userDirectory")}
    rows = [license_row(n, "2026-01-01T00:00:00.000Z", user=who) for n in (1, 2)]
    site_file = site_of([anna], rows)
    site_file["licenses"]["professional"] = [rows[1]]
    site_file["licenses"]["analyzer"] = [rows[0]]
    snapshot = tmp_path / "site.json"
    snapshot.write_text(json.dumps(site_file), encoding="utf-8")
    policy = "release analyzer, professional when unused for 30 days\n"
    site = write_site(tmp_path, 4242, policy=policy, ours=f"notice:\n  {MAIL}\n")
    asked = ("notice", "preview", anna["userId"], "--site", site, "--snapshot", snapshot, "--now", "2026-11-21")
    assert "there are 2 licenses" in run(*asked).err
    for kind in ("Analyzer", "Professional"):
        assert f"Your {kind} license" in run(*asked, "--type", kind.lower()).out


def test_a_webhook_has_no_mail(run: Run, tmp_path: Path) -> None:
    site = with_notice(tmp_path, "webhook: {url: https://hooks.example.com/secretPath}")
    assert "by       webhook (https://hooks.example.com)" in run("notice", "preview", "mlopez", *given(site)).out
    ran = run("notice", "preview", "mlopez", *given(site), "--format", "eml")
    assert ran.code == 2
    assert "there is no mail" in ran.err


def test_a_site_without_messages(run: Run, tmp_path: Path) -> None:
    ran = run("notice", "preview", "mlopez", *given(write_site(tmp_path, 4242, policy=POLICY)))
    assert ran.code == 2
    assert "says nothing of messages" in ran.err
    assert "no site" in run("notice", "preview", "mlopez").err
    other = run("notice", "preview", "mlopez", *given(with_notice(tmp_path, MAIL)), "--language", "nl")
    assert "there are no texts in the language `nl`" in other.err


def test_a_live_site_is_asked_for_attributes(run: Run, tmp_path: Path) -> None:
    """Although the policy reads none, and nothing is sent."""
    anna = user(1, name="Anna\x1b[31m", attributes=[{"attributeType": "email", "attributeValue": "anna@example.com"}])
    row = license_row(1, "2026-01-01T00:00:00.000Z", user={key: anna[key] for key in ("id", "userId", "userDirectory")})
    with SimulatedQrs(site_of([anna], [row])) as qrs:
        site = write_site(tmp_path, qrs.port, policy=POLICY, ours=f"notice:\n  {MAIL}\n")
        ran = run("notice", "preview", anna["userId"], "--site", site)
    assert ran.code == 0, ran.err
    assert "to       anna@example.com (the user)" in ran.out
    assert "\x1b" not in ran.out


def test_a_broken_template_is_found_before_anything(run: Run, tmp_path: Path) -> None:
    (tmp_path / "texts" / "en").mkdir(parents=True)
    (tmp_path / "texts" / "en" / "message.txt").write_text("Hi\n{{ nmae }}\n", encoding="utf-8")
    site = with_notice(tmp_path, MAIL, "templates: texts")
    said = "message.txt`, line 2: there is no variable `nmae`\n  = help: did you mean `name`?"
    for command in (("notice", "preview", "mlopez", *given(site)), ("site", "check", "--site", site), ("lint", site)):
        ran = run(*command)
        assert ran.code == 2
        assert said in ran.err


def test_lint_finds_wrong_settings_and_asks_for_no_password(run: Run, tmp_path: Path) -> None:
    wrong = with_notice(tmp_path, MAIL, "fallback: nobody")
    found = json.loads(run("lint", wrong, "--format", "json").out)["findings"]
    assert "`notice.fallback` is not an e-mail address" in [one["message"] for one in found]
    secret = "email: {host: smtp.example.com, from: q@example.com, user: u, password: '${NOT_HERE}'}"
    found = json.loads(run("lint", with_notice(tmp_path, secret), "--format", "json").out)["findings"]
    assert not [one for one in found if "NOT_HERE" in one["message"] or "password" in one["message"]]
