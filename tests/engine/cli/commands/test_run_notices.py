"""`seatwarden run` and `site check` where people are told before: with a real mail server and the simulated QRS."""

import json
import os
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.common.files import write_atomically
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.cli.conftest import Run
from tests.engine.idle import LICENSES, USERS, idle_site
from tests.engine.notify.servers import Mailbox, mail_server
from tests.engine.service.sites import write_site

# A server that takes mail without TLS is one on this machine; aiosmtpd warns of it.
pytestmark = [pytest.mark.usefixtures("quick"), pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring")]

TOLD = "release analyzer when unused for 30 days\n  after notice of 14 days, reminder 3 days before\n"
POLICY = TOLD + "limit release to 1000 per run\n"


def _notice(port: int, more: str = "") -> str:
    email = f"{{host: 127.0.0.1, port: {port}, security: none, from: licenses@example.org}}"
    return f"notice:\n  email: {email}\n{more}"


def _site() -> dict[str, Any]:
    """A site at rest, all but the last of whose users have an address."""
    site = idle_site()
    for person in site["users"][:-1]:
        address = {"attributeType": "email", "attributeValue": f"{person['userId']}@example.org"}
        person["attributes"] = [address]
    return site


@pytest.fixture
def qrs() -> Iterator[SimulatedQrs]:
    with SimulatedQrs(_site()) as server:
        yield server


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server(refuse=(f"{USERS[1]}@example.org",)) as box:
        yield box


def test_who_was_told_and_who_could_not_be(run: Run, qrs: SimulatedQrs, mailbox: Mailbox, tmp_path: Path) -> None:
    site = write_site(tmp_path, qrs.port, ours=_notice(mailbox.port), policy=POLICY, release="dryRun: false")
    ran = run("run", "--site", site)
    assert (ran.code, qrs.deleted) == (0, [])
    assert len(mailbox.messages) == LICENSES - 2
    lines = [line for line in ran.out.splitlines() if line.startswith("  told       analyzer")]
    assert [line.split()[2] for line in lines] == [f"CORP\\{name}:" for name in (USERS[0], *USERS[2:-1])]
    assert "unless used" in lines[0]
    (refused,) = [line for line in ran.out.splitlines() if line.startswith("  refused")]
    assert f"CORP\\{USERS[1]}: the message was refused, so kept: it refused the recipient: 550 5.1.1" in refused
    assert "4 told, 1 refused" in ran.out
    assert "        1  cannot be told, so kept: 1 no address" in ran.out
    printed = json.loads(run("run", "--site", site, "--format", "json").out)
    assert printed["told"] == []
    assert printed["summary"]["notice"]["cannotTell"] == {"no-address": 1, "refused": 1}


def test_a_dry_run_lists_what_it_would_send(run: Run, qrs: SimulatedQrs, mailbox: Mailbox, tmp_path: Path) -> None:
    site = write_site(tmp_path, qrs.port, ours=_notice(mailbox.port), policy=POLICY)
    ran = run("run", "--site", site, "--dry-run")
    assert (ran.code, mailbox.messages) == (0, [])
    assert f"  to tell    analyzer      CORP\\{USERS[0]}: to be released on" in ran.out
    assert "Dry run: nothing has been released and nobody was told." in ran.out
    printed = json.loads(run("run", "--site", site, "--dry-run", "--format", "json").out)
    assert [one["state"] for one in printed["told"]] == ["to tell"] * (LICENSES - 1)


def test_who_came_back_is_said(run: Run, mailbox: Mailbox, tmp_path: Path) -> None:
    at_rest = _site()
    with SimulatedQrs(at_rest) as qrs:
        site = write_site(tmp_path, qrs.port, ours=_notice(mailbox.port), policy=POLICY, release="dryRun: false")
        run("run", "--site", site)
    used = deepcopy(at_rest)
    used["licenses"]["analyzer"][0]["lastUsed"] = format_instant(datetime.now(UTC))
    with SimulatedQrs(used, port=qrs.port):
        ran = run("run", "--site", site)
    assert f"  ended      analyzer      CORP\\{USERS[0]}: the notice has ended: used on " in ran.out
    assert "1 notice ended" in ran.out


def test_redirected_is_said_in_each_run(run: Run, qrs: SimulatedQrs, mailbox: Mailbox, tmp_path: Path) -> None:
    ours = _notice(mailbox.port, "  redirectTo: me@example.org\n")
    site = write_site(tmp_path, qrs.port, ours=ours, policy=POLICY, release="dryRun: false")
    said = "warning: `redirectTo` is on: all messages to people go to me@example.org, and nobody counts as told"
    for _ in range(2):
        ran = run("run", "--site", site)
        assert ran.err.splitlines().count(said) == 1
    assert said in run("site", "check", "--site", site).err
    assert {message["To"] for message in mailbox.messages} == {"me@example.org"}


def test_a_site_file_that_says_nothing_of_messages(run: Run, qrs: SimulatedQrs, tmp_path: Path) -> None:
    site = write_site(tmp_path, qrs.port, policy=POLICY, release="dryRun: false")
    said = "warning: the policy gives notice, and the site file has no `notice`: nobody can be told"
    for command in ("run", "site check"):
        ran = run(*command.split(), "--site", site)
        assert sum(line.startswith(said) for line in ran.err.splitlines()) == 1, command
    assert qrs.deleted == []


def test_nobody_is_named_behind_pseudonyms(run: Run, qrs: SimulatedQrs, mailbox: Mailbox, tmp_path: Path) -> None:
    write_atomically(tmp_path / "people.key", os.urandom(32))
    ours = f"pseudonyms: people.key\n{_notice(mailbox.port)}"
    site = write_site(tmp_path, qrs.port, ours=ours, policy=POLICY, release="dryRun: false")
    ran = run("run", "--site", site)
    assert len(mailbox.messages) == LICENSES - 2
    assert "4 told, 1 refused" in ran.out
    assert not any(name in ran.out for name in USERS)
