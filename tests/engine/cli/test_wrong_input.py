"""Wrong input: each with a clear message, the right exit code, and no traceback (the `run` fixture checks that)."""

import json
import re
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seatwarden.engine.simulator.certificates import ThrowAwayAuthority, Validity
from seatwarden.engine.simulator.server import Fault, FaultKind, SimulatedQrs
from tests.engine.cli.conftest import Run, SiteFile
from tests.paths import EXAMPLES, load_json

SNAPSHOT = EXAMPLES / "site.json"
BUTLER = EXAMPLES / "butler.yaml"
pytestmark = pytest.mark.usefixtures("quick")


# Policies ------------------------------------------------------------------------------------------------

BAD_POLICIES = {
    "a tab": ("p.yaml", "licenseType:\n\tanalyzer: {}\n", ["SW201", "p.yaml:2:1"]),
    "not YAML": ("p.yaml", "licenseType: [1,\n", ["SW201", "p.yaml:2:1"]),
    "no map": ("p.yaml", "just words\n", ["SW209", "p.yaml:1:1"]),
    "an empty file": ("p.yaml", "", ["SW209", "p.yaml:1:1", "this is empty"]),
    "a list for a map": (
        "p.yaml",
        "licenseType: []\n",
        ["SW204", "`licenseType`", "p.yaml:1:14", "this is a list"],
    ),
    "an unknown key": (
        "p.yaml",
        "neverRelease: {tags: [a]}\nlicenseType: {analyzer: {enable: true, releaseThresholdDays: 30}}\n",
        ["SW203", "`tags`", "`tag`?", "p.yaml:1:16"],
    ),
    "two problems": (
        "p.yaml",
        "neverRelease: {inactive: maybe}\nlicenseType: {analyzer: {enable: 1, releaseThresholdDays: -1}}\n",
        ["`neverRelease.inactive`", "p.yaml:1:26", "p.yaml:2:34", "p.yaml:2:59"],
    ),
    "a duplicate key": (
        "p.yaml",
        "licenseType: {}\nlicenseType: {}\n",
        ["SW202", "`licenseType`", "p.yaml:2:1", "p.yaml:1:1"],
    ),
    "an unknown field": (
        "p.policy",
        'keep when user.directory = "A"\n',
        ["SW101", "p.policy:1:11", "`user.userDirectory`"],
    ),
    "a syntax error": ("p.policy", 'keep "x" wen user.inactive\n', ["SW001", "p.policy:1:10", "`when`?"]),
    "an unknown zone": ("p.policy", 'timezone "Europe/Stokholm"\n', ["SW208", "p.policy:1:10", "`Europe/Stockholm`?"]),
    "a zone of Windows": ("p.policy", 'timezone "W. Europe Standard Time"\n', ["SW208", "Europe/Berlin"]),
    "an abbreviated zone": ("p.policy", 'timezone "CEST"\n', ["SW208", "an abbreviation is not enough"]),
    "a site file": (
        "site.yaml",
        "configQRS: {host: q}\nqlikSenseLicense: {licenseRelease: {enable: true}}\nseatwarden: {policy: p.policy}\n",
        ["SW209", "this site file is no policy", "site.yaml:3:14"],
    ),
    "a flat site file": (
        "site.yaml",
        "configQRS: {host: q}\nlicenseRelease: {enable: true, dryRun: true}\nseatwarden: {policy: p.policy}\n",
        ["SW209", "site.yaml:3:14"],
    ),
    "a framed site file": (
        "site.yaml",
        "Butler: {qlikSenseLicense: {licenseRelease: {dryRun: true}}}\nseatwarden: {folder: f, policy: p.policy}\n",
        ["SW209", "site.yaml:2:25"],
    ),
    "a site file without license settings": (
        "site.yaml",
        "Butler: {configQRS: {host: q}}\nseatwarden: {policy: p.policy}\n",
        ["SW209", "site.yaml:2:14"],
    ),
    "policy text": ("p.yaml", 'timezone "UTC"\n# so many\nlimit\n', ["does not go on with", "in a .policy file"]),
    "a missing list file": ("p.policy", 'set vips from "vip.txt"\n', ["SW207", "vip.txt` does not", "p.policy:1:15"]),
}


