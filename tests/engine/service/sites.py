"""Site files for unattended work, and what they say."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from textwrap import indent

from seatwarden.engine.site.settings import Settings, load_settings
from tests.engine.idle import POLICY

INFLUX = "influxDb: {enable: true, hostIP: 127.0.0.1, hostPort: %d, dbName: butler}\n"
TO_INFLUX = "destination: {influxDb: {enable: true, tag: {static: []}}}"
NOTHING = "{enable: false, sendRecurring: {enable: false}, sendAlert: {enable: false}}"


def write_site(
    folder: Path,
    port: int,
    *,
    release: str = "enable: true\nfrequency: every 6 hours\ndryRun: false",
    license_monitor: str | None = None,
    server_monitor: str | None = None,
    influx: int | None = None,
    ours: str = "",
    policy: str = POLICY,
    heartbeat: str | None = None,
) -> Path:
    """Writes `site.yaml` and `p.policy`: a plain HTTP QRS on that port, jobs, and our own settings."""
    (folder / "p.policy").write_text(policy, encoding="utf-8")
    blocks = f"licenseRelease:\n{indent(release, '  ')}\n"
    if license_monitor is not None:
        destination = TO_INFLUX if influx else TO_INFLUX.replace("true", "false")
        blocks += f"licenseMonitor:\n  enable: true\n  frequency: {license_monitor}\n  {destination}\n"
    if server_monitor is not None:
        destination = (TO_INFLUX if influx else TO_INFLUX.replace("true", "false")).removesuffix("}")
        blocks += (
            f"serverLicenseMonitor:\n  enable: true\n  frequency: {server_monitor}\n  alert: {{thresholdDays: 60}}\n"
        )
        blocks += f"  {destination}, mqtt: {NOTHING}, webhook: {NOTHING}}}\n"
    text = f"configQRS: {{host: 127.0.0.1, port: {port}, useSSL: false}}\n"
    text += INFLUX % influx if influx else ""
    text += f"heartbeat: {heartbeat}\n" if heartbeat is not None else ""
    text += f"qlikSenseLicense:\n{indent(blocks, '  ')}"
    own = f"policy: p.policy\nfolder: state\n{ours}"
    path = folder / "site.yaml"
    path.write_text(f"Butler:\n{indent(text, '  ')}seatwarden:\n{indent(own, '  ')}", encoding="utf-8")
    return path


def settings_of(site: Path, environment: Mapping[str, str] | None = None, *, scheduled: bool = True) -> Settings:
    """The settings in a site file, as `serve` reads them."""
    return load_settings(site, environment or {}, default_folder=site.parent / "default", scheduled=scheduled)


def runs_of(site: Path) -> list[Path]:
    """The run folders below the state folder, oldest first."""
    return sorted(path for path in (site.parent / "state" / "runs").glob("*") if path.is_dir())


def shortly_before(moment: datetime) -> datetime:
    """A second before."""
    return moment - timedelta(seconds=1)
