"""A real record for the documentation's tests: the state folder of a site with several runs, made by the commands."""

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import seatwarden.engine.cli.host
from seatwarden.engine.simulator.server import Fault, SimulatedQrs
from tests.docs.blocks import printed_by
from tests.engine.idle import POLICY, idle_site
from tests.engine.service.sites import runs_of, write_site

TWO_A_RUN = POLICY.replace("1000 per run", "2 per run, longest unused first")
Command = Callable[[str], str]


@contextmanager
def running_site(folder: Path, policy: str = TWO_A_RUN) -> Iterator[tuple[SimulatedQrs, Command]]:
    """A site at rest with its site file in `folder`, and a way to run commands on it, each a minute after the other.

    `command("run --site SITE")` returns what was printed; SITE, STATE and RUN are the site file, the state folder and
    the newest run folder.
    """
    start, minutes = datetime.now(UTC), itertools.count()
    with SimulatedQrs(idle_site()) as qrs, pytest.MonkeyPatch.context() as patch:
        site = write_site(folder, qrs.port, policy=policy, ours="parallel: 1")
        patch.setattr("urllib3.util.retry.Retry.sleep", lambda *args: None)
        patch.setattr(seatwarden.engine.cli.host, "user_state_path", lambda *args, **options: folder)

        def command(line: str) -> str:
            now = start + next(minutes) * timedelta(minutes=1)
            patch.setattr(seatwarden.engine.cli.host, "clock", lambda: now)
            places = {"SITE": site, "STATE": folder / "state", "RUN": next(reversed(runs_of(site)), folder)}
            words = re.sub(r"\b(SITE|STATE|RUN)\b", lambda word: f"'{places[word[0]]}'", line)
            return printed_by(f"seatwarden {words}", "")

        yield qrs, command


def make_record(folder: Path) -> Path:
    """The state folder of a site: two runs that released two licenses each, a dry run between them, one over its limit
    that was applied with another limit, and one that failed, since QRS did not answer."""
    with running_site(folder) as (qrs, command):
        command("run --site SITE")
        command("run --site SITE --dry-run")
        command("run --site SITE")
        (folder / "p.policy").write_text(POLICY.replace("1000 per run", "1 per run"), encoding="utf-8")
        command("run --site SITE")
        command("apply RUN --site SITE --limit 2 --yes")
        qrs.faults.append(Fault("status"))
        command("run --site SITE")
    return folder / "state"
