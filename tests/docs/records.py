"""A real record for the documentation's tests: the state folder of a site with several runs, made by the commands."""

import itertools
import re
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

import seatwarden.engine.cli.state_folder
from seatwarden.engine.simulator.server import Fault, SimulatedQrs
from tests.docs.blocks import printed_by
from tests.docs.live_site import command_modules
from tests.engine.idle import POLICY, idle_site
from tests.engine.notify.servers import mail_server
from tests.engine.service.sites import runs_of, write_site
from tests.engine.signers import WORDS, write_keys

TOLD_FIRST = """\
release analyzer when unused for 30 days
  after notice of 14 days, reminder 3 days before
limit release to 1000 per run
"""
DOWNGRADE = "downgrade professional when unused for 30 days\nlimit release to 1000 per run\n"
TWO_A_RUN = POLICY.replace("1000 per run", "2 per run, longest unused first")


@dataclass
class Command:
    """Runs commands on a site, each a minute after the other by all clocks, and `ahead` of today.

    `command("run --site SITE")` returns what was printed; SITE, STATE and RUN are the site file, the state folder and
    the newest run folder.
    """

    site: Path
    qrs: SimulatedQrs
    patch: pytest.MonkeyPatch
    start: datetime = field(default_factory=lambda: datetime.now(UTC))
    ahead: timedelta = timedelta(0)
    minutes: Iterator[int] = field(default_factory=itertools.count)
    with_clock: list[ModuleType] = field(
        default_factory=lambda: [one for one in command_modules() if hasattr(one, "clock")]
    )

    def __call__(self, line: str) -> str:
        now, folder = self.start + self.ahead + next(self.minutes) * timedelta(minutes=1), self.site.parent
        for module in self.with_clock:
            self.patch.setattr(module, "clock", lambda: now)
        self.patch.setattr(self.qrs, "_now", now)
        places = {"SITE": self.site, "STATE": folder / "state", "RUN": next(reversed(runs_of(self.site)), folder)}
        words = re.sub(r"\b(SITE|STATE|RUN)\b", lambda word: f"'{places[word[0]]}'", line)
        return printed_by(f"seatwarden {words}", "")


@contextmanager
def running_site(folder: Path, policy: str = TWO_A_RUN, *, ours: str = "") -> Iterator[tuple[SimulatedQrs, Command]]:
    """A site at rest with its site file in `folder`, and a way to run commands on it."""
    with SimulatedQrs(idle_site()) as qrs, pytest.MonkeyPatch.context() as patch:
        site = write_site(folder, qrs.port, policy=policy, ours=f"parallel: 1\n{ours}")
        patch.setattr("urllib3.util.retry.Retry.sleep", lambda *args: None)
        patch.setattr(seatwarden.engine.cli.state_folder, "user_state_path", lambda *args, **options: folder)
        yield qrs, Command(site, qrs, patch)


def make_record(folder: Path) -> Path:
    """The state folder of a site: two runs that released two licenses each, a dry run between them, one over its limit
    that was applied with another limit, and one that failed, since QRS did not answer. One person was held for a
    while, and one is held whose license is of the other type."""
    with running_site(folder) as (qrs, command):
        command.ahead = timedelta(minutes=-10)  # `apply` goes by the real clock, and refuses what is ahead of it
        until = command.start.date() + timedelta(days=30)
        command(f"hold user05 --until {until} --reason 'on leave' --site SITE")
        command(f"hold user05 --type professional --until {until} --reason 'a test' --site SITE")
        command("run --site SITE")
        command("run --site SITE --dry-run")
        command("run --site SITE")
        command("hold end user05 --type professional --site SITE")
        command("hold end user05 --site SITE --reason 'is back'")
        command(f"hold user00 --type professional --until {until} --reason 'for ever' --site SITE")
        (folder / "p.policy").write_text(POLICY.replace("1000 per run", "1 per run"), encoding="utf-8")
        command("run --site SITE")
        command("apply RUN --site SITE --limit 2 --yes")
        qrs.faults.append(Fault("status"))
        command("run --site SITE")
    return folder / "state"


