"""What starts seatwarden: the units of systemd and the task of Windows, which do what the page on them says."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from seatwarden.engine.cli.exits import ExitCode
from tests.paths import ROOT

SYSTEMD = ROOT / "packaging" / "systemd"
TASK = ROOT / "packaging" / "windows" / "seatwarden.xml"
PAGE = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")
PROGRAM = "/opt/seatwarden/bin/seatwarden"
_TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


def _unit(name: str) -> configparser.RawConfigParser:
    parsed = configparser.RawConfigParser(strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read_string((SYSTEMD / name).read_text(encoding="utf-8"))
    return parsed


def test_the_service() -> None:
    service = _unit("seatwarden.service")["Service"]
    assert service["ExecStart"] == f"{PROGRAM} serve --site /etc/seatwarden/site.yaml"
    assert service["KillSignal"] == "SIGTERM"
    assert service["RestartPreventExitStatus"] == f"{ExitCode.NO:d} {ExitCode.BAD_INPUT:d}"


def test_the_run_and_its_timer() -> None:
    run, timer = _unit("seatwarden-run.service"), _unit("seatwarden-run.timer")
    assert run["Service"]["ExecStart"] == f"{PROGRAM} run --site /etc/seatwarden/site.yaml"
    assert run["Service"]["Type"] == "oneshot"
    assert "Install" not in run  # the timer alone starts it
    assert timer["Timer"]["OnCalendar"] == "Mon..Fri 02:30"
    assert timer["Install"]["WantedBy"] == "timers.target"


def test_both_are_hardened_alike_and_share_state_and_lock() -> None:
    service, run = _unit("seatwarden.service")["Service"], _unit("seatwarden-run.service")["Service"]
    own = {"Type", "ExecStart", "ExecReload", "Restart", "RestartSec", "RestartPreventExitStatus"}
    assert {key: service[key] for key in service if key not in own} == {key: run[key] for key in run if key not in own}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_takes_them(tmp_path: Path) -> None:
    units = [tmp_path / unit.name for unit in sorted(SYSTEMD.iterdir())]
    for unit in units:
        text = (SYSTEMD / unit.name).read_text(encoding="utf-8")
        # With the lines that are there to be taken in; the program is not installed here.
        whole = re.sub(r"^#(?=[A-Z]\w+=)", "", text, flags=re.MULTILINE)
        unit.write_text(whole.replace(PROGRAM, shutil.which("true") or "/bin/true"), encoding="utf-8")
    ran = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)  # noqa: S607
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_task_is_the_one_that_the_page_makes() -> None:
    task = ElementTree.fromstring(TASK.read_text(encoding="utf-8"))  # noqa: S314 - a file of ours

    def text(path: str) -> str:
        found = task.find("/".join(_TASK + part for part in path.split("/")))
        assert found is not None
        return found.text or ""

    action = re.search(r"-Execute '(.+?)' `\s+-Argument '(.+?)' -WorkingDirectory '(.+?)'", PAGE)
    assert action is not None
    exec_ = "Actions/Exec/"
    assert action.groups() == (text(f"{exec_}Command"), text(f"{exec_}Arguments"), text(f"{exec_}WorkingDirectory"))
    days = task.find(f".//{_TASK}DaysOfWeek")
    assert days is not None
    listed = re.search(r"-DaysOfWeek (\S+) -At (\S+)", PAGE)
    assert listed is not None
    assert [day.tag.removeprefix(_TASK) for day in days] == listed[1].split(",")
    assert text("Triggers/CalendarTrigger/StartBoundary").endswith(f"T{listed[2]}:00")
    assert text("Settings/MultipleInstancesPolicy") == "IgnoreNew"
    assert text("Settings/ExecutionTimeLimit") == "PT2H"
    assert text("Settings/StartWhenAvailable") == "true"


def test_the_page_names_every_file() -> None:
    for path in (*SYSTEMD.iterdir(), TASK):
        assert re.search(rf"packaging[/\\]{path.parent.name}[/\\]{path.name}", PAGE), path.name
