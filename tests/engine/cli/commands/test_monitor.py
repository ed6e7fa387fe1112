"""`seatwarden monitor`: what a live site tells, shown, printed as lines, and written to a real InfluxDB."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from seatwarden.engine.history import HISTORY_FILE
from seatwarden.engine.simulator.certificates import CertificateFiles
from seatwarden.engine.simulator.server import Fault, SimulatedQrs
from tests.engine.cli.conftest import Run
from tests.engine.metrics.databases import Influx
from tests.engine.monitor.pools import write_past_pool
from tests.paths import DATA, ROOT, load_json
from tests.ports import dead_port

NOW = ("--now", "2026-11-21T02:00:00Z")
USE = load_json(DATA / "monitor-cases.json")[0]
EXPIRY = 'qlik_sense_server_license,foo=bar days_until_expiry=405,expiry_date="2027-12-31",license_expired=false'
MonitorFile = Callable[..., Path]


@pytest.fixture
def qrs(example_site: dict[str, Any], certificates: CertificateFiles) -> Iterator[SimulatedQrs]:
    """A simulated QRS whose license use was recorded."""
    site = {**example_site, "accessTypeOverview": USE["accesstypeoverview"]}
    with SimulatedQrs(site, certificates=certificates) as server:
        yield server


@pytest.fixture
def monitor_file(qrs: SimulatedQrs, certificates: CertificateFiles, tmp_path: Path) -> MonitorFile:
    """Writes a Butler config with the monitors and a database."""

    def write(port: int, *, influxdb: bool = True, use: bool = True, expiry: bool = True, qrs_port: int = 0) -> Path:
        def destination(enabled: bool) -> str:
            return f"influxDb: {{enable: {str(enabled).lower()}, tag: {{static: [{{name: foo, value: bar}}]}}}}"

        off = "{enable: false, sendRecurring: {enable: false}, sendAlert: {enable: false}}"
        text = f"""\
configQRS: {{host: localhost, port: {qrs_port or qrs.port}}}
cert:
  clientCert: {certificates.client}
  clientCertKey: {certificates.client_key}
  clientCertCA: {certificates.root}
influxDb:
  enable: {str(influxdb).lower()}
  hostIP: 127.0.0.1
  hostPort: {port}
  dbName: butler
  retentionPolicy: {{name: 10y, duration: 520w}}
  tag: {{static: [{{name: foo, value: overwritten}}]}}
qlikSenseLicense:
  licenseMonitor:
    enable: false
    frequency: every 6 hours
    destination: {{{destination(use)}}}
  serverLicenseMonitor:
    enable: false
    frequency: every 24 hours
    alert: {{thresholdDays: 60}}
    destination: {{{destination(expiry)}, mqtt: {off}, webhook: {off}}}
