"""A site in memory on which people are downgraded: the simulated QRS without sockets, and what can happen on the way.

Each request to it is a step, and so is each line that is written into a journal or a register. Before any step
something can happen: the process is killed, somebody logs in, the pool is emptied. What is sent (a POST, a DELETE) can
have its answer lost, or arrive late itself, some steps later.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias
from unittest.mock import patch

import msgspec

from seatwarden.engine.apply.pending import ApplyResult, carry_out, open_journal
from seatwarden.engine.apply.regiver import actions_of_restore
from seatwarden.engine.errors import NoAnswer, PlanRefused
from seatwarden.engine.log.chain import ChainLine
from seatwarden.engine.log.growing import GrowingChain
from seatwarden.engine.log.journal import JournalState, read_journal
from seatwarden.engine.log.reader import read_log
from seatwarden.engine.runs.context import RunContext
from seatwarden.engine.runs.left import release_left
from seatwarden.engine.runs.restore import (
    SiteShown,
    check_restorable,
    find_restorable,
    pending_restore,
    seal_restore,
)
from seatwarden.engine.runs.run import run_once
from seatwarden.engine.runs.run_report import RunReport
from seatwarden.engine.simulator.repository import Allocations, SimulatedRepository
from seatwarden.engine.site.settings import Settings
from seatwarden.engine.snapshot.model import License, Seats, Snapshot, User, seats_in
from seatwarden.engine.snapshot.reader import decode_license, decode_licenses, decode_snapshot, decode_user
from seatwarden.grammar.ast import LicenseType
from seatwarden.policy.errors import InputError
from tests.engine.runs.recorded import RecordedSite
from tests.engine.service.sites import settings_of, write_site
from tests.engine.support import user
from tests.strategies import as_json

DOWNGRADE = "downgrade professional when unused for 60 days\nlimit release to 100% per run\n"
LONG_AGO = "2026-01-10T08:00:00.000Z"
Steps: TypeAlias = Mapping[int, Callable[["ExchangingSite"], None]]
"""What happens before a step, by its number, counted from the beginning."""


class Killed(BaseException):
    """The process is killed."""


def one_person(people: int = 1, **facts: Any) -> dict[str, Any]:
    """A site whose people hold a Professional license each, unused for long."""
    users = [
        user(n, id=f"00000000-0000-4000-8000-00000000000{n}", userId=f"u{n}", userDirectory="CORP")
        for n in range(1, people + 1)
    ]
    rows = [professional(user, n) for n, user in enumerate(users, 1)]
    return {"users": users, "licenses": {"professional": rows, "analyzer": []}, **facts}


def professional(user: Mapping[str, Any], n: int = 1, used: str = LONG_AGO) -> dict[str, Any]:
    """The Professional license of a user."""
    return {
        "id": f"00000000-0000-4000-9000-00000000000{n}",
        "user": {name: user[name] for name in ("id", "userId", "userDirectory", "name")},
        "createdDate": "2025-01-01T00:00:00.000Z",
        "lastUsed": used,
        "excess": False,
        "quarantined": False,
        "quarantineEnd": "1753-01-01T00:00:00.000Z",
    }


@dataclass
class ExchangingSite(RecordedSite):
    """A site on which people are downgraded; `steps` says what happens before each request that changes or looks."""

    content: dict[str, Any] = field(default_factory=one_person)
    policy: str = DOWNGRADE
    allocations: Allocations = Allocations()
    steps: Steps = field(default_factory=dict)
    count: int = 0
    """The requests so far."""
    late: list[tuple[str, str, bytes]] = field(default_factory=list)
    """Requests that were sent and have not arrived."""
    sent: int = 0
    """How many requests were sent that change something."""
    lose: frozenset[int] = frozenset()
    """Those of them whose answer is lost, by number; the request has arrived."""
    delay: frozenset[int] = frozenset()
    """Those that have no answer, and arrive late."""
    arrives: int | None = None
    """How many steps later; None: in the end."""
    on_step: Callable[[], None] = lambda: None
    looked: bool = True
    """Whether it was looked, since the last POST, what the person has."""
    posted: int = 0
    """How many Analyzer licenses were asked for."""
    posted_twice: int = 0
    """How often a POST was sent without a look since the one before."""

    threads: int = 1
    made_rule: dict[str, Any] = field(default_factory=dict)
    together: int = 0
    """How often two requests on one person were under way at the same time."""
    _busy: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.began = self.now
        self.folder.mkdir(exist_ok=True)
        self.qrs = SimulatedRepository(self.content, self.now)
        self.qrs.allocations = self.allocations
        self.qrs.buy("analyzer", 10)
        self.content = self.qrs.site

    # QRS

    def snapshot(self, now: datetime) -> Snapshot:
        whole = {**self.content, "accessTypeOverview": self._asked("GET", "/qrs/license/accesstypeoverview")}
        taken = decode_snapshot(as_json(whole), "snapshot")
        taken.site_clock = self.site_clock
        return taken

    def license(self, license_type: LicenseType, license_id: str) -> License | None:
        self.step()
        found = [row for row in self.content["licenses"][license_type] if row["id"] == license_id]
        return decode_license(as_json(found[0]), "license") if found else None

    def user(self, user_id: str) -> User | None:
        self.step()
        found = [row for row in self.content["users"] if row["id"] == user_id]
        return decode_user(as_json(found[0]), "user") if found else None

    def users(self) -> list[User]:
        self.step()
        return [decode_user(as_json(row), "user") for row in self.content["users"]]

    def licenses_of(self, license_type: LicenseType, user_id: str) -> list[License]:
        self.step()
        self.looked = True
        rows = [row for row in self.content["licenses"][license_type] if row["user"]["id"] == user_id]
        return decode_licenses(json.dumps(rows).encode(), "licenses")

    def seats(self) -> Mapping[LicenseType, Seats]:
        self.step()
        return seats_in(msgspec.Raw(as_json(self._asked("GET", "/qrs/license/accesstypeoverview"))))

    def license_rules(self) -> bytes | None:
        self.step()
        return json.dumps(self.content.get("licenseRules", [])).encode()

    def allocate(self, license_type: LicenseType, user_id: str) -> tuple[int, str]:
        self.posted += license_type == "analyzer"
        self.posted_twice += not self.looked
        self.looked = False
        return self._sent("POST", f"/qrs/license/{license_type}accesstype", {"user": {"id": user_id}})

    def delete(self, license_type: LicenseType, license_id: str) -> tuple[int, str]:
        (row,) = [row for row in self.content["licenses"][license_type] if row["id"] == license_id] or [{"user": {}}]
        person = row["user"].get("id", "")
        self.together += person in self._busy
        self._busy.add(person)
        if self.threads > 1:
            time.sleep(0.01)  # so that another thread could come in between
        try:
            return self._sent("DELETE", f"/qrs/license/{license_type}accesstype/{license_id}")
        finally:
            self._busy.discard(person)

    def _asked(self, method: str, path: str) -> Any:
        return json.loads(self.qrs.answer(method, path, None).body)

    def _sent(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        step, sent = self.step(), self.sent
        self.sent += 1
        request = (method, path, json.dumps(body).encode() if body is not None else b"")
        if sent in self.delay:
            self.late.append(request)
            if self.arrives is not None:
                self.steps = {**self.steps, step + self.arrives: ExchangingSite.arrive}
            raise NoAnswer("no answer in time")
        answer = self._arrives(request)
        if sent in self.lose:
            raise NoAnswer("no answer in time")
        return answer

    def _arrives(self, request: tuple[str, str, bytes]) -> tuple[int, str]:
        method, path, body = request
        answer = self.qrs.answer(method, path, None, body)
        return answer.status, answer.body.decode()

    def step(self) -> int:
        """One more: what was to happen before it, happens."""
        step, self.count = self.count, self.count + 1
        self.on_step()
        happens = self.steps.get(step)
        if happens is not None:
            happens(self)
        return step

    # what happens

    def kill(self) -> None:
        """The process is killed."""
        raise Killed

    def arrive(self) -> None:
        """What is under way arrives."""
        waiting, self.late[:] = list(self.late), []
        for request in waiting:
            self._arrives(request)

    def log_in(self) -> None:
        """The first user uses the Professional license, or else the other."""
        for kind in ("professional", "analyzer"):
            for row in self.content["licenses"][kind][:1]:
                row["lastUsed"] = self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
                return

    def empty_pool(self) -> None:
        """Somebody else takes all free Analyzer licenses."""
        self.qrs.buy("analyzer", len(self.content["licenses"]["analyzer"]))

    def make_rule(self) -> None:
        """Somebody makes a license rule."""
        self.content["licenseRules"] = [self.made_rule]

    # runs

    @property
    def settings(self) -> Settings:
        site = write_site(self.folder, 4242, ours=f"parallel: {self.threads}\n{self.ours}", policy=self.policy)
        return settings_of(site, scheduled=False)

    @contextmanager
    def _connected(self) -> Iterator["ExchangingSite"]:
        yield self

    def night(self, *, dry_run: bool = False) -> RunReport | None:
        """A run; None when it was killed."""
        context = RunContext(self._connected, self.hand, self.log)
        try:
            with self._watched():
                return run_once(self.settings, context, dry_run=dry_run)
        except Killed:
            return None
        finally:
            self.now += timedelta(minutes=1)
            self.qrs.now = self.now

    def night_in_two_steps(self, most: int) -> tuple[RunReport, RunReport]:
        """A run whose second step may release so many licenses."""
        context = RunContext(self._connected, self.hand, self.log)
        first = run_once(self.settings, context, dry_run=False, in_two_steps=True)
        assert first.left is not None
        return first, release_left(self.settings, context, first.left, [one.key for one in first.left.chosen[:most]])

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Each line that is written is a step meanwhile."""
        append = GrowingChain.append

        def watched(chain: GrowingChain, line: ChainLine) -> None:
            self.step()
            append(chain, line)

        with patch.object(GrowingChain, "append", watched):
            yield

    def sleep(self, days: int = 1) -> None:
        """Some days pass."""
        self.now += timedelta(days=days)
        self.qrs.now = self.now

    def give_back(self, run: Path, *users: str) -> ApplyResult | None:
        """What `restore RUN` does; None when it was killed, or nothing is left."""
        plan = read_log(run)
        journal = check_restorable(plan, self.settings.site.url)
        try:
            with self._watched(), self.record() as record:
                record.remove_unknown_restores()
                found = find_restorable(plan, journal, self.state)
                if found.open is None and not found.left:
                    return None
                log = found.open or seal_restore(found, found.left, SiteShown({}), record, self.state, self.hand)
                pending = pending_restore(log)
                with record.applying(pending):
                    open_ = open_journal(pending, self.hand)
                    try:
                        return carry_out(
                            pending,
                            actions_of_restore(log, self, pending.gifts),
                            open_,
                            parallel=1,
                            clock=lambda: self.now,
                            progress=lambda outcome: None,
                        )
                    finally:
                        open_.close()
        except Killed:
            return None
        finally:
            self.now += timedelta(minutes=1)

    def try_to_give_back(self, run: Path) -> str:
        """The same; why it is refused, where it is."""
        try:
            self.give_back(run)
        except (PlanRefused, InputError) as refused:
            return refused.message
        return ""

    # asking

    def held(self, n: int = 1) -> dict[str, int]:
        """How many licenses of each type a user holds, those in quarantine not counted."""
        user = self.content["users"][n - 1]["id"]
        return {
            kind: sum(row["user"]["id"] == user and not row["quarantined"] for row in rows)
            for kind, rows in self.content["licenses"].items()
        }

    def journal(self) -> JournalState:
        """The journal of the newest run that has one."""
        paths = [run / "outcomes.jsonl" for run in self.runs if (run / "outcomes.jsonl").exists()]
        found = read_journal(paths[-1])
        assert found is not None
        return found

    def results(self) -> list[str]:
        """The results in it."""
        return [line.result for line in self.journal().outcomes.values()]
