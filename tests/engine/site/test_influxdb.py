"""The section `influxDb`, as Butler writes it, old and new, and what is wrong in it."""

from pathlib import Path
from textwrap import dedent

import pytest

from seatwarden.engine.site.influxdb import InfluxTarget, read_influxdb
from seatwarden.policy.yaml.nodes import read_yaml
from seatwarden.policy.yaml.reader import YamlReader

ENVIRONMENT = {"INFLUX_TOKEN": "t0ken", "INFLUX_PASSWORD": "pässword"}

OLD = """\
enable: true
hostIP: influxdb.example.com
hostPort: 8086
auth:
  enable: false
  username: user_joe
  password: joesecret
dbName: butler
retentionPolicy:
  name: 10d
  duration: 10d
tag:
  static:
    - name: butler_instance
      value: dev
reloadTaskFailure:
  enable: true
  tailScriptLogLines: 20
"""

NEW = """\
enable: true
hostIP: 10.11.12.13
hostPort: 8181
version: {version}
v1Config:
  auth:
    enable: true
    username: user_joe
    password: ${{INFLUX_PASSWORD}}
  dbName: metrics
  retentionPolicy:
    name: one year
    duration: 52w1d
v2Config:
  org: my-org
  bucket: bucket
  description: Butler metrics
  token: ${{INFLUX_TOKEN}}
  retentionDuration: 10d
v3Config:
  database: three
  description: Butler metrics
  token: my-v3-token
  retentionDuration: 10d
  writeTimeout: 10000
  queryTimeout: 60000
tag:
  static:
"""


def read(text: str) -> tuple[InfluxTarget | None, list[str]]:
    reader = YamlReader(ENVIRONMENT, Path("/conf"))
    target, _ = read_influxdb(reader, read_yaml(dedent(text), "butler.yaml"))
    return target, [f"{f.code} {f.span.line} {f.message}" + (f" | {f.help}" if f.help else "") for f in reader.findings]


def test_the_old_form_is_version_1() -> None:
    url = "http://influxdb.example.com:8086"
    assert read(OLD) == (InfluxTarget(1, url, "butler", retention=("10d", "10d")), [])


def test_the_new_forms() -> None:
    url = "http://10.11.12.13:8181"
    retention = ("one year", "52w1d")
    assert read(NEW.format(version=1)) == (
        InfluxTarget(1, url, "metrics", "user_joe", "pässword", retention=retention),
        [],
    )
    assert read(NEW.format(version="'2'")) == (InfluxTarget(2, url, "bucket", org="my-org", token="t0ken"), [])
    assert read(NEW.format(version=3)) == (InfluxTarget(3, url, "three", token="my-v3-token"), [])


@pytest.mark.parametrize(
    ("setting", "url"),
    [
        ("version: 1", "http://localhost:8086"),
        ("hostIP: db", "http://db:8086"),
        ("hostIP: db\nuseSSL: true", "https://db:8086"),
        ("hostIP: db\nhostPort: '9999'", "http://db:9999"),
        ("hostIP: https://db.example.com", "https://db.example.com:8086"),
        ("hostIP: https://db.example.com:443/influx/", "https://db.example.com:443/influx"),
        ("hostIP: ::1\nuseSSL: true", "https://[::1]:8086"),
        ("hostIP: '[fe80::1]:99'", "http://[fe80::1]:99"),
    ],
)
def test_addresses(setting: str, url: str) -> None:
    target, findings = read(f"enable: true\n{setting}\n")
    assert findings == []
    assert target is not None
    assert (target.url, target.database, target.retention) == (url, "butler", None)


def test_certificates() -> None:
    target, findings = read("enable: true\nhostIP: db\nuseSSL: true\nrejectUnauthorized: false\ncaFile: ca.pem\n")
    assert findings == []
    assert target is not None
    assert (target.verify, target.authority) == (False, Path("/conf/ca.pem"))
    assert target.warnings == ["influxDb.rejectUnauthorized is false: https://db:8086 could be anybody"]


def test_switched_off_is_not_read() -> None:
    assert read("enable: false\nhostIP: 5\nversion: 99\n") == (None, [])


WRONG = {
    "hostIP: db\n": ["SW206 1 `influxDb` lacks the key `enable`"],
    "enable: 'yes'\n": ["SW204 1 `influxDb.enable` must be true or false | write true or false"],
    "enable: true\nhostIp: db\n": ["SW203 2 unknown key `hostIp` in `influxDb` | did you mean `hostIP`?"],
    "enable: true\nhostIP: ftp://db\n": [
        (
            "SW205 2 `influxDb.hostIP` is not a host | "
            "write a host name, or an address such as https://influxdb.example.com:8086"
        ),
    ],
    "enable: true\nhostIP: db\nhostPort: 99999\n": ["SW205 3 `influxDb.hostPort` is from 1 to 65535"],
    "enable: true\nhostIP: db\nversion: 4\n": ["SW205 3 `influxDb.version` is 1, 2 or 3"],
    "enable: true\nhostIP: db\nversion: true\n": ["SW205 3 `influxDb.version` is 1, 2 or 3"],
    "enable: true\nhostIP: db\nversion: 2\n": ["SW206 1 `influxDb` lacks the key `v2Config` | version 2 needs it"],
    "enable: true\nhostIP: db\nversion: 2\nv2Config:\n  org: o\n  bukket: b\n  token: ${NOPE}\n": [
        "SW206 5 `influxDb.v2Config` lacks the key `bucket`",
        "SW203 6 unknown key `bukket` in `influxDb.v2Config` | did you mean `bucket`?",
        "SW205 7 environment variable `NOPE` is not set | set it where the command runs",
    ],
    "enable: true\nhostIP: db\nauth:\n  enable: true\n  username: x\n": [
        "SW206 4 `auth` lacks the key `password` | the database asks for it"
    ],
    "enable: true\nhostIP: db\nretentionPolicy:\n  name: x\n  duration: 10 days\n": [
        "SW205 5 `retentionPolicy.duration` is no duration | write 10d"
    ],
    "- enable\n": ["SW204 1 `influxDb` must be a map"],
}


@pytest.mark.parametrize(("text", "findings"), WRONG.items())
def test_findings(text: str, findings: list[str]) -> None:
    assert read(text) == (None, findings)


def test_all_findings_at_once_and_no_secret_in_them() -> None:
    text = NEW.format(version=7).replace("hostIP: 10.11.12.13", "hostIP: a b").replace("joe", "s3cret")
    target, findings = read(text)
    assert target is None
    assert len(findings) == 2
    assert not any("s3cret" in finding for finding in findings)


def test_secrets_are_not_in_the_repr() -> None:
    for version in (1, 2, 3):
        target, _ = read(NEW.format(version=version))
        assert not any(secret in repr(target) for secret in ("t0ken", "pässword", "my-v3-token"))
