"""The certificate store of Windows, played by a store in memory with the calls of pywin32 that we make."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from seatwarden.engine.qrs.client_files import client_certificate
from seatwarden.engine.qrs.windows_store import choose, exported
from seatwarden.engine.simulator.certificates import CertificateFiles
from seatwarden.engine.site.connection import Site, StoredCertificate, load_site
from seatwarden.policy.errors import InputError, PolicyError
from tests.engine.qrs.authorities import NOW, Made, make, write
from tests.engine.qrs.test_presented import DIRECT, ROOT, last_step

CLIENT = make("QlikClient", ROOT, server=False)
BEFORE = make("QlikClient", ROOT, server=False, valid=(NOW - timedelta(days=400), NOW - timedelta(days=20)))
OTHER = make("Somebody else", ROOT, server=False)
PLACE = StoredCertificate("LocalMachine", "My", "QlikClient")
_CONSTANTS = (
    *("CERT_STORE_PROV_SYSTEM", "CERT_STORE_PROV_MEMORY", "CERT_SYSTEM_STORE_CURRENT_USER"),
    *("CERT_SYSTEM_STORE_LOCAL_MACHINE", "CERT_STORE_READONLY_FLAG", "CERT_STORE_OPEN_EXISTING_FLAG"),
    *("CERT_STORE_ADD_ALWAYS", "EXPORT_PRIVATE_KEYS", "REPORT_NO_PRIVATE_KEY"),
    "REPORT_NOT_ABLE_TO_EXPORT_PRIVATE_KEY",
)


class PywinError(Exception):
    """What pywin32 raises."""

    def __init__(self, strerror: str) -> None:
        super().__init__(strerror)
        self.strerror = strerror


@dataclass
class Store:
    """A store, as pywin32 shows one; `hands_out` says whether keys may leave it."""

    made: list[Made]
    hands_out: bool = True

    def CertEnumCertificatesInStore(self) -> list[Any]:  # noqa: N802 - Windows' name
        return [
            SimpleNamespace(CertEncoded=one.certificate.public_bytes(serialization.Encoding.DER), made=one)
            for one in self.made
        ]

    def CertAddCertificateContextToStore(self, row: Any, disposition: int) -> None:  # noqa: N802
        self.made.append(row.made)

    def PFXExportCertStoreEx(self, password: str, flags: int) -> bytes:  # noqa: N802
        if not self.hands_out:
            raise PywinError("Key not valid for use in specified state.")
        (one,) = self.made
        how = serialization.BestAvailableEncryption(password.encode())
        return pkcs12.serialize_key_and_certificates(b"x", one.key, one.certificate, None, how)


Windows = Callable[..., list[tuple[int, str | None]]]


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Windows:
    """Makes this machine a Windows whose store holds these; says which stores were opened."""

    def become(*made: Made, hands_out: bool = True) -> list[tuple[int, str | None]]:
        con = ModuleType("win32cryptcon")
        for bit, name in enumerate(_CONSTANTS):
            setattr(con, name, 1 << bit)
        opened: list[tuple[int, str | None]] = []

        def open_store(provider: int, encoding: int, key: None, flags: int, name: str | None) -> Store:
            opened.append((flags, name))
            if provider == 1 << _CONSTANTS.index("CERT_STORE_PROV_MEMORY"):
                return Store([], hands_out)
            if name == "Nowhere":
                raise PywinError("The system cannot find the file specified.")
            return Store(list(made))

        monkeypatch.setattr(sys, "platform", "win32")
        monkeypatch.setitem(sys.modules, "win32cryptcon", con)
        monkeypatch.setitem(sys.modules, "win32crypt", SimpleNamespace(CertOpenStore=open_store))
        monkeypatch.setitem(sys.modules, "pywintypes", SimpleNamespace(error=PywinError))
        return opened

    return become


def test_the_certificate_with_its_key(windows: Windows) -> None:
    opened = windows(OTHER, BEFORE, CLIENT)
    data, passphrase = exported(PLACE)
    key, certificate, others = pkcs12.load_key_and_certificates(data, passphrase.encode())
    assert (certificate, others) == (CLIENT.certificate, [])
    assert key is not None
    place = sum(1 << _CONSTANTS.index(name) for name in (
        "CERT_SYSTEM_STORE_LOCAL_MACHINE", "CERT_STORE_READONLY_FLAG", "CERT_STORE_OPEN_EXISTING_FLAG"
    ))  # fmt: skip
    assert opened == [(place, "My"), (0, None)]
    assert exported(PLACE)[1] != passphrase, "a passphrase is for one moment"


def test_the_account_s_own_store(windows: Windows) -> None:
    opened = windows(CLIENT)
    exported(StoredCertificate("CurrentUser", "My", "CN=qlikclient"))
    assert opened[0][0] & (1 << _CONSTANTS.index("CERT_SYSTEM_STORE_CURRENT_USER"))


def test_it_is_shown_to_the_server(windows: Windows, tmp_path: Path) -> None:
    """With a real handshake: the way ends at the rights, since the site has no users."""
    files: CertificateFiles = write(tmp_path / "c", root=ROOT.pem, server=DIRECT, client=CLIENT)
    windows(CLIENT)
    step = last_step(files, certificate=PLACE, key=None)
    assert (step.name, step.found) == ("right to read users", "no user can be seen")
    site = Site("localhost", 4242, True, {}, True, PLACE, None, files.root)
    assert client_certificate(site) == CLIENT.certificate


def test_the_key_stays_where_it_is(windows: Windows) -> None:
    windows(CLIENT, hands_out=False)
    with pytest.raises(InputError) as caught:
        exported(PLACE)
    assert caught.value.message == (
        r"`cert.clientCert`: Windows does not hand out `Cert:\LocalMachine\My\QlikClient` with its key: "
        "Key not valid for use in specified state."
    )
    assert "exportable" in (caught.value.help or "")


def test_no_such_store(windows: Windows) -> None:
    windows(CLIENT)
    with pytest.raises(InputError, match="cannot find"):
        exported(StoredCertificate("CurrentUser", "Nowhere", "QlikClient"))


def test_no_such_certificate_names_those_that_are_there(windows: Windows) -> None:
    windows(OTHER, CLIENT)
    with pytest.raises(InputError) as caught:
        exported(StoredCertificate("CurrentUser", "My", "QlikCleint"))
    assert "in that store there are: QlikClient, Somebody else" in (caught.value.help or "")


def test_without_windows_and_without_pywin32(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "win32":
        with pytest.raises(InputError, match="is in the certificate store of Windows"):
            exported(PLACE)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "win32crypt", None)
    with pytest.raises(InputError, match="without pywin32") as caught:
        exported(PLACE)
    assert caught.value.help == "install it where seatwarden is: pip install pywin32"


def test_which_is_meant() -> None:
    certificates = [one.certificate for one in (BEFORE, OTHER, CLIENT)]
    thumbprint = OTHER.certificate.fingerprint(hashes.SHA1()).hex()  # noqa: S303 - as Windows names certificates
    assert choose(PLACE, certificates) == 2, "after a renewal the new one"
    assert choose(PLACE, certificates[::-1]) == 0
    assert choose(StoredCertificate("CurrentUser", "My", thumbprint), certificates) == 1
    assert choose(StoredCertificate("CurrentUser", "My", thumbprint.upper()), certificates) == 1


def _site(folder: Path, written: str, more: str = "") -> Site:
    file = folder / "site.yaml"
    file.write_text(f"configQRS:\n  host: q.example.com\ncert:\n  clientCert: {written}\n{more}", encoding="utf-8")
    return load_site(file, {})


@pytest.mark.parametrize("written", [r"'Cert:\LocalMachine\My\QlikClient'", "cert:/localmachine/My/QlikClient"])
def test_as_it_is_written(tmp_path: Path, written: str) -> None:
    assert _site(tmp_path, written).certificate == PLACE


@pytest.mark.parametrize("written", [r"'Cert:\My\QlikClient'", r"'Cert:\CurrentUser\My'", "'Cert:'"])
def test_half_a_place(tmp_path: Path, written: str) -> None:
    with pytest.raises(PolicyError) as caught:
        _site(tmp_path, written)
    assert caught.value.diagnostics[0].message == "`cert.clientCert` is no place in the certificate store"


def test_a_key_beside_it(windows: Windows, tmp_path: Path) -> None:
    windows(CLIENT)
    site = _site(tmp_path, r"'Cert:\CurrentUser\My\QlikClient'", "  clientCertKey: client_key.pem\n")
    with pytest.raises(InputError, match="has its key beside it"):
        client_certificate(site)
