"""Writing to real databases, and to servers that are not well."""

import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from seatwarden.engine.metrics import writer as module
from seatwarden.engine.metrics.point import Point, line
from seatwarden.engine.metrics.writer import OpenWriter, Rejected, Unavailable
from seatwarden.engine.simulator.certificates import ThrowAwayAuthority
from seatwarden.engine.site.influxdb import InfluxTarget, Version
from seatwarden.engine.site.proxy import Proxy
from tests.engine.metrics.databases import Influx, Victoria
from tests.engine.metrics.servers import Answering, Silent
from tests.engine.notify.brokers import web_proxy
from tests.platforms import WINDOWS
from tests.ports import dead_port

NOW = datetime.now(UTC)


def made(n: int, user: str = "CORP\\anna") -> str:
    return line(Point("qlik_sense_license", (("user", user),), {"used": float(n)}, NOW + timedelta(milliseconds=n)))


def write(target: InfluxTarget, *lines: str) -> None:
    with OpenWriter(target) as writer:
        writer.write(lines)


def test_a_missing_database_is_created_with_its_retention_policy(influx: Influx) -> None:
    write(influx.target(database='odd "name" é', retention=("10 days", "10d")), made(1))
    policies = influx.rows(r'SHOW RETENTION POLICIES ON "odd \"name\" é"')
    assert [(p["name"], p["duration"], p["default"]) for p in policies] == [("10 days", "240h0m0s", True)]
    assert len(influx.rows("SELECT * FROM qlik_sense_license", 'odd "name" é')) == 1


def test_an_existing_database_keeps_its_own_policy(influx: Influx) -> None:
    influx.statement("CREATE DATABASE butler")
    write(influx.target(retention=("10d", "10d")), made(1))
    assert [p["name"] for p in influx.rows("SHOW RETENTION POLICIES ON butler")] == ["autogen"]
    assert [row["used"] for row in influx.rows("SELECT used FROM qlik_sense_license")] == [1]


def test_a_policy_that_influxdb_refuses_is_told(influx: Influx) -> None:
    with pytest.raises(Unavailable, match="could not be created: retention policy duration must be at least 1h0m0s"):
        write(influx.target(retention=("10m", "10m")), made(1))


def test_a_database_that_asks_for_a_password(tmp_path: Path) -> None:
    with Influx(tmp_path, auth=True) as influx:
        influx.statement("CREATE USER \"jörg\" WITH PASSWORD 'gehe:im€' WITH ALL PRIVILEGES")
        influx.login = ("jörg", "gehe:im€")
        target = influx.target(username="jörg", password="gehe:im€")
        write(target, made(1))
        influx.login = None
        with pytest.raises(Unavailable, match=r"refused us \(401\).*check user and password") as caught:
            write(influx.target(username="jörg", password="falsch"), made(2))
        assert "falsch" not in str(caught.value)
        with pytest.raises(Unavailable, match="401"):
            write(influx.target(), made(2))


def test_version_2_and_3_through_the_client(victoria: Victoria) -> None:
    write(victoria.target(2), made(2, "CORP\\two"))
    write(victoria.target(3, org=""), made(3, "CORP\\three"))
    found = {r["metric"]["user"]: r["values"] for r in victoria.export() if "used" in r["metric"]["__name__"]}
    assert found["CORP\\two"] == [2]
    assert found["CORP\\three"] == [3]


def test_what_version_2_is_sent() -> None:
    with Answering(204) as server:
        write(InfluxTarget(2, server.url, "b&b", org="my org", token="t0k"), made(1), made(2))
    assert server.paths == ["/api/v2/write?org=my+org&bucket=b%26b&precision=ms"]
    assert server.headers[0]["Authorization"] == "Token t0k"
    assert server.bodies == [f"{made(1)}\n{made(2)}"]


def test_another_type_than_the_field_has_is_rejected_and_the_rest_is_in(influx: Influx) -> None:
    influx.statement("CREATE DATABASE butler")
    influx.write('qlik_sense_license used="text"')
    influx.statement("DROP SERIES FROM other")
    with pytest.raises(Rejected, match="field type conflict"):
        write(influx.target(), made(1), f"other used=1 {int(NOW.timestamp() * 1000)}")
    assert len(influx.rows("SELECT * FROM other")) == 1


