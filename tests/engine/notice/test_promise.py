"""The promise, held against simulated weeks in which everything happens, and `run` is killed (-9) again and again.

No license is released before the day that was announced; by a rule with a notice none without a message that the
person's own server took, and the whole period after it; and no step has two messages. What is held here is what people
saw: mails that arrived, days that passed, licenses that are gone. The program's own register is not asked.
"""

import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import Envelope

from seatwarden.engine.log.verify import verify_record
from seatwarden.engine.notice.register import NOTICES_FILE, read_notices
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.cli.conftest import Processes, processes
from tests.engine.notice.telling import LONG_AGO, person
from tests.engine.notify.servers import mail_server
from tests.engine.runs.recorded import NO_PAGES
from tests.engine.service.sites import write_site
from tests.engine.support import license_row, site_of
from tests.platforms import WINDOWS

__all__ = ["processes"]

_START = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
_PEOPLE = 6
_LIMIT = "limit release to 4 per run\n"


@dataclass(frozen=True)
class Rule:
    """A policy that is in force for a while: its text, and what it promises people."""

    text: str
    notice: int = 0
    reminder: int = 0


_UNUSED = "release analyzer when unused for 30 days"
RULES = (
    Rule(f"{_UNUSED}\n  after notice of 7 days\n{_LIMIT}", 7),
    Rule(f"{_UNUSED}\n  after notice of 9 days, reminder 3 days before\n{_LIMIT}", 9, 3),
    Rule(f'{_UNUSED} and weekday = ["Monday", "Thursday"]\n  after notice of 5 days\n{_LIMIT}', 5),
    Rule(f"release analyzer when user unused for 25 days\n  after notice of 6 days\n{_LIMIT}", 6),
    Rule(f'keep when user.tags = "VIP"\n{_UNUSED}\n  after notice of 8 days\n{_LIMIT}', 8),
    Rule(f"{_UNUSED}\n{_LIMIT}"),
)


@dataclass(frozen=True)
class Mail:
    """A mail that arrived: when, where, what it says, and whether the server said that it took it."""

    day: int
    to: str
    id: str
    announced: date
    reminder: bool
    accepted: bool


@dataclass
class World:
    """What really happens. `day` counts from the first one; `offset` is by how many days the program's clock is off."""

    chance: random.Random
    qrs: SimulatedQrs
    day: int = 0
    offset: int = 0
    moods: dict[str, float] = field(default_factory=dict)
    mails: list[Mail] = field(default_factory=list)
    used: dict[str, int] = field(default_factory=dict)
    held: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    moved: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    allocated: dict[str, int] = field(default_factory=dict)

    @property
    def moment(self) -> datetime:
        """The true moment."""
        return _START + timedelta(days=self.day)

    def address(self, user: str) -> str:
        """The present address of somebody."""
        return self.moved[user][-1][1]

    def answer(self, envelope: Envelope) -> str | None:
        """Takes a mail, refuses it, or hangs up; then nobody knows whether it arrived."""
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content)
        announced, kind = str(mail["Subject"]).split()[-2:]
        luck = self.chance.random()
        if luck > 0.15 or luck < 0.05:
            said = str(mail["Message-ID"]), date.fromisoformat(announced), kind == "reminder", luck > 0.15
            self.mails += [Mail(self.day, to, *said) for to in envelope.rcpt_tos]
        return None if luck < 0.1 else "250 taken" if luck > 0.15 else "550 not here"


def _command(arguments: list[str], base: str, real: float) -> None:
    """A command in a process of its own, whose clock says another time."""
    import time

    import seatwarden.engine.cli.circumstances as circumstances
    from seatwarden.engine.cli.main import main

    class _Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.fromisoformat(base) + timedelta(seconds=time.time() - real)

    setattr(circumstances, "datetime", _Clock)  # noqa: B010 - the child is its own
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - for the rest of the process
    sys.argv = ["seatwarden", *arguments]
    main()


