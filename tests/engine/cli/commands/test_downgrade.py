"""Downgrades by the commands, against the simulated site: what they print, and what they end with."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatwarden.engine.simulator.certificates import CertificateFiles
from seatwarden.engine.simulator.repository import Allocations
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.cli.conftest import Ran, Run, SiteFile
from tests.engine.idle import idle_site

POLICY = "downgrade professional when unused for 60 days\nlimit release to 100% per run\n"
TAKEN = ["l-00", "l-01"]
PEOPLE = ["user00", "user01"]
FREE = {"enabled": True, "total": 9, "allocated": 4, "available": 5, "excess": 0, "quarantined": 0}


@pytest.fixture
def qrs(certificates: CertificateFiles) -> Iterator[SimulatedQrs]:
    """Two people hold a Professional license, four an Analyzer one."""
    site = idle_site()
    rows = site["licenses"]["analyzer"]
    site["licenses"] = {"professional": rows[:2], "analyzer": rows[2:]}
    with SimulatedQrs(site, certificates=certificates) as server:
        yield server


class Office:
    """A site and a plan that downgrades two people."""

    def __init__(self, run: Run, site: Path, folder: Path) -> None:
        self._run, self._site, self.plan = run, site, folder / "plan"
        policy = folder / "p.policy"
        policy.write_text(POLICY, encoding="utf-8")
        self.planned = run("plan", "-p", policy, "--site", site, "-o", self.plan)
        assert self.planned.code == 0

    def __call__(self, command: str, *arguments: object) -> Ran:
        return self._run(command, self.plan, "--site", self._site, "--yes", *arguments)

    def log(self, command: str, *arguments: object) -> Ran:
        return self._run("log", command, self.plan, *arguments)


@pytest.fixture
def office(run: Run, qrs: SimulatedQrs, site_file: SiteFile, tmp_path: Path) -> Office:
    return Office(run, site_file(qrs.port), tmp_path)


def holders(qrs: SimulatedQrs, license_type: str) -> list[str]:
    """The two users, as far as they hold a license of a type."""
    with qrs.site_lock() as site:
        found = [row["user"]["userId"] for row in site["licenses"][license_type]]
    return sorted(user for user in found if user in PEOPLE)


def test_its_report_says_what_they_become(office: Office, run: Run, tmp_path: Path) -> None:
    assert run("report", office.plan, "-o", tmp_path / "report.html").code == 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count(">professional, to become analyzer<") == len(PEOPLE)


def test_two_are_downgraded(office: Office, qrs: SimulatedQrs) -> None:
    assert "2  due, to become Analyzer" in office.planned.out
    assert (qrs.deleted, qrs.allocated) == ([], [])
    ran = office("apply")
    assert (ran.code, ran.err) == (0, "")
    assert "2 professional licenses (2 of them to become Analyzer)" in ran.out
    assert "2 downgraded, 0 left, 0 released" in ran.out
    assert (holders(qrs, "professional"), holders(qrs, "analyzer"), sorted(qrs.deleted)) == ([], PEOPLE, TAKEN)
    again = office("apply")
    assert (again.code, len(qrs.allocated)) == (0, 2)


def test_they_can_be_found_again(office: Office, tmp_path: Path) -> None:
    office("apply")
    for option in ("--verdict=downgrade", "--outcome=downgraded"):
        shown = office.log("show", option)
        assert (shown.code, *(user in shown.out for user in PEOPLE)) == (0, True, True), option
    assert PEOPLE[0] not in office.log("show", "--verdict=release").out
    found = json.loads(office.log("show", "--format=json").out)["decisions"]
    downgraded = [one["user"] for one in found if (one["verdict"], one["outcome"]) == ("downgrade", "downgraded")]
    assert sorted(downgraded) == [f"CORP\\{user}" for user in PEOPLE]
    assert office.log("receipt", PEOPLE[0], "-o", tmp_path / "receipt.html").code == 0
    assert "was taken, and an Analyzer license given in its place" in (tmp_path / "receipt.html").read_text(
        encoding="utf-8"
    )


def test_one_gets_it_back(office: Office, qrs: SimulatedQrs) -> None:
    office("apply")
    ran = office("restore", "--user", PEOPLE[0])
    assert (ran.code, ran.err) == (0, "")
    assert (holders(qrs, "professional"), holders(qrs, "analyzer")) == (PEOPLE[:1], PEOPLE[1:])


def test_who_is_left_with_both_is_named_and_the_command_says_so(office: Office, qrs: SimulatedQrs) -> None:
    """QRS says that licenses are free, and gives them in excess all the same."""
    qrs.allocate_so(Allocations(empty_pool="excess"))
    with qrs.site_lock() as site:
        site["accessTypeOverview"] = {"analyzerAccess": FREE}
        site["licenses"]["analyzer"] *= 3  # there is no license left of those that were bought
    ran = office("apply")
    assert ran.code == 4, ran.out + ran.err
    assert "2 left with both licenses: look at them; `restore RUN --user U` takes back what was given." in ran.err
    assert (holders(qrs, "professional"), holders(qrs, "analyzer"), qrs.deleted) == (PEOPLE, PEOPLE, [])
    shown = office.log("show", "--outcome=left")
    assert all(user in shown.out for user in PEOPLE)
    assert "in excess" in shown.out


def test_a_pool_that_is_empty_takes_nothing(office: Office, qrs: SimulatedQrs) -> None:
    with qrs.site_lock() as site:
        site["accessTypeOverview"] = {"analyzerAccess": FREE | {"available": 0}}
    ran = office("apply")
    assert (ran.code, holders(qrs, "professional"), qrs.allocated, qrs.deleted) == (0, PEOPLE, [], [])