def make_old_record(folder: Path) -> Path:
    """The state folder of a site that keeps snapshots: of three runs the first was pruned when its time was over, and
    a person was erased from the two others, one of which had released the person's license, and from a hold that was
    over."""
    with running_site(folder, ours="keepSnapshot: true") as (_, command):
        command(f"hold user00 --until {command.start.date()} --reason 'on leave' --site SITE")
        command("run --site SITE --dry-run")
        command.ahead = timedelta(days=40)
        command("run --site SITE")
        command("run --site SITE --dry-run")
        command("log prune --site SITE --keep 31d --yes")
        command("log forget user00 --site SITE --reason left --yes")
    return folder / "state"


def make_told_record(folder: Path) -> Path:
    """The state folder of a site whose people were told, at one address for all: its register of notices was cut, which
    was accepted; then a notice was cancelled, and two months later the person was erased."""
    with mail_server() as box, running_site(folder, TOLD_FIRST, ours=told_by(box.port)) as (_, command):
        command("run --site SITE")
        path = folder / "state" / "notices.jsonl"
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
        command("notice accept-damage --reason 'a restored disk' --site SITE")
        command("run --site SITE")
        command("notice cancel user03 --reason 'the mail bounced' --site SITE")
        command.ahead = timedelta(days=60)
        command("log forget user03 --site SITE --reason left --yes")
        command("run --site SITE --dry-run")
    return folder / "state"


APPROVED_BY = (
    'signing: {key: service.key, passphrase: "${PASS}", keys: [carl.pub]}\n'
    "approvals: {required: 1, keys: [anna.pub, bert.pub]}\n"
)
"""The part of a site file by which plans are signed and approved; the keys lie beside it."""


@contextmanager
def approving_site(folder: Path) -> Iterator[Command]:
    """A site whose plans are signed and approved, and a way to run commands on it, in that folder."""
    write_keys(folder)
    with chdir(folder), running_site(folder, ours=APPROVED_BY) as (_, command):
        command.patch.setenv("PASS", WORDS)
        command.ahead = timedelta(minutes=-30)
        yield command


def make_approved_record(folder: Path) -> Path:
    """The state folder of a site whose plans are signed by its service and approved: one person was taken out of the
    plan that was applied, the next plan was rejected, and then a key was retired."""
    with approving_site(folder) as command:
        command("run --site SITE")
        answer = "--yes --passphrase-env PASS"
        command(f"approve RUN --key anna.key {answer} --exclude user01 --comment 'she is back'")
        command("run --site SITE")
        command(f"approve RUN --key bert.key {answer} --reject")
        command("log keys --site SITE --retire bert --reason 'left the company'")
    return folder / "state"


def told_by(port: int) -> str:
    """The part of a site file by which everybody is told at one address."""
    mail = f"{{host: localhost, port: {port}, security: none, from: licenses@example.com}}"
    return f"notice: {{email: {mail}, fallback: desk@example.com}}\n"


def make_restored_record(folder: Path) -> Path:
    """The state folder of a site: a run released two licenses, and a restore has given both back, one of them to
    somebody who was erased then."""
    with running_site(folder) as (_, command):
        command("run --site SITE")
        command("restore RUN --site SITE --yes")
        command("run --site SITE --dry-run")
        command("log forget user00 --site SITE --reason left --yes")
    return folder / "state"


def make_downgraded_record(folder: Path) -> Path:
    """The state folder of a site: a run downgraded two people, and what it took was given back to one of them; then the
    other one was erased."""
    with running_site(folder, DOWNGRADE) as (qrs, command):
        with qrs.site_lock() as site:
            rows = site["licenses"]
            rows["professional"], rows["analyzer"] = rows["analyzer"][:2], rows["analyzer"][2:]
        command("run --site SITE")
        command("restore RUN --site SITE --user user00 --yes")
        command("log forget user01 --site SITE --reason left --yes")
    return folder / "state"
