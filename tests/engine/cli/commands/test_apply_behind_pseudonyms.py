"""`seatwarden apply` of a plan with pseudonyms, against the real HTTPS simulator."""

import re
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import pytest

from seatwarden.engine.common.files import write_atomically
from seatwarden.engine.simulator.certificates import CertificateFiles
from seatwarden.engine.simulator.server import Fault, SimulatedQrs
from tests.engine.cli.applying import read_outcomes
from tests.engine.cli.conftest import Ran, Run, SiteFile
from tests.engine.idle import ALL, POLICY, idle_site
from tests.paths import DATA

pytestmark = pytest.mark.usefixtures("quick")
TWO = POLICY.replace("1000 per run", "2 per run, longest unused first")


class Hidden:
    """Planning and applying with a key on one site, whose licenses l-04 and l-01 are the longest unused."""

    def __init__(self, run: Run, qrs: SimulatedQrs, site: Path, folder: Path) -> None:
        self.command, self.qrs, self.site, self.folder = run, qrs, site, folder
        self.key, self.run = folder / "people.key", folder / "run"
        write_atomically(self.key, b"k" * 32)

    def plan(self, *options: object, policy: str = POLICY) -> None:
        (self.folder / "p.policy").write_text(policy)
        given = ("--policy", self.folder / "p.policy", "--site", self.site, "-o", self.run)
        assert self.command("plan", *given, "--pseudonymize", self.key, *options).code == 0

    def apply(self, *options: object) -> Ran:
        return self.command("apply", self.run, "--site", self.site, "--yes", *options)


@pytest.fixture
def hidden(run: Run, certificates: CertificateFiles, site_file: SiteFile, tmp_path: Path) -> Iterator[Hidden]:
    site = idle_site()
    for number, row in enumerate(site["licenses"]["analyzer"]):
        row["lastUsed"] = f"2020-0{(number * 4) % 5 + 1 + number // 5}-01T12:00:00.000Z"
    site["licenses"]["analyzer"][4]["lastUsed"] = "2019-01-01T12:00:00.000Z"
    site["licenses"]["analyzer"][1]["lastUsed"] = "2019-02-01T12:00:00.000Z"
    with SimulatedQrs(site, certificates=certificates) as qrs:
        yield Hidden(run, qrs, site_file(qrs.port), tmp_path)


@pytest.mark.parametrize("options", [(), ("--pseudonyms-k", 1), ("--pseudonyms-k", 99, "--pseudonyms-per", "run")])
def test_the_licenses_behind_the_pseudonyms_are_released(hidden: Hidden, options: tuple[object, ...]) -> None:
    hidden.plan(*options)
    ran = hidden.apply("--pseudonymize", hidden.key)
    assert (ran.code, sorted(hidden.qrs.deleted)) == (0, ALL)
    assert read_outcomes(hidden.run).sealed
    said = ran.out + ran.err + "".join(path.read_text() for path in hidden.run.rglob("*.*"))
    assert re.findall(r"user0\d|User 0\d|l-0\d|u-0\d|CORP|20(?:19|20)-0", said) == []


def test_the_longest_unused_are_found_at_the_site(hidden: Hidden) -> None:
    hidden.plan(policy=TWO)
    assert hidden.apply("--pseudonymize", hidden.key).code == 0
    assert sorted(hidden.qrs.deleted) == ["l-01", "l-04"]


def test_without_the_key_nothing_is_done(hidden: Hidden) -> None:
    hidden.plan()
    ran = hidden.apply()
    assert (ran.code, "this plan has pseudonyms" in ran.err) == (2, True)
    write_atomically(hidden.folder / "other.key", b"o" * 32)
    ran = hidden.apply("--pseudonymize", hidden.folder / "other.key")
    assert (ran.code, "is not the key that this plan was made with" in ran.err) == (2, True)
    assert (hidden.qrs.deleted, (hidden.run / "outcomes.jsonl").exists()) == ([], False)


def test_a_plan_of_an_older_form_is_not_applied(hidden: Hidden) -> None:
    hidden.run.mkdir()
    copyfile(DATA / "log" / "former-pseudonyms.jsonl", hidden.run / "plan.jsonl")
    ran = hidden.apply("--pseudonymize", hidden.key)
    assert (ran.code, "pseudonyms of an older form" in ran.err) == (2, True)
    assert hidden.command("log", "show", hidden.run).code == 0
    assert hidden.command("report", hidden.run, "-o", hidden.folder / "r.html").code == 0
    assert hidden.command("explain", "--plan", hidden.run, "--releases").code == 0


def test_what_is_explained_and_shown_of_such_a_plan(hidden: Hidden) -> None:
    for k in (1, 99):
        hidden.run = hidden.folder / f"run{k}"
        hidden.plan("--pseudonyms-k", k, "--report")
        ran = hidden.command("explain", "--plan", hidden.run, "--releases", "--full")
        assert ran.code == 0
        words = "unused for 30 days or more; 30 needed" if k == 1 else "withheld: fewer than 99 licenses say the same"
        assert words in " ".join(ran.out.split())
        assert hidden.command("log", "list", hidden.folder).code == 0


def test_a_list_that_cannot_be_read_releases_nothing(hidden: Hidden) -> None:
    hidden.plan()
    hidden.qrs.faults.append(Fault("status", path_contains="analyzeraccesstype/full", status=400))
    ran = hidden.apply("--pseudonymize", hidden.key)
    assert (ran.code, hidden.qrs.deleted) == (3, [])
    hidden.qrs.faults.clear()
    assert hidden.apply("--pseudonymize", hidden.key).code == 0
    assert sorted(hidden.qrs.deleted) == ALL
