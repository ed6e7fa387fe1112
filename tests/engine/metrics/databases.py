"""Real databases for tests: InfluxDB 1.x and VictoriaMetrics, on free ports, with folders of their own."""

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import pytest
import requests

from seatwarden.engine.site.influxdb import InfluxTarget
from tests.ports import free_port

_SECONDS_TO_START = 30
_CONFIG = """\
reporting-enabled = false
bind-address = "127.0.0.1:{backup}"
[meta]
  dir = '{folder}/meta'
[data]
  dir = '{folder}/data'
  wal-dir = '{folder}/wal'
  cache-max-memory-size = {memory}
[http]
  bind-address = "127.0.0.1:{port}"
  auth-enabled = {auth}
  log-enabled = false
[monitor]
  store-enabled = false
"""


class Server:
    """A database server of the test's own; `stop` and `kill` end it, `start` starts it again on the same data."""

    program = ""

    def __init__(self, folder: Path) -> None:
        if shutil.which(self.program) is None:
            pytest.skip(f"{self.program} is not installed: nothing is tested against the real database")
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdout=log, stderr=log)
        deadline = time.monotonic() + _SECONDS_TO_START
        while not self._ready():
            assert self._process.poll() is None, (self.folder / "server.log").read_text()[-2000:]
            assert time.monotonic() < deadline, f"{self.program} does not start"
            time.sleep(0.05)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _ready(self) -> bool:
        try:
            return requests.get(f"{self.url}{self._ping}", timeout=5).ok
        except requests.RequestException:
            return False

    _ping = "/ping"


class Influx(Server):
    """InfluxDB 1.x."""

    program = "influxd"

    def __init__(self, folder: Path, *, auth: bool = False, memory: int = 1_000_000_000) -> None:
        super().__init__(folder)
        self._auth = auth
        self.memory = memory
        """Bytes of points it takes before it calls itself full; effective from the next start."""
        self.login: tuple[str, str] | None = None

    def target(self, **changes: Any) -> InfluxTarget:
        given = {"version": 1, "url": self.url, "database": "butler", **changes}
        return InfluxTarget(**given)

    def statement(self, text: str, database: str = "butler") -> list[dict[str, Any]]:
        """The series of an InfluxQL statement's answer."""
        parameters = {"q": text, "db": database, "epoch": "ms"}
        answer = requests.post(f"{self.url}/query", params=parameters, auth=self.login, timeout=30)
        assert answer.status_code == 200, answer.text
        result = answer.json()["results"][0]
        assert "error" not in result, result
        series: list[dict[str, Any]] = result.get("series", [])
        return series

    def rows(self, text: str, database: str = "butler") -> list[dict[str, Any]]:
        """The rows of an InfluxQL query, as maps; tags of a GROUP BY are in them."""
        return [
            dict(zip(series["columns"], row, strict=True)) | series.get("tags", {})
            for series in self.statement(text, database)
            for row in series.get("values", ())
        ]

    def write(self, lines: str, precision: str = "ns", database: str = "butler") -> None:
        """Writes lines as another program would."""
        parameters = {"db": database, "precision": precision}
        answer = requests.post(f"{self.url}/write", params=parameters, data=lines.encode(), timeout=30)
        assert answer.status_code == 204, answer.text

    def empty(self) -> None:
        """Drops all databases of tests."""
        for row in self.rows("SHOW DATABASES"):
            if not row["name"].startswith("_"):
                quoted = row["name"].replace('"', '\\"')
                self.statement(f'DROP DATABASE "{quoted}"')

    def _command(self) -> list[str]:
        values = {"port": self.port, "backup": free_port(), "folder": self.folder, "memory": self.memory}
        values["auth"] = str(self._auth).lower()
        config = self.folder / "influxdb.conf"
        config.write_text(_CONFIG.format(**values), encoding="utf-8")
        return [self.program, "-config", str(config)]


class Victoria(Server):
    """VictoriaMetrics, which speaks the write API of InfluxDB 2."""

    program = "victoria-metrics"
    _ping = "/health"

    def target(self, version: int = 2, **changes: Any) -> InfluxTarget:
        given = {"version": version, "url": self.url, "database": "butler", "org": "org", "token": "secret", **changes}
        return InfluxTarget(**given)

    def export(self) -> list[dict[str, Any]]:
        """All that is stored: `metric` with name and labels, `values`, `timestamps` (milliseconds)."""
        requests.get(f"{self.url}/internal/force_flush", timeout=30)
        answer = requests.get(f"{self.url}/api/v1/export", params={"match[]": '{__name__!=""}'}, timeout=30)
        assert answer.status_code == 200, answer.text
        return [json.loads(row) for row in answer.text.splitlines()]

    def _command(self) -> list[str]:
        data = self.folder / "data"
        return [
            self.program,
            f"-storageDataPath={data}",
            f"-httpListenAddr=127.0.0.1:{self.port}",
            "-retentionPeriod=100y",
        ]