"""
        path = tmp_path / "butler.yaml"
        ours = f"seatwarden: {{folder: {tmp_path / 'state'}}}\n"
        path.write_text("Butler:\n" + indent(text, "  ") + ours, encoding="utf-8")
        return path

    return write


def test_dry_run_prints_butlers_lines_and_nothing_else(run: Run, monitor_file: MonitorFile, tmp_path: Path) -> None:
    ran = run("monitor", "--site", monitor_file(dead_port()), "--dry-run", *NOW)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "\n".join([*USE["lines"], EXPIRY]) + "\n"
    assert not (tmp_path / "state").exists()


def test_a_site_file_without_rules_or_monitors_is_enough(run: Run, qrs: SimulatedQrs, site_file: Any) -> None:
    ran = run("monitor", "--site", site_file(qrs.port), "--dry-run", *NOW)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "\n".join([*USE["lines"], EXPIRY]).replace(",foo=bar", "") + "\n"
    ran = run("monitor", "--site", site_file(qrs.port), *NOW)
    assert "has no `influxDb`.\n" in ran.out


def test_shown_and_written(run: Run, monitor_file: MonitorFile, influx: Influx) -> None:
    ran = run("monitor", "--site", monitor_file(influx.port), *NOW)
    assert (ran.code, ran.err) == (0, "")
    table = [line.split() for line in ran.out.splitlines()]
    assert ["License", "Total", "Allocated", "Used", "Quarantined", "Excess", "Available"] in table
    assert ["analyzer", "100", "40", "38", "2", "0", "58"] in table
    assert ["professional", "25", "5", "3", "1", "0", "19"] in table
    assert "on 2027-12-31, " in ran.out
    assert f"{influx.url}: 3 points " in ran.out
    (row,) = influx.rows("SELECT * FROM qlik_sense_license WHERE license_type = 'analyzer'")
    assert (row["used"], row["total"], row["foo"], row["time"]) == (38, 100, "bar", 1795226400000)
    (row,) = influx.rows("SELECT * FROM qlik_sense_server_license")
    assert (row["days_until_expiry"], row["expiry_date"], row["license_expired"]) == (405, "2027-12-31", False)
    run("monitor", "--site", monitor_file(influx.port), *NOW)
    assert len(influx.rows("SELECT * FROM qlik_sense_license")) == 2


def test_only_what_is_switched_on_is_written(run: Run, monitor_file: MonitorFile, influx: Influx) -> None:
    ran = run("monitor", "--site", monitor_file(influx.port, use=False), *NOW)
    assert ": `licenseMonitor.destination.influxDb.enable`\n" in ran.out
    assert "1 point written" in ran.out
    assert influx.rows("SELECT * FROM qlik_sense_license") == []
    ran = run("monitor", "--site", monitor_file(influx.port, use=False, expiry=False), *NOW)
    assert "written\n" not in ran.out
    ran = run("monitor", "--site", monitor_file(influx.port, influxdb=False), *NOW)
    assert (ran.code, ran.err) == (0, "")
    assert ": `influxDb.enable` is false.\n" in ran.out
    ran = run("monitor", "--site", monitor_file(influx.port, influxdb=False), *NOW, "--dry-run")
    assert (ran.code, ran.out, ran.err.startswith("`influxDb.enable` ")) == (0, "", True)
    ran = run("monitor", "--site", monitor_file(influx.port, use=False, expiry=False), *NOW, "--dry-run")
    assert ran.out == "\n".join([*USE["lines"], EXPIRY]) + "\n"


def test_a_database_that_is_down_gets_the_points_later(run: Run, monitor_file: MonitorFile, influx: Influx) -> None:
    ran = run("monitor", "--site", monitor_file(dead_port()), *NOW)
    assert ran.code == 0
    assert ran.err.startswith("warning: InfluxDB ")
    assert ", 3 waiting: " in ran.err
    later = run("monitor", "--site", monitor_file(influx.port), "--now", "2026-11-21T08:00:00Z")
    assert "6 points written" in later.out
    assert len(influx.rows("SELECT * FROM qlik_sense_license")) == 4


def test_a_rejected_point_is_seen(run: Run, monitor_file: MonitorFile, influx: Influx, tmp_path: Path) -> None:
    influx.statement("CREATE DATABASE butler")
    influx.write("qlik_sense_server_license expiry_date=5 1795226400000", "ms")
    ran = run("monitor", "--site", monitor_file(influx.port), *NOW)
    assert ran.code == 3
    assert "2 points written, 1 rejected: " in ran.err
    (kept,) = (tmp_path / "state").rglob("rejected/*.lines")
    assert EXPIRY in kept.read_text()


@pytest.mark.parametrize(("missing", "left"), [("accesstypeoverview", [EXPIRY]), ("/qrs/license?", USE["lines"])])
def test_one_answer_missing_leaves_the_other(
    run: Run, monitor_file: MonitorFile, qrs: SimulatedQrs, missing: str, left: list[str]
) -> None:
    qrs.faults.append(Fault("status", path_contains=missing, status=500))
    ran = run("monitor", "--site", monitor_file(dead_port()), "--dry-run", *NOW)
    assert ran.code == 3
    assert ran.out == "\n".join(left) + "\n"
    assert ran.err.startswith("error: ")


def test_an_unknown_expiry_is_seen(
    run: Run, example_site: dict[str, Any], certificates: CertificateFiles, monitor_file: MonitorFile
) -> None:
    license_ = {"keyDetails": "Valid To: 3/16/2027\n", "key": "s3cret", "serial": "1234 5678 9012 3456"}
    with SimulatedQrs({**example_site, "license": license_}, certificates=certificates) as other:
        path = monitor_file(dead_port(), influxdb=False, qrs_port=other.port)
        ran = run("monitor", "--site", path, *NOW)
    assert ran.code == 3
    assert "License" in ran.out
    assert "`Valid To: 3/16/2027`" in ran.err
    assert "s3cret" not in ran.err


@pytest.mark.usefixtures("quick")
def test_a_site_that_is_not_there_is_said_once(run: Run, monitor_file: MonitorFile) -> None:
    ran = run("monitor", "--site", monitor_file(dead_port(), qrs_port=dead_port()), "--dry-run")
    assert (ran.code, ran.out, ran.err.count("nothing listens on")) == (3, "", 1)


def test_no_site(run: Run) -> None:
    ran = run("monitor")
    assert (ran.code, ran.out) == (2, "")


def test_commands_are_imported_without_the_databases_library() -> None:
    code = """if True:
        import sys
        from importlib import import_module
        from seatwarden.engine.cli.lazy import COMMANDS
        for place in COMMANDS.values():
            import_module("seatwarden.engine.cli.commands." + place.split(":")[0])
        print([name for name in ("influxdb_client", "requests") if name in sys.modules])
    """
    started = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert started.stdout == "[]\n"


def test_the_page_shows_what_is_printed(
    run: Run,
    monitor_file: MonitorFile,
    qrs: SimulatedQrs,
    influx: Influx,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "96")
    (tmp_path / "state").mkdir()
    write_past_pool(tmp_path / "state" / HISTORY_FILE, last=320)
    page = [line.rstrip() for line in (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8").splitlines()]
    for options in ((), ("--dry-run",)):
        start = page.index(" ".join(["$ seatwarden monitor --site butler.yaml", *options])) + 1
        shown = page[start : page.index("```", start)]
        ran = run("monitor", "--site", monitor_file(influx.port), *NOW, *options)
        printed = ran.out.replace(f"https://localhost:{qrs.port}", "https://qlik.example.com:4242")
        printed = printed.replace(influx.url, "http://influxdb.example.com:8086")
        assert [line.rstrip() for line in printed.splitlines()] == shown
