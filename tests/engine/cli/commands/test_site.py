"""`seatwarden site check`, `seatwarden snapshot`, and the ways to a site, against the real HTTPS simulator."""

import json
import os
import re
import stat
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.simulator.certificates import CertificateFiles, ThrowAwayAuthority, Validity
from seatwarden.engine.simulator.server import Fault, SimulatedQrs
from tests.engine.cli.conftest import Run, SiteFile
from tests.engine.support import let_others_in
from tests.paths import EXAMPLES

JSON = {"Content-Type": "application/json"}
BUTLER = EXAMPLES / "butler.yaml"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without their pauses."""
    monkeypatch.setattr("urllib3.util.retry.Retry.sleep", lambda *args: None)


# site check ----------------------------------------------------------------------------------------------


def test_a_free_way(run: Run, qrs: SimulatedQrs, site_file: SiteFile) -> None:
    ran = run("site", "check", "--site", site_file(qrs.port))
    assert ran.code == 0
    for words in (
        "✓ host name: localhost is ",
        f"✓ port: {qrs.port} is open",
        "✓ client certificate: ",
        "✓ TLS: TLSv1.3, server certificate valid until ",
        "is a Repository Service, version ",
        "✓ right to read users: 11 users",
        "✓ right to read analyzer licenses: 8 licenses",
        "✓ right to read the site's license: found",
        "✓ right to read license rules: 0 rules",
        "✓ reading it all, as a plan does: 11 users and 13 licenses",
        "The way to this site is free.",
    ):
        assert words in ran.out


@pytest.mark.skipif(os.name == "nt", reason="on Windows a file has no mode that says it")
def test_a_key_that_others_can_read(
    run: Run, qrs: SimulatedQrs, site_file: SiteFile, certificates: CertificateFiles, tmp_path: Path
) -> None:
    key = tmp_path / "open_key.pem"
    key.write_bytes(certificates.client_key.read_bytes())
    path = site_file(qrs.port, files=replace(certificates, client_key=key))
    let_others_in(tmp_path)
    key.chmod(0o644)
    ran = run("site", "check", "--site", path)
    assert ran.code == 0
    assert f"warning: `clientCertKey`: every user of this machine can read or change `{key}`" in ran.err
    assert f"chmod 600 {key}" in ran.err
    key.chmod(0o640)
    assert "warning" not in run("site", "check", "--site", path).err


@pytest.mark.usefixtures("without_pywin32")
def test_without_pywin32_it_is_said_that_rights_are_not_looked_at(
    run: Run, qrs: SimulatedQrs, site_file: SiteFile, certificates: CertificateFiles
) -> None:
    ran = run("site", "check", "--site", site_file(qrs.port))
    assert f"not looked at: who can read `{certificates.client_key}`; `icacls` shows it" in ran.err
    assert ran.code == 0


@pytest.mark.parametrize(
    ("fault", "step", "found"),
    [
        (Fault("status", path_contains="/about", status=403), "answer", "refused us (403)"),
        (Fault("html", path_contains="/about"), "answer", "web page instead of JSON"),
        (Fault("status", path_contains="/user/count", status=403), "right to read users", "refused us (403)"),
        (Fault("status", path_contains="professional", status=500), "right to read professional", "answered 500"),
        (Fault("status", path_contains="/license?", status=403), "right to read the site's license", "us (403)"),
        (
            Fault("status", path_contains="/license?", status=200, body="[]", headers=JSON),
            "the site's license",
            "as QRS sends it",
        ),
        (Fault("status", path_contains="/about", status=200, body="{x", headers=JSON), "answer", "is not JSON"),
        (Fault("status", path_contains="/user/count", status=200, body="{", headers=JSON), "users", "is not JSON"),
        (Fault("html", path_contains="/user/full"), "reading it all", "web page instead of JSON"),
        (Fault("truncate", path_contains="/analyzeraccesstype/full"), "reading it all", "closed the connection"),
        (Fault("status", path_contains="/user/full", status=200, body='[{"id": 1'), "reading it all", "in the middle"),
        (Fault("status", path_contains="/user/full", status=200, body='{"value": []}'), "reading it all", "a list"),
    ],
)
def test_the_first_obstacle_is_named(
    run: Run, qrs: SimulatedQrs, site_file: SiteFile, fault: Fault, step: str, found: str
) -> None:
    qrs.faults.append(fault)
    ran = run("site", "check", "--site", site_file(qrs.port))
    assert ran.code == 3
    last = [line for line in ran.out.splitlines() if "✗" in line]
    assert len(last) == 1
    assert step in last[0]
    assert found in last[0]
    assert "= help: " in ran.out


def test_a_section_of_ours_that_runs_refuse_is_named(run: Run, qrs: SimulatedQrs, site_file: SiteFile) -> None:
    site = site_file(qrs.port)
    site.write_text(f"{site.read_text()}seatwarden:\n  capacity:\n    analyzer: {{warnBelow: lots}}\n")
    ran = run("site", "check", "--site", site)
    assert ran.code == 2
    assert [line for line in ran.out.splitlines() if "✗" in line] == [
        "  ✗ site file: `warnBelow` is no level (site.yaml:11:27)"
    ]
    assert "write a number of licenses, such as `25`" in ran.out
    assert f"✓ port: {qrs.port} is open" in ran.out, "the way is tried all the same"
    found = json.loads(run("site", "check", "--site", site, "--format", "json").out)
    assert (found["free"], found["steps"][0]["good"]) == (False, False)


def test_no_users_to_be_seen(run: Run, certificates: CertificateFiles, site_file: SiteFile) -> None:
    """QRS answers an empty list to a user without rights, not 403."""
    with SimulatedQrs(
        {"users": [], "licenses": {"professional": [], "analyzer": []}}, certificates=certificates
    ) as qrs:
        ran = run("site", "check", "--site", site_file(qrs.port))
    assert ran.code == 3
    assert "users: no user" in ran.out


def test_way_blocked_early(run: Run, site_file: SiteFile, tmp_path: Path, example_site: dict[str, Any]) -> None:
    assert "✗ host name: " in run("site", "check", "--site", site_file(4242, host="qlik.invalid")).out
    assert "✗ port: " in run("site", "check", "--site", site_file(1, host="127.0.0.1")).out
    now = datetime.now(UTC)
    files = ThrowAwayAuthority(now=now).export(tmp_path / "c", client_validity=Validity.expired(now))
    with SimulatedQrs(example_site, certificates=files) as qrs:
        out = run("site", "check", "--site", site_file(qrs.port, files=files)).out
    assert "✗ client certificate: " in out
    assert "expired on" in out
    site = site_file(qrs.port, files=files)
    site.write_text(site.read_text(encoding="utf-8").replace("client_key.pem", "nowhere.pem"), encoding="utf-8")
    with SimulatedQrs(example_site, certificates=files) as qrs:
        site.write_text(re.sub(r"port: \d+", f"port: {qrs.port}", site.read_text(encoding="utf-8")), encoding="utf-8")
        ran = run("site", "check", "--site", site)
    assert "nowhere.pem`" in ran.out
    assert ran.code == 2, "the fault is on this side"


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        ("/user/count", "`User_*`"),
        ("/user/full", "`User_*`"),
        ("/professionalaccesstype/", "`ProfessionalAccessType_*`"),
        ("/analyzeraccesstype/full", "`AnalyzerAccessType_*`"),
        ("/license?", "`License_*`"),
    ],
)
def test_what_the_check_passes_a_plan_can_read(
    run: Run, qrs: SimulatedQrs, site_file: SiteFile, path: str, resource: str
) -> None:
    """Whatever is refused to a plan is refused to the check, and both name the resource."""
    qrs.faults.append(Fault("status", path_contains=path, status=403, body="Forbidden"))
    site = site_file(qrs.port)
    check, plan = run("site", "check", "--site", site), run("plan", "--policy", BUTLER, "--site", site)
    assert (check.code, plan.code) == (3, 0 if path.endswith("count") else 3)
    for said in (check.out, plan.err) if plan.code else (check.out,):
        assert f"a role that may read {resource}, such as RootAdmin" in said


def test_the_check_asks_all_that_a_plan_asks(run: Run, qrs: SimulatedQrs, site_file: SiteFile) -> None:
    site = site_file(qrs.port)
    run("plan", "--policy", BUTLER, "--site", site)
    planned = set(qrs.requests)
    before = len(qrs.requests)
    run("site", "check", "--site", site)
    assert len(planned) == 7
    assert planned <= set(qrs.requests[before:])


def test_a_site_without_a_license(run: Run, qrs: SimulatedQrs, site_file: SiteFile) -> None:
    """QRS answers `null`. A plan goes on, and does not know whether the key is signed."""
    qrs.faults.append(Fault("status", path_contains="/license?", status=200, body="null", headers=JSON))
    site = site_file(qrs.port)
    assert "✓ right to read the site's license: there is none" in run("site", "check", "--site", site).out
    assert run("plan", "--policy", BUTLER, "--site", site).code == 0


# snapshot ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["site.json", "site.json.zst"])
def test_snapshot_plans_like_the_site(
    run: Run, qrs: SimulatedQrs, site_file: SiteFile, tmp_path: Path, name: str
) -> None:
    site = site_file(qrs.port)
    ran = run("snapshot", "--site", site, "-o", tmp_path / "new" / name)
    assert (ran.code, ": 11 users, 13 " in ran.out) == (0, True)
    now = ("--now", "2026-11-21", "--format", "json", "--policy", BUTLER)
    live = json.loads(run("plan", "--site", site, *now).out)
    filed = json.loads(run("plan", "--snapshot", tmp_path / "new" / name, *now).out)
    assert live["decisions"] == filed["decisions"]
    assert filed["run"]["site"] == f"https://localhost:{qrs.port}"
    if os.name != "nt":
        assert stat.S_IMODE((tmp_path / "new" / name).stat().st_mode) == 0o600


def test_snapshot_keeps_rows_as_they_are_and_no_secrets(
    run: Run, qrs: SimulatedQrs, site_file: SiteFile, tmp_path: Path, example_site: dict[str, Any]
) -> None:
    run("snapshot", "--site", site_file(qrs.port), "-o", tmp_path / "s.json")
    taken = json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))
    assert taken["users"] == example_site["users"]
    assert taken["licenses"] == example_site["licenses"]
    assert taken["license"]["signedKey"] is True
    assert taken["accessTypeOverview"]
    assert "fake-signed-key" not in json.dumps(taken)
    assert "FAKE-SERIAL" not in json.dumps(taken)


@pytest.mark.parametrize("head", [b"\x1f\x8b\x08", b"PK\x03\x04"])
def test_other_ways_to_compress(run: Run, tmp_path: Path, head: bytes) -> None:
    (tmp_path / "site.json.gz").write_bytes(head + b"...")
    ran = run("plan", "--policy", EXAMPLES / "butler.yaml", "--snapshot", tmp_path / "site.json.gz")
    assert (ran.code, "is compressed as gzip or zip" in ran.err, "only zstd" in ran.err) == (2, True, True)


def test_mistyped_keys_of_a_site_file_are_told_once(run: Run, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("configQRS:\n  hsot: a\n  prot: 4242\n  enableWebSocket: true\n")
    ran = run("site", "check", "--site", tmp_path / "site.yaml")
    assert ran.code == 2
    assert re.findall(r"did you mean `(\w+)`", ran.err) == ["host", "port"]
    assert ran.err.count("error[") == 2


def test_torn_zstd(run: Run, qrs: SimulatedQrs, site_file: SiteFile, tmp_path: Path) -> None:
    run("snapshot", "--site", site_file(qrs.port), "-o", tmp_path / "s.zst")
    data = (tmp_path / "s.zst").read_bytes()
    (tmp_path / "torn.zst").write_bytes(data[: len(data) // 2])
    ran = run("plan", "--policy", BUTLER, "--snapshot", tmp_path / "torn.zst")
    assert ran.code == 2
    assert "torn.zst" in ran.err


def test_signed_key_and_both_types_are_told(run: Run, qrs: SimulatedQrs, site_file: SiteFile) -> None:
    plan = run("plan", "--policy", BUTLER, "--site", site_file(qrs.port), "--now", "2026-11-21")
    assert "signed license key" in plan.out
    assert "1 user with" in plan.out


# proxies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "environment", "header", "value"),
    [
        ("authentication: jwt\n    jwt: ${QLIK_JWT}", {"QLIK_JWT": "ey.token"}, "Authorization", "Bearer ey.token"),
        ("authentication: jwt\n    jwt: ey.other", {}, "Authorization", "Bearer ey.other"),
        (
            "authentication: header\n    headers: {X-Seat-User: '${SEAT_USER}'}",
            {"SEAT_USER": "CORP\\svc"},
            "X-Seat-User",
            "CORP\\svc",
        ),
    ],
)
def test_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: str, environment: dict[str, str], header: str, value: str
) -> None:
    """The request that a proxy gets: prefix, port 443, our credentials, and no X-Qlik-User of our own."""
    import requests

    from seatwarden.engine.qrs.client import QrsClient
    from seatwarden.engine.site.connection import load_site

    path = tmp_path / "site.yaml"
    path.write_text(f"configQRS:\n    host: qlik.example.com\n    virtualProxy: /seat/\n    {settings}\n")
    site = load_site(path, environment)
    assert site.url == "https://qlik.example.com:443/seat"
    sent: list[requests.PreparedRequest] = []

    def send(self: requests.Session, request: requests.PreparedRequest, **options: object) -> requests.Response:
        sent.append(request)
        response = requests.Response()
        response.status_code, response.raw = 200, BytesIO(b"[]")
        return response

    monkeypatch.setattr(requests.Session, "send", send)
    with QrsClient(site, datetime.now(UTC)) as client:
        assert client.get("user/full") == b"[]"
    assert str(sent[0].url).startswith("https://qlik.example.com:443/seat/qrs/user/full?xrfkey=")
    assert sent[0].headers[header] == value
    assert "X-Qlik-User" not in sent[0].headers
    assert value not in repr(site)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("authentication: jwt\n    jwt: ${NOT_SET}", "environment variable `NOT_SET` is not set"),
        ("authentication: jwt\n    jwt: Bearer ${PATH}", "`${PATH}` is only a part of `jwt`"),
        ("authentication: jwt", "`configQRS` lacks the key `jwt`"),
        ("authentication: header", "`configQRS` lacks the key `headers`"),
        ("authentication: ntlm", "`configQRS.authentication` is one of certificates, jwt, header"),
        ("virtualProxy: https://x", "is the prefix of a virtual proxy"),
    ],
)
def test_bad_proxy_settings(run: Run, tmp_path: Path, settings: str, expected: str) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(f"configQRS:\n    host: qlik.example.com\n    {settings}\n")
    ran = run("plan", "--policy", BUTLER, "--site", path)
    assert ran.code == 2
    assert expected in ran.err


# secrets -------------------------------------------------------------------------------------------------


def test_no_secret_in_anything_a_run_writes(
    run: Run, qrs: SimulatedQrs, site_file: SiteFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file and every line of output of a whole run, with faults of every kind."""
    monkeypatch.setenv("SEAT_TOKEN", "tok-3nvir0nment")
    site = site_file(
        qrs.port, headers="{static: [{name: X-Token, value: '${SEAT_TOKEN}'}, {name: X-Plain, value: pl4in-s3cret}]}"
    )
    site.write_text(site.read_text() + "    clientCertPassphrase: passphr4se\n")
    printed = ""
    echo = "no: X-Token: tok-3nvir0nment, X-Plain: pl4in-s3cret"
    faults = [
        *(Fault(kind) for kind in ("html", "redirect", "reset", "truncate")),
        Fault("status", status=403, body=echo),
    ]
    for number, fault in enumerate([None, *faults]):
        qrs.faults[:] = [fault] if fault else []
        for command in ("plan", "snapshot"):
            policy = ("--policy", BUTLER) if command == "plan" else ()
            ran = run(command, *policy, "--site", site, "-o", tmp_path / "out" / f"{command}{number}")
            printed += ran.out + ran.err
        ran = run("site", "check", "--site", site)
        printed += ran.out + ran.err
    qrs.faults[:] = [Fault("status", "DELETE", status=409, body=echo)]
    ran = run("apply", tmp_path / "out" / "plan0", "--site", site, "--yes", "--limit", "100%")
    printed += ran.out + ran.err
    written = "".join(p.read_text(encoding="utf-8") for p in (tmp_path / "out").rglob("*") if p.is_file())
    assert "outcomes" in str(list((tmp_path / "out").rglob("*")))
    assert "no: X-Token: …" in printed
    assert "no: X-Token: …" in written
    secrets = ("tok-3nvir0nment", "pl4in-s3cret", "passphr4se", "fake-signed-key", "FAKE-SERIAL", "PRIVATE KEY")
    assert [secret for secret in secrets if secret in printed + written] == []