@pytest.mark.parametrize("case", BAD_POLICIES)
def test_bad_policies(run: Run, tmp_path: Path, case: str) -> None:
    name, text, expected = BAD_POLICIES[case]
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    ran = run("plan", "--policy", path, "--snapshot", SNAPSHOT)
    assert (ran.code, ran.out) == (2, "")
    assert [words for words in expected if words not in ran.err.replace(str(tmp_path) + "/", "")] == []


def test_missing_policy(run: Run, tmp_path: Path) -> None:
    ran = run("plan", "--policy", EXAMPLES / "buttler.yaml", "--snapshot", SNAPSHOT)
    assert ran.code == 2
    assert "buttler.yaml`" in ran.err
    assert "did you mean" in ran.err


def test_policy_in_another_encoding(run: Run, tmp_path: Path) -> None:
    text = 'keep "Åsa" when user.name = "Åsa"\nrelease analyzer when unused for 30 days\n'
    (tmp_path / "latin.policy").write_text(text, encoding="latin-1")
    ran = run("plan", "--policy", tmp_path / "latin.policy", "--snapshot", SNAPSHOT)
    assert ran.code == 2
    assert "latin.policy` is not" in ran.err
    (tmp_path / "powershell.policy").write_text(text, encoding="utf-16")
    assert run("plan", "--policy", tmp_path / "powershell.policy", "--snapshot", SNAPSHOT).code == 0


# Snapshots -----------------------------------------------------------------------------------------------


def _truncated(path: Path) -> None:
    path.write_bytes(SNAPSHOT.read_bytes()[: SNAPSHOT.stat().st_size // 2])


def _no_users(path: Path) -> None:
    path.write_text(json.dumps({"licenses": {}}))


def _a_list(path: Path) -> None:
    path.write_text("[]")


def _no_json(path: Path) -> None:
    path.write_text("<html>")


def _no_license_id(path: Path) -> None:
    site = load_json(SNAPSHOT)
    del site["licenses"]["analyzer"][2]["id"]
    path.write_text(json.dumps(site))


BAD_SNAPSHOTS: dict[Callable[[Path], None], str] = {
    _truncated: "ends in the middle",
    _no_users: "no `users`",
    _a_list: "found a list",
    _no_json: "is a web page (HTML), not a snapshot",
    _no_license_id: "licenses.analyzer[2] has no `id`",
}


@pytest.mark.parametrize("break_it", BAD_SNAPSHOTS)
def test_bad_snapshots(run: Run, tmp_path: Path, break_it: Callable[[Path], None]) -> None:
    path = tmp_path / "bad.json"
    break_it(path)
    ran = run("plan", "--policy", BUTLER, "--snapshot", path)
    assert (ran.code, ran.out) == (2, "")
    assert BAD_SNAPSHOTS[break_it] in ran.err


def test_missing_snapshot(run: Run, tmp_path: Path) -> None:
    ran = run("plan", "--policy", BUTLER, "--snapshot", tmp_path / "none.json")
    assert ran.code == 2
    assert "does not exist" in ran.err


# Options -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), "nothing to decide on"),
        (("--snapshot", SNAPSHOT), "no policy"),
        (("--policy", BUTLER, "--snapshot", SNAPSHOT, "--site", BUTLER), "exclude each other"),
        (("--policy", BUTLER, "--snapshot", SNAPSHOT, "--now", "yesterday"), "`yesterday` is not a moment"),
        (("--policy", BUTLER, "--snapshot", SNAPSHOT, "--now", ""), "`` is not a moment"),
        (("--policy", BUTLER, "--snapshot", SNAPSHOT, "--timezone", "CEST"), "there is no time zone `CEST`"),
        (("--policy", BUTLER, "--snapshot", SNAPSHOT, "--timezone", ""), "there is no time zone ``"),
        (("--policy", BUTLER, "--snapshot", SNAPSHOT, "--format", "xml"), "xml"),
        (("--policy", BUTLER, "--site", BUTLER), "there is no `configQRS`"),
        (("--polcy", BUTLER), "No such option"),
    ],
)
def test_bad_options(run: Run, options: tuple[object, ...], expected: str) -> None:
    ran = run("plan", *options)
    assert (ran.code, ran.out) == (2, "")
    assert expected in ran.err


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (("diff", BUTLER, BUTLER, "--now", ""), "`` is not a moment"),
        (("diff", BUTLER, BUTLER, "--snapshot", SNAPSHOT, "--timezone", ""), "there is no time zone ``"),
        (("explain", "x", "--policy", BUTLER, "--snapshot", SNAPSHOT, "--timezone", ""), "there is no time zone ``"),
        (("monitor", "--site", BUTLER, "--now", ""), "`` is not a moment"),
        (("frequency", "every 1 hour", "--after", ""), "`` is not a moment"),
        (("frequency", "every 1 hour", "--timezone", ""), "there is no time zone ``"),
        (("test", EXAMPLES, "--timezone", ""), "go with --record"),
    ],
)
def test_an_empty_option_is_not_one_left_out(run: Run, command: tuple[object, ...], expected: str) -> None:
    """A script whose variable is empty must not decide by another zone or moment than it means to."""
    ran = run(*command)
    assert (ran.code, ran.out) == (2, "")
    assert expected in ran.err


