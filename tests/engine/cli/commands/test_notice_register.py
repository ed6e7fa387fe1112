"""`seatwarden notice list|send|cancel|accept-damage`, on a simulated QRS and a real mail server."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.log.reader import read_plan
from seatwarden.engine.log.register import REGISTER_FILE, Override, read_register
from seatwarden.engine.notice.register import NOTICES_FILE, read_notices
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.cli.conftest import Run
from tests.engine.idle import idle_site
from tests.engine.notify.servers import Mailbox, mail_server
from tests.engine.service.sites import runs_of, write_site

pytestmark = pytest.mark.usefixtures("quick")
POLICY = """\
release analyzer when unused for 30 days
  after notice of 14 days, reminder 3 days before
limit release to 1000 per run
"""
PLAIN = "release analyzer when unused for 30 days\nlimit release to 1000 per run\n"


def in_days(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


class Place:
    """A site file beside a mail server."""

    def __init__(self, folder: Path, qrs: SimulatedQrs, box: Mailbox) -> None:
        self.box = box
        self.qrs = qrs
        self._folder = folder
        self.file = self.write()

    def write(self, policy: str = POLICY, dry_run: bool = False, more: str = "") -> Path:
        mail = f"email: {{host: localhost, port: {self.box.port}, security: none, from: licenses@example.com}}"
        ours = f"notice:\n  {mail}\n{more}"
        release = f"dryRun: {'true' if dry_run else 'false'}"
        self.file = write_site(self._folder, self.qrs.port, policy=policy, release=release, ours=ours)
        return self.file

    @property
    def register(self) -> Path:
        return self._folder / "state" / NOTICES_FILE

    @property
    def deleted(self) -> int:
        return len(self.qrs.deleted)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with _place(tmp_path) as found:
        yield found


@contextmanager
def _place(folder: Path, *, refuse: tuple[str, ...] = ()) -> Iterator[Place]:
    site: dict[str, Any] = idle_site()
    for user in site["users"]:
        address = f"{user['userId']}@example.com"
        user["attributes"] = [{"attributeType": "email", "attributeValue": address}]
    with SimulatedQrs(site) as qrs, mail_server() as box:
        box.refuse = refuse
        yield Place(folder, qrs, box)


# Send ----------------------------------------------------------------------------------------------------


def test_send_tells_and_releases_nothing(run: Run, place: Place) -> None:
    ran = run("notice", "send", "--site", place.file, "--yes")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[-1] == "6 messages sent, nothing released."
    first = "accepted: notice to user00@example.com on the analyzer license of CORP\\user00"
    assert f"{first}: announces {in_days(14)}" in ran.out
    assert len(place.box.messages) == 6
    assert place.deleted == 0
    again = run("notice", "send", "--site", place.file, "--yes")
    assert (again.code, again.out) == (0, "0 messages sent, nothing released.\n")


def test_what_is_due_without_notice_is_not_released_by_it(run: Run, place: Place) -> None:
    mixed = 'release analyzer "now" when user.userId = "user00" and unused for 30 days\n' + POLICY
    place.write(policy=mixed)
    assert run("notice", "send", "--site", place.file, "--yes").code == 0
    assert (place.deleted, len(place.box.messages)) == (0, 5)
    (folder,) = runs_of(place.file)
    assert read_plan(folder).header.mode == "dry run"  # nothing comes of that plan
    ran = run("run", "--site", place.file)
    assert (ran.code, place.deleted, len(place.box.messages)) == (0, 1, 5)


def test_a_dry_run_lists(run: Run, place: Place) -> None:
    place.write(dry_run=True)
    ran = run("notice", "send", "--site", place.file)
    assert ran.code == 0
    assert ran.out.splitlines()[-1] == "Dry run: 6 messages due, none sent. --no-dry-run sends."
    assert (place.box.messages, place.register.exists()) == ([], False)
    ran = run("notice", "send", "--site", place.file, "--no-dry-run", "--yes", "--format", "json")
    told = json.loads(ran.out)
    assert (told["outcome"], len(told["sent"]), told["sent"][0]["result"]) == ("done", 6, "accepted")
    assert len(place.box.messages) == 6


def test_nobody_answers(run: Run, place: Place) -> None:
    """Without a person, and without --yes, nothing goes out."""
    ran = run("notice", "send", "--site", place.file)
    assert ran.code == 2
    assert "nobody is here to confirm" in ran.err
    assert place.box.messages == []


def test_a_person_confirms_by_the_number(run: Run, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.prompt", lambda *words, **options: "no")
    ran = run("notice", "send", "--site", place.file)
    assert (ran.code, place.box.messages) == (1, [])
    assert "notice to user00@example.com on the analyzer license of CORP\\user00" in ran.err
    assert "not confirmed; nothing has been sent" in ran.err
    monkeypatch.setattr("typer.prompt", lambda *words, **options: "6")
    assert (run("notice", "send", "--site", place.file).code, len(place.box.messages)) == (0, 6)


def test_a_message_that_is_not_accepted(run: Run, tmp_path: Path) -> None:
    with _place(tmp_path, refuse=("user03@example.com",)) as place:
        ran = run("notice", "send", "--site", place.file, "--yes")
        assert ran.code == 4
        assert "refused (it refused the recipient: 550 5.1.1 no such mailbox" in ran.out
        said = run("notice", "list", "--site", place.file).out
        assert f"CORP\\user03 (user03@example.com): refused since {in_days(0)}: kept (it refused the recipient" in said
        listed = run("notice", "list", "--site", place.file, "--format", "json")
        states = {one["user"]: one["state"] for one in json.loads(listed.out)["notices"]}
        assert states["CORP\\user03"] == "refused"
        assert {state for user, state in states.items() if user != "CORP\\user03"} == {"told"}


def test_without_settings_for_messages(run: Run, place: Place) -> None:
    site = write_site(place.file.parent, place.qrs.port, policy=POLICY)
    ran = run("notice", "send", "--site", site, "--yes")
    assert (ran.code, "says nothing of messages" in ran.err) == (2, True)


# List and cancel -----------------------------------------------------------------------------------------


def test_list(run: Run, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("notice", "list", "--site", place.file).out == "0 notices\n"
    run("notice", "send", "--site", place.file, "--yes")
    monkeypatch.setenv("COLUMNS", "80")
    ran = run("notice", "list", "--site", place.file)
    assert (ran.code, max(map(len, ran.out.splitlines())) <= 80) == (0, True)
    assert ran.out.count("in force") == 6
    assert ran.out.splitlines()[-1] == "6 notices"
    assert "Qlik Sense was not asked who has come back since" in ran.err
    run("notice", "cancel", "user05", "--site", place.file)
    out = run("notice", "list", "--site", place.file, "--all").out
    assert max(map(len, out.splitlines())) <= 80
    assert "cancelled" in " ".join(out.split())
    monkeypatch.delenv("COLUMNS")
    row = run("notice", "list", "--site", place.file).out.splitlines()[3].split()
    due = ["due", in_days(11)]
    assert row == [in_days(14), "CORP\\user00", "analyzer", in_days(0), "user00@example.com", *due, "in", "force"]


def test_cancel(run: Run, place: Place) -> None:
    run("notice", "send", "--site", place.file, "--yes")
    ran = run("notice", "cancel", "user03", "--site", place.file, "--reason", "the mail bounced")
    assert ran.code == 0
    what = "the notice on the analyzer license of CORP\\user03, announced for"
    assert ran.out == f"Cancelled: {what} {in_days(14)}\n"
    assert run("notice", "list", "--site", place.file).out.splitlines()[-1] == "5 notices"
    out = run("notice", "list", "--site", place.file, "--all", "--format", "json").out
    (ended,) = [one for one in json.loads(out)["notices"] if one["ended"]]
    assert (ended["user"], ended["ended"], ended["endedOn"]) == ("CORP\\user03", "cancelled", in_days(0))
    assert ended["fact"].startswith("by ")
    assert ended["fact"].endswith(": the mail bounced")
    again = run("notice", "cancel", "user03", "--site", place.file)
    assert (again.code, "nobody is told of a release who is called `user03`" in again.err) == (1, True)
    assert "did you mean" in again.err.casefold()
    several = run("notice", "cancel", "user", "--site", place.file)
    assert (several.code, "can be 5 users" in several.err) == (2, True)
    other = run("notice", "cancel", "user04", "--type", "professional", "--site", place.file)
    assert (other.code, "no notice on a professional license runs for CORP\\user04" in other.err) == (1, True)


# Damage --------------------------------------------------------------------------------------------------


def test_accept_damage(run: Run, place: Place) -> None:
    run("notice", "send", "--site", place.file, "--yes")
    nothing = run("notice", "accept-damage", "--reason", "x", "--site", place.file)
    assert (nothing.code, "is as it was written" in nothing.err) == (1, True)
    place.register.write_bytes(place.register.read_bytes()[:-500])
    assert run("run", "--site", place.file).code == 3
    assert run("notice", "list", "--site", place.file).code == 3
    empty = run("notice", "accept-damage", "--reason", " ", "--site", place.file)
    assert (empty.code, "--reason is empty" in empty.err) == (2, True)
    ran = run("notice", "accept-damage", "--reason", "the disk was full", "--site", place.file)
    assert ran.code == 0, ran.err
    until = in_days(14 + 31)
    assert ran.out.splitlines()[-1] == f"All notices are ended, and nothing is released before {until}, by no rule."
    assert "notices.jsonl.damaged-1" in ran.out
    place.write(policy=PLAIN)
    assert (run("run", "--site", place.file).code, place.deleted) == (0, 0)
    listed = run("notice", "list", "--site", place.file)
    assert f"Nothing is released before {until}" in listed.err
    state = read_register(place.register.with_name(REGISTER_FILE))
    assert state is not None
    assert [line.option for line in state.of_kind(Override)] == ["notice accept-damage"]
    assert len(read_notices(place.register).lines) >= 2
