"""What is found in a plan is said by every surface: where a plan is shown, asked about, applied and looked at again."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatwarden.engine.simulator.certificates import CertificateFiles
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.cli.commands.test_apply import Tools, _Terminal
from tests.engine.cli.conftest import Run, SiteFile
from tests.engine.idle import idle_site
from tests.engine.service.sites import write_site

pytestmark = pytest.mark.usefixtures("quick")
POLICY = """\
keep "service" when user == "corp\\user00"
release analyzer when unused for 30 days
limit release to 6 per run
"""
SAID = 'keep "service": no user is `corp\\user00`; `CORP\\user00` differs only in case and would be released'


@pytest.fixture
def tools(run: Run, certificates: CertificateFiles, site_file: SiteFile, tmp_path: Path) -> Iterator[Tools]:
    with SimulatedQrs(idle_site(), certificates=certificates) as qrs:
        yield Tools(run, qrs, site_file(qrs.port), tmp_path)


def test_plan_in_every_format(tools: Tools) -> None:
    given = ("plan", "--site", tools.site, "--policy", tools.policy)
    tools.policy.write_text(POLICY)
    assert SAID in tools.command(*given).out
    assert SAID in tools.command(*given, "--quiet").err
    assert SAID in tools.command(*given, "--format", "csv").err
    (finding,) = json.loads(tools.command(*given, "--format", "json").out)["findings"]
    assert (finding["code"], finding["message"], finding["at"]) == ("SW402", SAID, "p.policy:1:29")
    assert (finding["severity"], finding["rule"], finding["names"]) == (
        "warning", "service", ["corp\\user00", "CORP\\user00"]
    )  # fmt: skip


def test_apply_says_it_before_it_asks(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tools.plan(policy=POLICY)
    assert SAID in (folder / "summary.txt").read_text(encoding="utf-8")
    monkeypatch.setattr("sys.stdin", _Terminal("no\n"))
    ran = tools.command("apply", folder, "--site", tools.site)
    assert (ran.code, tools.qrs.deleted) == (1, [])
    assert ran.err.index(SAID) < ran.err.index("Type the number")
    assert SAID in tools.apply(folder).err
    assert len(tools.qrs.deleted) == 6


def test_the_plan_is_looked_at_again(tools: Tools) -> None:
    folder = tools.plan(policy=POLICY)
    explained = tools.command("explain", "user00", "--plan", folder).out.splitlines()
    beside = next(n for n, line in enumerate(explained) if "✗" in line)
    assert explained[beside + 1].strip() == f"! {SAID.partition(': ')[2]}"
    assert explained[-2:] == [f"warning[SW402]: {SAID} (p.policy:1:29)", "  = help: write `CORP\\user00`, or use `=`"]
    assert "SW402" not in tools.command("explain", "user01", "--plan", folder).out
    live = tools.command("explain", "user00", "--site", tools.site, "--policy", tools.policy).out
    assert live.splitlines()[-2:] == explained[-2:]
    full = tools.command("explain", "user00", "--plan", folder, "--full").out
    assert f"Findings\n  warning[SW402]: {SAID}" in full
    assert SAID in tools.command("log", "show", folder).out
    (finding,) = json.loads(tools.command("log", "show", folder, "--format", "json").out)["findings"]
    assert (finding["run"][:3], finding["message"]) == ("202", SAID)
    assert tools.command("report", folder).code == 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "no user is <code>corp\\user00</code>" in page
    assert "SW402" in page


def test_run_says_it_and_the_site_file_stops_it(run: Run, tmp_path: Path) -> None:
    with SimulatedQrs(idle_site()) as qrs:
        site = write_site(tmp_path, qrs.port, policy=POLICY, ours="stopOn: [SW402]", release="dryRun: false")
        ran = run("run", "--site", site)
        assert (ran.code, qrs.deleted) == (1, [])
        assert SAID in ran.out
        assert f"stopped: SW402: {SAID}\nNothing at all has been released: what was found stops the run.\n" in ran.err
        assert SAID in run("run", "--site", site, "--quiet").err
        dry = run("run", "--site", site, "--dry-run")
        assert (dry.code, qrs.deleted) == (0, [])
        assert "A run that releases would be stopped by SW402." in dry.err
        allowed = POLICY.replace('user00"\n', 'user00" # seatwarden: allow SW402 has left\n')
        site = write_site(tmp_path, qrs.port, policy=allowed, ours="stopOn: [SW402]", release="dryRun: false")
        assert (run("run", "--site", site).code, len(qrs.deleted)) == (0, 6)


@pytest.mark.parametrize("codes", ["[SW999]", "[SW301]", "[SW4O2]", "SW402"])
def test_only_what_a_plan_can_have_stops_a_run(run: Run, tmp_path: Path, codes: str) -> None:
    ran = run("run", "--site", write_site(tmp_path, 1, ours=f"stopOn: {codes}"))
    assert ran.code == 2
    assert "stopOn" in ran.err or "is no finding that a plan can have" in ran.err


# A change that touches everybody -------------------------------------------------------------------------

LEAVERS = "release analyzer when user.removedExternally and unused for 7 days\nlimit release to 6 per run\n"


def _all_removed(qrs: SimulatedQrs) -> None:
    with qrs.site_lock() as site:
        for user in site["users"]:
            user["removedExternally"] = True


def test_everybody_is_removed(run: Run, tmp_path: Path) -> None:
    with SimulatedQrs(idle_site()) as qrs:
        site = write_site(tmp_path, qrs.port, policy=LEAVERS, release="dryRun: false")
        first = run("run", "--site", site)
        assert (first.code, "  before  no earlier run to compare with\n" in first.out) == (0, True)
        _all_removed(qrs)
        ran = run("run", "--site", site)
        assert (ran.code, qrs.deleted) == (1, [])
        assert "`user.removedExternally` has changed for 6 of 6 users" in ran.out
        shown = run("plan", "--site", site)
        assert "`user.removedExternally` has changed for 6 of 6 users" in shown.out
        assert shown.out.splitlines()[-1].startswith("Nothing is released without --accept-mass-change")
        compared = json.loads(run("plan", "--site", site, "--format", "json").out)["compared"]
        assert f"Plan {compared.removeprefix('compared with run ')}\n" in first.out
        assert (run("run", "--site", site, "--accept-mass-change").code, len(qrs.deleted)) == (0, 6)


def test_a_plan_beside_is_compared_and_not_applied_without_a_word(tools: Tools) -> None:
    tools.plan("plans/one", policy=LEAVERS)
    _all_removed(tools.qrs)
    folder = tools.plan("plans/two")
    ran = tools.apply(folder)
    assert (ran.code, tools.qrs.deleted) == (1, [])
    assert "refused: `user.removedExternally` has changed for 6 of 6 users" in ran.err
    assert ran.err.endswith("look at it, then add --accept-mass-change\n")
    assert (tools.apply(folder, "--accept-mass-change").code, len(tools.qrs.deleted)) == (0, 6)


# Limits --------------------------------------------------------------------------------------------------


def test_a_limit_is_named_with_the_plans(tools: Tools) -> None:
    folder = tools.plan(policy="release analyzer when unused for 30 days\nlimit release to 3 per run\n")
    over = tools.apply(folder)
    assert over.code == 1
    assert 'Add ", longest unused first" to `3 per run` to release 3 and leave 3; or give another limit' in over.err
    assert "limit: 2 per run; not the plan's: 3 per run\n" in tools.apply(folder, "--limit", "2").err
    ran = tools.apply(folder, "--limit", "50")
    assert (ran.code, len(tools.qrs.deleted)) == (0, 6)
    assert "limit: 50 per run; not the plan's: 3 per run\n" in ran.err


def test_what_a_run_beside_has_released(tools: Tools) -> None:
    one, two = tools.plan("plans/one"), tools.plan("plans/two")
    assert tools.apply(one).code == 0
    run_id = json.loads((one / "plan.jsonl").read_text(encoding="utf-8").partition("\n")[0])["runId"]
    assert tools.apply(two).out.count(f"the license is gone: run {run_id} has released it") == 6


def test_another_moment_than_now(tools: Tools) -> None:
    ran = tools.command("plan", "--site", tools.site, "--policy", tools.policy, "--now", "2030-01-01")
    assert "warning[SW406]: decided as of 2030-01-01, " in ran.out
