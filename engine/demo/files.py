"""The files of the demonstration: a Butler config that is policy and site file in one, a snapshot, certificates."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.demo.people import demo_site
from seatwarden.engine.simulator.certificates import CertificateFiles, ThrowAwayAuthority
from seatwarden.engine.simulator.server import SimulatedQrs

SEED = 2026
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
"""


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


def write_demo_site(folder: Path, *, now: datetime) -> DemoSite:
    """Writes snapshot and certificates of a generated site as of `now`; it must be the real time, which TLS goes by."""
    folder.mkdir(parents=True, exist_ok=True)
    site = demo_site(seed=SEED, now=now, users=USERS)
    snapshot = folder / "snapshot.json"
    content = {"takenAt": format_instant(now), "source": "the simulated site of seatwarden demo", **site}
    snapshot.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    certificates = ThrowAwayAuthority(now=now).export(folder / "certificates")
    return DemoSite(folder / "butler.yaml", snapshot, site, certificates)


def write_config(demo: DemoSite, *, port: int, now: datetime) -> None:
    """Writes the Butler config for a QRS on that port of this machine."""
    year = now.year + (1 if now.month > 2 else 0)
    demo.config.write_text(_CONFIG.format(port=port, until=f"{year}-02-28"), encoding="utf-8")