# QRS -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("html", "not authenticated"),
        ("redirect", "redirects to a login page"),
        ("truncate", "closed the connection before it had answered"),
        ("reset", "closed the connection before it had answered"),
    ],
)
def test_qrs_answers_badly(run: Run, qrs: SimulatedQrs, site_file: SiteFile, kind: FaultKind, expected: str) -> None:
    qrs.faults.append(Fault(kind))
    ran = run("plan", "--policy", BUTLER, "--site", site_file(qrs.port))
    assert (ran.code, ran.out) == (3, "")
    assert expected in ran.err


@pytest.mark.parametrize(
    ("status", "expected"),
    [(401, "refused us (401)"), (403, "refused us (403)"), (500, "answered 500"), (503, "answered 503")],
)
def test_qrs_refuses(run: Run, qrs: SimulatedQrs, site_file: SiteFile, status: int, expected: str) -> None:
    qrs.faults.append(Fault("status", status=status))
    ran = run("plan", "--policy", BUTLER, "--site", site_file(qrs.port))
    assert (ran.code, ran.out) == (3, "")
    assert expected in ran.err


def test_a_busy_qrs_is_asked_again(run: Run, qrs: SimulatedQrs, site_file: SiteFile) -> None:
    qrs.faults.append(Fault("status", status=503, times=1))
    assert run("plan", "--policy", BUTLER, "--site", site_file(qrs.port)).code == 0


def test_foreign_client_certificate(run: Run, qrs: SimulatedQrs, site_file: SiteFile, tmp_path: Path) -> None:
    """A certificate of another authority; ours is still trusted for the server."""
    foreign = ThrowAwayAuthority(now=datetime.now(UTC)).export(tmp_path / "foreign")
    site = site_file(qrs.port)
    ours = site.read_text(encoding="utf-8")
    for name in ("client.pem", "client_key.pem"):
        line = next(part for part in ours.split() if part.endswith((f"/{name}", f"\\{name}")))
        ours = ours.replace(line, str(foreign.client.with_name(name)))
    site.write_text(ours, encoding="utf-8")
    ran = run("plan", "--policy", BUTLER, "--site", site)
    assert (ran.code, ran.out) == (3, "")
    assert "refused our client certificate" in ran.err


def test_server_of_another_authority(run: Run, qrs: SimulatedQrs, site_file: SiteFile, tmp_path: Path) -> None:
    foreign = ThrowAwayAuthority(now=datetime.now(UTC)).export(tmp_path / "foreign")
    ran = run("plan", "--policy", BUTLER, "--site", site_file(qrs.port, files=foreign))
    assert ran.code == 3
    assert "was not issued by the authority we trust" in ran.err
    assert "root.pem" in ran.err


def test_unverified_server_is_warned_about(run: Run, qrs: SimulatedQrs, site_file: SiteFile) -> None:
    ran = run("plan", "--policy", BUTLER, "--site", site_file(qrs.port, host="127.0.0.1", rejectUnauthorized="false"))
    assert ran.code == 0
    assert "warning: rejectUnauthorized " in ran.err


def test_host_name_of_another_machine(
    run: Run, example_site: dict[str, object], site_file: SiteFile, tmp_path: Path
) -> None:
    files = ThrowAwayAuthority(now=datetime.now(UTC)).export(tmp_path / "c", hosts=("qlik.example.com",))
    with SimulatedQrs(example_site, certificates=files) as server:
        ran = run("plan", "--policy", BUTLER, "--site", site_file(server.port, files=files))
    assert ran.code == 3
    assert "is for another host name" in ran.err


