"""The files of the demonstration: a Butler config that is policy and site file in one, a snapshot, certificates."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from seatwarden.engine.common.files import write_atomically
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.demo.people import demo_site
from seatwarden.engine.simulator.certificates import CertificateFiles, ThrowAwayAuthority
from seatwarden.engine.simulator.server import SimulatedQrs
from seatwarden.policy.errors import InputError

SEED = 2026
_CONFIG_NAME, _SNAPSHOT, _RUNNING = "butler.yaml", "snapshot.json", ".running"
_MOST_DEMOS = 20
_ELSEWHERE = "choose another with --folder"
_SOURCE = '"source": "https://qlik.example.com:4242"'
_SIMULATED = "This one is simulated, and gone when the demo ends."
USERS = 200

_CONFIG = """\
Butler:
  # How to reach Qlik Sense, as in any Butler config. This one is simulated, and gone when the demo ends.
  configQRS:
    authentication: certificates
    host: localhost
    useSSL: true
    port: {port}
    headers:
      static:
        - name: X-Qlik-User
          value: UserDirectory=Internal;UserId=sa_repository
    rejectUnauthorized: true
  cert:
    clientCert: certificates/client.pem
    clientCertKey: certificates/client_key.pem
    clientCertCA: certificates/root.pem

  qlikSenseLicense:
    licenseRelease:
      enable: true
      dryRun: true
      frequency: every 24 hours
      neverRelease:
        user:
          - userDir: INTERNAL
            userId: sa_repository
          - userDir: INTERNAL
            userId: sa_api
        tag:
          - License do not release
        customProperty:
          - name: LicenseManage
            value: do-not-release
        userDirectory:
          - INTERNAL
          - ADMIN
        inactive: Ignore
        blocked: Ignore
        removedExternally: Ignore
        # From here on seatwarden's own: a condition in the language of Qlik's rules, with an end.
        when:
          - name: year-end close
            when: user.@Department = "Finance" and month = [11, 12, 1]
            until: {until}
      licenseType:
        analyzer:
          enable: true
          releaseThresholdDays: 30
        professional:
          enable: true
          releaseThresholdDays: 60
      limit: 50 per run, longest unused first
      destination:
        influxDb:
          enable: false
          tag:
            static: []

# From here on seatwarden's own. In this folder lies the register of runs, and beside it the lock of the site.
seatwarden:
  folder: state
"""

_MARKS = {_CONFIG_NAME: _SIMULATED, _SNAPSHOT: _SOURCE}
"""What the demo's own files say near their beginning."""
_UNEDITED = re.compile(re.escape(_CONFIG).replace(r"\{port\}", r"\d+").replace(r"\{until\}", r"\d{4}-\d\d-\d\d"))
_PORT = re.compile(r"^(\s*configQRS:\s*\n(?:.*\n)*?\s*port:\s*)\d+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class DemoSite:
    """The simulated site and its files. `config` is policy and site file in one."""

    config: Path
    snapshot: Path
    site: dict[str, Any]
    certificates: CertificateFiles

    def serve(self) -> SimulatedQrs:
        """The simulated QRS, to be entered; its port goes into the config with `write_config`."""
        return SimulatedQrs(self.site, certificates=self.certificates)


@contextmanager
def own_folder(folder: Path) -> Iterator[Path]:
    """A context in which a folder is the demo's alone: the one named, or where a demo runs there the next of its name.

    Raises InputError for a folder with files of somebody else, OSError.
    """
    for number in range(1, _MOST_DEMOS + 1):
        place = folder if number == 1 else folder.with_name(f"{folder.name}-{number}")
        _refuse_files_of_others(place)
        place.mkdir(parents=True, exist_ok=True)
        lock = FileLock(place / _RUNNING)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        try:
            yield place
        finally:
            lock.release()
        return
    raise InputError(f"demos are running in `{folder}` and beside it", "end one, or choose another with --folder")


def _refuse_files_of_others(folder: Path) -> None:
    """Raises InputError where the demo would write over what is not its own."""
    if folder.is_file():
        raise InputError(f"`{folder}` is a file, not a folder", _ELSEWHERE)
    names = {path.name for path in folder.iterdir()} - {_RUNNING} if folder.exists() else set()
    of_demo = [name for name, mark in _MARKS.items() if name in names and mark in _head(folder / name)]
    if names and not of_demo:
        raise InputError(f"`{folder}` has files that are not the demo's, and none is overwritten", _ELSEWHERE)
    if _SNAPSHOT in names and _SNAPSHOT not in of_demo:
        raise InputError(f"`{folder / _SNAPSHOT}` is not the demo's, and is not overwritten", _ELSEWHERE)


def _head(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(1_000)


def write_demo_site(folder: Path, *, now: datetime) -> DemoSite:
    """Writes snapshot and certificates of a generated site as of `now`; it must be the real time, which TLS goes by."""
    folder.mkdir(parents=True, exist_ok=True)
    site = demo_site(seed=SEED, now=now, users=USERS)
    snapshot = folder / _SNAPSHOT
    content = {"takenAt": format_instant(now), **site}
    write_atomically(snapshot, json.dumps(content, ensure_ascii=False, indent=1).encode(), mode=0o666)
    certificates = ThrowAwayAuthority(now=now).export(folder / "certificates")
    return DemoSite(config_in(folder), snapshot, site, certificates)


def config_in(folder: Path) -> Path:
    """The Butler config of the demo in a folder: policy and site file in one."""
    return folder / _CONFIG_NAME


def write_config(config: Path, *, port: int, now: datetime) -> bool:
    """Writes the Butler config for a QRS on that port of this machine; whether one that was edited is kept.

    Of an edited one only the port is another. Raises InputError where it has none, OSError.
    """
    year = now.year + (1 if now.month > 2 else 0)
    text = _CONFIG.format(port=port, until=f"{year}-02-28")
    kept = config.exists() and not _UNEDITED.fullmatch(config.read_text(encoding="utf-8"))
    if kept:
        text, found = _PORT.subn(rf"\g<1>{port}", config.read_text(encoding="utf-8"), count=1)
        if not found:
            message = f"`{config}` has been edited, and has no `port` under `configQRS` any more"
            raise InputError(message, f"remove it, or {_ELSEWHERE}")
    write_atomically(config, text.encode(), mode=0o666)
    return kept
