"""Files that nobody else should read: which a site file names, and who can read them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from seatwarden.engine.simulator.certificates import CertificateFiles, ThrowAwayAuthority
from seatwarden.engine.site.private_files import PrivateFile, private_files

SITE = """\
Butler:
  configQRS:
    host: localhost
    headers: {X-Qlik-User: {file: user}}
  cert:
    clientCert: CLIENT
    clientCertKey: KEY
    clientCertCA: ROOT
    clientCertPassphrase: {file: passphrase}
  influxDb: {enable: true, version: 3, v3Config: {database: d, token: {file: token}}}
  mqttConfig:
    enable: true
    brokerHost: broker
    qlikSenseServerLicenseTopic: a
    azureEventGrid: {enable: true, clientId: c, clientCertFile: CLIENT, clientKeyFile: KEY}
  qlikSenseLicense:
    serverLicenseMonitor:
      enable: true
      frequency: every 24 hours
      alert: {thresholdDays: 60}
      destination: {mqtt: {enable: true, sendRecurring: {enable: true}, sendAlert: {enable: false}}}
seatwarden:
  pseudonyms: ${WHERE}
  notifications: {webhook: [{url: {file: hook}}]}
"""
SECRET_FILES = ("user", "passphrase", "token", "hook", "names.key")


@pytest.fixture
def certificates(tmp_path: Path) -> CertificateFiles:
    (tmp_path / "certificates").mkdir()
    return ThrowAwayAuthority(now=datetime.now(UTC)).export(tmp_path / "certificates")


def _site(folder: Path, files: CertificateFiles) -> Path:
    for name in SECRET_FILES:
        (folder / name).write_text("UserDirectory=A; UserId=b\n")
    text = SITE.replace("CLIENT", str(files.client)).replace("KEY", str(files.client_key))
    (folder / "site.yaml").write_text(text.replace("ROOT", str(files.root)))
    return folder / "site.yaml"


def test_which(tmp_path: Path, certificates: CertificateFiles) -> None:
    found = private_files(_site(tmp_path, certificates), {"WHERE": "names.key"})
    assert {(file.key, file.path) for file in found} == {
        ("clientCertKey", certificates.client_key),
        ("clientKeyFile", certificates.client_key),
        ("pseudonyms", tmp_path / "names.key"),
        ("X-Qlik-User", tmp_path / "user"),
        ("clientCertPassphrase", tmp_path / "passphrase"),
        ("token", tmp_path / "token"),
        ("url", tmp_path / "hook"),
    }


@pytest.mark.parametrize("written", ["names.key", "{key: names.key}", "{key: names.key, per: run}"])
def test_the_key_of_pseudonyms(tmp_path: Path, written: str) -> None:
    (tmp_path / "names.key").write_bytes(b"k" * 32)
    (tmp_path / "site.yaml").write_text(f"configQRS: {{host: h}}\nseatwarden: {{pseudonyms: {written}}}\n")
    assert private_files(tmp_path / "site.yaml", {}) == [PrivateFile("pseudonyms", tmp_path / "names.key")]


def test_a_certificate_is_public_unless_its_key_is_with_it(tmp_path: Path, certificates: CertificateFiles) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(certificates.client.read_bytes() + certificates.client_key.read_bytes())
    (tmp_path / "site.yaml").write_text(f"configQRS: {{host: h}}\ncert: {{clientCert: '{both}'}}\n")
    assert private_files(tmp_path / "site.yaml", {}) == [PrivateFile("clientCert", both)]


def test_what_is_not_there_or_wrong_is_none(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("configQRS: {host: 1}\ncert: {clientCertKey: nowhere.pem}\nseatwarden: 5\n")
    assert private_files(tmp_path / "site.yaml", {}) == []