def test_expired_server_certificate(
    run: Run, example_site: dict[str, object], site_file: SiteFile, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    files = ThrowAwayAuthority(now=now).export(tmp_path / "c", server_validity=Validity.expired(now))
    with SimulatedQrs(example_site, certificates=files) as server:
        ran = run("plan", "--policy", BUTLER, "--site", site_file(server.port, files=files))
    assert ran.code == 3
    assert "has expired" in ran.err


def test_expired_client_certificate_is_found_before_connecting(
    run: Run, qrs: SimulatedQrs, site_file: SiteFile, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    files = ThrowAwayAuthority(now=now).export(tmp_path / "c", client_validity=Validity.expired(now))
    ran = run("plan", "--policy", BUTLER, "--site", site_file(qrs.port, files=files))
    assert ran.code == 2
    assert "expired on" in ran.err
    assert qrs.requests == []


def test_passphrase_of_the_client_key(
    run: Run, example_site: dict[str, object], site_file: SiteFile, tmp_path: Path
) -> None:
    files = ThrowAwayAuthority(now=datetime.now(UTC)).export(tmp_path / "c", client_key_passphrase="tr0ub4dor")
    with SimulatedQrs(example_site, certificates=files) as server:
        site = site_file(server.port, files=files)
        given = site.read_text()
        ran = run("plan", "--policy", BUTLER, "--site", site)
        assert ran.code == 2
        assert "it needs a passphrase" in ran.err
        for wrong in ("hunter2", "hunter2" * 200):
            site.write_text(given + f"    clientCertPassphrase: {wrong}\n")
            ran = run("plan", "--policy", BUTLER, "--site", site)
            assert (ran.code, "or the passphrase is wrong" in ran.err, "hunter2" in ran.err) == (2, True, False)
        site.write_text(given + "    clientCertPassphrase: tr0ub4dor\n")
        assert run("plan", "--policy", BUTLER, "--site", site).code == 0


def test_an_authority_without_a_certificate(run: Run, site_file: SiteFile, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    site = site_file(4242)
    site.write_text(re.sub(r"clientCertCA: .*", "clientCertCA: empty.pem", site.read_text()))
    ran = run("plan", "--policy", BUTLER, "--site", site)
    assert (ran.code, "empty.pem` holds no certificate\n" in ran.err) == (2, True)


def test_missing_certificate_file(run: Run, site_file: SiteFile, tmp_path: Path) -> None:
    site = site_file(4242)
    site.write_text(site.read_text().replace("client.pem", "nowhere.pem"))
    ran = run("plan", "--policy", BUTLER, "--site", site)
    assert ran.code == 2
    assert "`cert.clientCert`" in ran.err


def test_wrong_port(run: Run, site_file: SiteFile) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ran = run("plan", "--policy", BUTLER, "--site", site_file(port, host="127.0.0.1"))
    assert ran.code == 3
    assert f"nothing listens on 127.0.0.1:{port}" in ran.err


def test_port_without_tls(run: Run, example_site: dict[str, object], site_file: SiteFile) -> None:
    with SimulatedQrs(example_site) as plain:
        ran = run("plan", "--policy", BUTLER, "--site", site_file(plain.port, host="127.0.0.1"))
    assert ran.code == 3
    assert "does not speak TLS" in ran.err


def test_unknown_host(run: Run, site_file: SiteFile) -> None:
    ran = run("plan", "--policy", BUTLER, "--site", site_file(4242, host="qlik.invalid"))
    assert ran.code == 3
    assert "there is no host `qlik.invalid`" in ran.err


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("port", "ninety", "must be a number"),
        ("port", "70000", "from 1 to 65535"),
        ("useSSL", "on", "must be true or false"),
    ],
)
def test_bad_site_settings(run: Run, site_file: SiteFile, setting: str, value: str, expected: str) -> None:
    ran = run("plan", "--policy", BUTLER, "--site", site_file(**{"port": 4242, setting: value}))
    assert ran.code == 2
    assert expected in ran.err
    assert "site.yaml:" in ran.err


def test_secrets_are_not_shown(run: Run, qrs: SimulatedQrs, site_file: SiteFile) -> None:
    site = site_file(qrs.port)
    site.write_text(site.read_text() + "    clientCertPassphrase: hunter2\n")
    qrs.faults.append(Fault("status", status=500))
    ran = run("plan", "--policy", BUTLER, "--site", site)
    assert "hunter2" not in ran.err + ran.out