def test_older_than_the_policy_is_rejected(influx: Influx) -> None:
    with pytest.raises(Rejected, match="points beyond retention policy"):
        write(influx.target(retention=("10d", "10d")), "m n=1 1000")


VERSIONS = (1, 2, 3)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (500, '{"error":"engine: cache-max-memory-size exceeded"}', "500: engine: cache-max-memory-size exceeded"),
        (500, '{"error":"timeout"}', "500: timeout"),
        (503, "", "answered 503"),
        (507, '{"code":"x","message":"no space left on device"}', "507: no space left on device"),
        (401, '{"code":"unauthorized","message":"unauthorized access"}', "unauthorized access; check"),
        (403, "", "no reason given; check"),
        (404, "<html>", "404|create it there"),
        (429, "", "answered 429"),
        (302, "", "answered 302"),
        (400, "<html>The plain HTTP request was sent to HTTPS port</html>", "answered 400"),
    ],
)
def test_what_may_pass_is_kept(version: int, status: int, body: str, why: str) -> None:
    with Answering(status, body) as server, pytest.raises(Unavailable, match=why) as caught:
        write(InfluxTarget(version, server.url, "db", "joe", "s3cret", token="t0k3n", org="o"), made(1))  # type: ignore[arg-type]
    assert "s3cret" not in str(caught.value)
    assert "t0k3n" not in str(caught.value)
    assert len(server.bodies) == 1  # no retries of a library's own


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("status", [400, 401, 404, 500])
@pytest.mark.parametrize("said", [0, 290], ids=["at the beginning", "where it is cut"])
def test_a_database_that_repeats_our_secrets(version: int, status: int, said: int) -> None:
    target = InfluxTarget(version, "", "db", "joe", 'p"w\\s3cret', token="t0k3n-t0k3n", org="o")  # type: ignore[arg-type]
    secrets = target.secrets
    body = json.dumps({"message": "." * said + " ".join(f"no `{secret}`" for secret in secrets)})
    with Answering(status, body) as server, pytest.raises((Unavailable, Rejected)) as caught:
        write(replace(target, url=server.url), made(1))
    assert "…" in str(caught.value)
    assert not [secret for secret in secrets if secret[:5] in str(caught.value)]


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("token", ["t0k3n\n", "t0k3n\r\nX: y", "t0k3n–t0k3n", "\udc80t0k3n"])
def test_a_token_that_no_header_can_carry(version: int, token: str) -> None:
    with Answering(204) as server, pytest.raises(Unavailable, match="check the token") as caught:
        write(InfluxTarget(version, server.url, "db", token=token, org="o"), made(1))  # type: ignore[arg-type]
    assert "t0k3n" not in str(caught.value)


@pytest.mark.parametrize("host", ["db..example", "a" * 64 + ".example", ".example.com"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_host_that_is_none(version: int, host: str) -> None:
    with pytest.raises(Unavailable, match="there is no such host"):
        write(InfluxTarget(version, f"http://{host}:1", "db", token="t", org="o"), made(1))  # type: ignore[arg-type]


def test_an_authority_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="the file under `influxDb"):
        write(InfluxTarget(1, "https://127.0.0.1:1", "db", authority=tmp_path / "none.pem"), made(1))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (400, '{"error":"partial write: field type conflict: input dropped=1"}', "field type conflict"),
        (400, '{"code":"invalid","message":"unable to parse"}', "unable to parse"),
        (422, '{"code":"unprocessable entity","message":"outside retention"}', "outside retention"),
        (413, "", "too many lines"),
    ],
)
def test_what_will_never_be_taken_is_rejected(version: int, status: int, body: str, why: str) -> None:
    with Answering(status, body) as server, pytest.raises(Rejected, match=why):
        write(InfluxTarget(version, server.url, "db", token="t0k3n", org="o"), made(1))  # type: ignore[arg-type]