@dataclass
class Weeks:
    """A site, its world, and what is done there day after day."""

    folder: Path
    world: World
    mail_port: int
    processes: Processes
    rule: Rule = RULES[0]
    redirected: bool = False
    kills: int = 0
    length: float = 0.5
    """How many seconds the last whole run took: on a machine of any speed, most are killed in the middle."""

    def write(self) -> Path:
        """The site file of today."""
        texts = self.folder / "texts" / "en"
        texts.mkdir(parents=True, exist_ok=True)
        (texts / "subject.txt").write_text("{{ announced_iso }} {% if reminder %}reminder{% else %}notice{% endif %}\n")
        ours = "parallel: 2\nnotice:\n  templates: texts\n"
        ours += f"  email: {{host: 127.0.0.1, port: {self.mail_port}, security: none, from: it@example.org}}\n"
        ours += "  redirectTo: me@example.org\n" if self.redirected else ""
        schedule = "enable: true\nfrequency: every 24 hours\ndryRun: false"
        return write_site(self.folder, self.world.qrs.port, policy=self.rule.text, ours=ours, release=schedule)

    def run(self, *arguments: str, kill: float | None = None) -> int | None:
        """A command on that day; killed after so many seconds. Its exit code; None when it was killed."""
        import time

        site = self.write()
        base = (self.world.moment + timedelta(days=self.world.offset)).isoformat()
        words = [*(arguments or ("run",)), "--site", str(site)]
        process = self.processes(target=_command, args=(words, base, time.time()))
        began = time.monotonic()
        process.start()
        process.join(kill if kill is not None else 60)
        if process.is_alive():
            process.kill()
            process.join()
            self.kills += 1
            return None
        self.length = self.length if arguments else time.monotonic() - began
        return process.exitcode

    @property
    def state(self) -> Path:
        """The state folder."""
        return self.folder / "state"


def _change(world: World, site: dict[str, Any]) -> None:
    """What people and directories do overnight."""
    chance, users = world.chance, {row["userId"]: row for row in site["users"]}
    for row in site["licenses"]["analyzer"]:
        name = row["user"]["userId"]
        if chance.random() < 0.02:
            at = world.moment - timedelta(hours=chance.randint(1, 20))
            row["lastUsed"] = at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
            world.used[row["id"]] = world.day
        if chance.random() < 0.01:
            row["lastUsed"], row["createdDate"] = LONG_AGO, f"2026-02-{1 + world.day % 28:02}T00:00:00.000Z"
            world.allocated[row["id"]] = world.day
        if chance.random() < 0.02:
            address = f"{name}.{world.day}@example.org"
            world.moved[name].append((world.day, address))
            users[name]["attributes"] = [{"attributeType": "email", "attributeValue": address}]
        if chance.random() < 0.03:
            users[name].pop("tags", None)
        elif chance.random() < 0.5:
            users[name]["tags"] = [{"id": "t", "name": "VIP"}] if chance.random() < 0.1 else []


def _decide(weeks: Weeks) -> None:
    """What administrators do."""
    world, chance = weeks.world, weeks.world.chance
    if chance.random() < 0.06:
        weeks.rule = chance.choice(RULES)
    if chance.random() < 0.04:
        weeks.redirected = not weeks.redirected
    if chance.random() < 0.05:
        user = f"user{chance.randint(1, _PEOPLE)}"
        until = world.moment.date() + timedelta(days=chance.randint(1, 9))
        if weeks.run("hold", f"ACME\\{user}", "--until", until.isoformat(), "--reason", "on leave") == 0:
            world.held.setdefault(user, []).append((world.day, (until - _START.date()).days))


@contextmanager
def _harmed(weeks: Weeks) -> Iterator[None]:
    """The register of notices cut, edited or gone, for a while."""
    path = weeks.state / NOTICES_FILE
    data, chance = path.read_bytes(), weeks.world.chance
    lines = data.splitlines(keepends=True)
    match chance.randint(0, 2):
        case 0:
            path.write_bytes(b"".join(lines[: -chance.randint(1, len(lines))]))
        case 1:
            at = chance.randrange(len(data) - 1)
            path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        case _:
            path.unlink()
    try:
        yield
    finally:
        path.write_bytes(data)


