"""The Windows certificate store: our certificate with its key from there, as a PFX in memory.

Python's TLS takes keys from outside Windows only, so the key must be marked as exportable, which the import of a PFX
asks about; one that is not stays where it is, and the error says so. pywin32 speaks to Windows.
"""

import re
import secrets
import sys
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from seatwarden.engine.site.connection import StoredCertificate
from seatwarden.policy.errors import InputError

_THUMBPRINT = re.compile(r"[0-9a-fA-F]{40}", re.ASCII)
_IMPORT_HELP = "import the PFX again with `Mark this key as exportable`, or name the PFX itself under `clientCert`"


def exported(stored: StoredCertificate) -> tuple[bytes, str]:
    """The certificate with its key as PFX, and the passphrase that it got for this moment.

    Raises InputError where there is no such store or certificate, or where Windows does not hand out the key.
    """
    if sys.platform != "win32":
        raise InputError(f"`cert.clientCert`: `{stored}` is in the certificate store of Windows", "name a file here")
    try:
        import pywintypes
        import win32crypt
        import win32cryptcon as con
    except ImportError:
        message = f"`cert.clientCert`: `{stored}` cannot be read without pywin32"
        raise InputError(message, "install it where seatwarden is: pip install pywin32") from None
    location = con.CERT_SYSTEM_STORE_CURRENT_USER
    if stored.location == "LocalMachine":
        location = con.CERT_SYSTEM_STORE_LOCAL_MACHINE
    how = location | con.CERT_STORE_READONLY_FLAG | con.CERT_STORE_OPEN_EXISTING_FLAG
    passphrase = secrets.token_bytes(24).hex()
    try:
        store = win32crypt.CertOpenStore(con.CERT_STORE_PROV_SYSTEM, 0, None, how, stored.store)
        rows = list(store.CertEnumCertificatesInStore())
        row = rows[choose(stored, [x509.load_der_x509_certificate(row.CertEncoded) for row in rows])]
        alone = win32crypt.CertOpenStore(con.CERT_STORE_PROV_MEMORY, 0, None, 0, None)
        alone.CertAddCertificateContextToStore(row, con.CERT_STORE_ADD_ALWAYS)
        keys = con.EXPORT_PRIVATE_KEYS | con.REPORT_NO_PRIVATE_KEY | con.REPORT_NOT_ABLE_TO_EXPORT_PRIVATE_KEY
        return alone.PFXExportCertStoreEx(passphrase, keys), passphrase
    except pywintypes.error as error:
        message = f"`cert.clientCert`: Windows does not hand out `{stored}` with its key: {error.strerror}"
        raise InputError(message, _IMPORT_HELP) from None


def choose(stored: StoredCertificate, certificates: Sequence[x509.Certificate]) -> int:
    """The place of the certificate that is meant: by its thumbprint, or by the name it was issued to.

    Of several with one name the one that is valid longest is taken, as after a renewal. Raises InputError for none.
    """
    if _THUMBPRINT.fullmatch(stored.name):
        wanted = bytes.fromhex(stored.name)
        found = [n for n, one in enumerate(certificates) if one.fingerprint(hashes.SHA1()) == wanted]  # noqa: S303
    else:
        name = stored.name.removeprefix("CN=").casefold()
        found = [n for n, one in enumerate(certificates) if name in map(str.casefold, _common_names(one))]
    if not found:
        there = ", ".join(sorted({name for one in certificates for name in _common_names(one)})[:6]) or "none"
        message = f"`cert.clientCert`: there is no certificate `{stored}`"
        raise InputError(message, f"in that store there are: {there}; the account that runs this has stores of its own")
    return max(found, key=lambda n: certificates[n].not_valid_after_utc)


def _common_names(certificate: x509.Certificate) -> list[str]:
    return [str(part.value) for part in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