@pytest.mark.parametrize("version", VERSIONS)
def test_nobody_there(version: int) -> None:
    target = InfluxTarget(version, f"http://127.0.0.1:{dead_port()}", "db", token="t", org="o")  # type: ignore[arg-type]
    with pytest.raises(Unavailable, match="nothing listens there"):
        write(target, made(1))
    with pytest.raises(Unavailable, match="there is no such host"):
        write(InfluxTarget(version, "http://no-such-host.invalid:1", "db", token="t", org="o"), made(1))  # type: ignore[arg-type]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_server_that_never_answers(version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", 0.2)
    with Silent() as url, pytest.raises(Unavailable, match=r"no answer within 0\.2 seconds"):
        write(InfluxTarget(version, url, "db", token="t", org="o"), made(1))  # type: ignore[arg-type]


@pytest.mark.parametrize("version", VERSIONS)
def test_tls(version: int, tmp_path: Path) -> None:
    """Its certificate is checked, against `caFile` when there is one, unless `rejectUnauthorized` is false."""
    files = ThrowAwayAuthority(now=NOW).export(tmp_path)
    with Answering(204, files=files) as server:
        target = InfluxTarget(version, server.url, "db", token="t", org="o")  # type: ignore[arg-type]
        write(replace(target, authority=files.root), made(1))
        write(replace(target, verify=False), made(2))
        with pytest.raises(Unavailable, match="no trust in its certificate"):
            write(target, made(3))
    assert server.bodies == [made(1), made(2)]


@pytest.mark.skipif(WINDOWS, reason="there the authorities are those in the store of the account that runs the tests")
@pytest.mark.parametrize("version", VERSIONS)
def test_tls_trusts_the_authorities_of_this_machine(
    version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ThrowAwayAuthority(now=NOW).export(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(files.root))
    with Answering(204, files=files) as server:
        write(InfluxTarget(version, server.url, "db", token="t", org="o"), made(1))  # type: ignore[arg-type]
    assert server.bodies == [made(1)]


@pytest.mark.parametrize("version", VERSIONS)
def test_no_tls_where_tls_is_asked_for(version: int) -> None:
    with Answering(204) as server, pytest.raises(Unavailable, match=r"no TLS there|cannot be reached"):
        write(InfluxTarget(version, server.url.replace("http:", "https:"), "db", token="t", org="o"), made(1))  # type: ignore[arg-type]


def by(url: str) -> Proxy:
    return Proxy(url, url)


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_through_a_proxy(version: Version, scheme: str, tmp_path: Path, authority: ThrowAwayAuthority) -> None:
    """The name cannot be looked up here; TLS is from us to the database."""
    files = authority.export(tmp_path, hosts=["influx.invalid"])
    login = f"Basic {b64encode(b'me:p@ss').decode()}"
    with Answering(204, files=files if scheme == "https" else None) as server:
        port = int(server.url.rpartition(":")[2])
        with web_proxy(port, login=login) as way:
            said = by(f"http://me:p%40ss@127.0.0.1:{way.port}")
            target = InfluxTarget(
                version, f"{scheme}://influx.invalid:8086", "b", org="o", token="t0k", authority=files.root, proxy=said
            )
            write(target, made(1))
            assert server.bodies == [made(1)]
            (asked,) = way.asked
            assert "influx.invalid:8086" in asked
            if version > 1:
                assert server.headers[0]["Authorization"] == "Token t0k"
            assert "Proxy-Authorization" not in server.headers[0]
            around = Proxy(said.http, said.https, ("invalid",))
            with pytest.raises(Unavailable, match="there is no such host"):
                write(replace(target, proxy=around), made(1))
            wrong = by(f"http://me:s3cret-pass@127.0.0.1:{way.port}")
            with pytest.raises(Unavailable) as raised:
                write(replace(target, proxy=wrong), made(1))
            assert "s3cret" not in str(raised.value)
            assert ("the proxy did not let us through" in str(raised.value)) or "answered 407" in str(raised.value)
    dead = by(f"http://127.0.0.1:{dead_port()}")
    with pytest.raises(Unavailable, match="the proxy on the way there cannot be reached"):
        write(replace(target, proxy=dead), made(1))


@pytest.mark.parametrize("version", [1, 2, 3])
def test_no_proxy_of_the_environment(version: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
        monkeypatch.setenv(name.upper(), "http://127.0.0.1:1")
    with pytest.raises(Unavailable, match="there is no such host"):
        write(InfluxTarget(version, "http://influx.invalid:8086", "b", org="o", token="t"), made(1))