def _check(weeks: Weeks, license_id: str, user: str) -> None:
    """What must be true of a license that has just been released, as its holder sees it."""
    world, rule = weeks.world, weeks.rule
    today = (world.moment + timedelta(days=world.offset)).date()
    own = {address for _, address in world.moved[user]}
    mine = [mail for mail in world.mails if mail.to in own]
    where = f"{license_id} on day {world.day} by {rule.text!r}"
    assert all(mail.announced <= today for mail in mine), f"{where}: released before the announced day"
    assert not any(since <= world.day <= until for since, until in world.held.get(user, [])), f"{where}: held"
    if not rule.notice:
        return
    address = world.address(user)
    since = max(world.used.get(license_id, -1), world.allocated.get(license_id, -1))
    since = max([since, *(until for _, until in world.held.get(user, []) if until < world.day)], default=-1)
    taken = [mail for mail in mine if mail.accepted and mail.to == address]
    notices = [mail.day for mail in taken if not mail.reminder and mail.day >= max(0, since)]
    assert notices, f"{where}: nobody was told"
    assert min(notices) + rule.notice <= world.day, f"{where}: told on {notices}"
    if rule.reminder:
        reminders = [mail.day for mail in taken if mail.reminder and mail.day >= min(notices)]
        assert reminders, f"{where}: nobody was reminded"
        assert min(reminders) + rule.reminder <= world.day, f"{where}: reminded on {reminders}"


def _one_day(weeks: Weeks) -> None:
    world, chance = weeks.world, weeks.world.chance
    before = list(world.qrs.deleted)
    with world.qrs.site_lock() as site:
        holders = {row["id"]: row["user"]["userId"] for row in site["licenses"]["analyzer"]}
    mails, refused = len(world.mails), False
    if chance.random() < 0.05:
        world.offset = 6  # ours alone is wrong
        assert weeks.run() in (3, 0)
        world.offset, refused = 0, True
    elif (weeks.state / NOTICES_FILE).exists() and chance.random() < 0.05:
        with _harmed(weeks):
            assert weeks.run() == 3
        refused = True
    if refused:
        assert world.qrs.deleted == before
        assert len(world.mails) == mails
    for _ in range(chance.choice((0, 1, 1, 2))):
        weeks.run(kill=chance.uniform(0.05, max(0.1, weeks.length)))
    if chance.random() < 0.9:
        weeks.run()
    for license_id in world.qrs.deleted[len(before) :]:
        _check(weeks, license_id, holders[license_id])
        # It is allocated anew, to the same person: the site stays as large as it was.
        number, today = license_id.removeprefix("l").split("-")[0], world.moment.strftime("%Y-%m-%dT00:00:00.000Z")
        with world.qrs.site_lock() as site:
            row = license_row(int(number), today, id=f"l{number}-{world.day}", createdDate=today)
            site["licenses"]["analyzer"].append(row)


def _check_record(weeks: Weeks) -> None:
    """One message a step and address, and a record that verifies."""
    record = read_notices(weeks.state / NOTICES_FILE)
    ids: dict[tuple[int, str, str], set[str]] = {}
    for notice in record.notices.by_number.values():
        for message in notice.messages:
            assert message.intent.person
            ids.setdefault((notice.number, message.intent.step, message.to), set()).add(
                message.intent.person.message_id
            )
    assert all(len(some) == 1 for some in ids.values())
    known = {one for some in ids.values() for one in some}
    assert {mail.id.strip("<>").rpartition("@")[0] for mail in weeks.world.mails} <= known
    assert verify_record(weeks.state, NO_PAGES).faults == []


_DAYS, _LONG_DAYS = 25, 75


@pytest.mark.skipif(WINDOWS, reason="a process takes seconds to begin there")
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2, 3))])
def test_the_promise_is_kept_whatever_happens(tmp_path: Path, processes: Processes, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - nobody is to be surprised
    numbers = range(1, _PEOPLE + 1)
    people = site_of([person(n) for n in numbers], [license_row(n, LONG_AGO) for n in numbers])
    with SimulatedQrs(people, now=_START) as qrs:
        world = World(chance, qrs, moved={f"user{n}": [(0, f"user{n}@example.org")] for n in numbers})
        with mail_server(answer=world.answer) as mail:
            weeks = Weeks(tmp_path, world, mail.port, processes)
            for _ in range(_LONG_DAYS if seed else _DAYS):
                _one_day(weeks)
                world.day += 1
                world.qrs.be_at(world.moment)
                with world.qrs.site_lock() as site:
                    _change(world, site)
                _decide(weeks)
            weeks.run()
    assert world.qrs.deleted, "nothing was released at all"
    assert weeks.kills >= (55 if seed else 8), "too few were killed"
    _check_record(weeks)
