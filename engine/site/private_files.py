"""The files of a site file that nobody else should read: private keys, the key of pseudonyms, secrets."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seatwarden.engine.site.alarms import read_alarms
from seatwarden.engine.site.connection import read_site
from seatwarden.engine.site.influxdb import read_influxdb
from seatwarden.engine.site.notice import NOTICE
from seatwarden.engine.site.notifications import NOTIFICATIONS
from seatwarden.engine.site.paths import PATH
from seatwarden.engine.site.proxy import read_proxy
from seatwarden.engine.site.pseudonyms import key_entry
from seatwarden.engine.site.signing import SIGNING
from seatwarden.policy.butler.licenses import read_jobs
from seatwarden.policy.butler.older import todays_form
from seatwarden.policy.butler.sections import butler_section, inner, our_section
from seatwarden.policy.files import read_text
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.secrets import read_site_yaml


@dataclass(frozen=True, slots=True)
class PrivateFile:
    """A file with something secret in it, and the key of the site file that names it."""

    key: str
    path: Path


def private_files(file: Path, environment: Mapping[str, str]) -> list[PrivateFile]:
    """The files with secrets that a site file names, as far as it is right.

    Raises InputError when it cannot be read, PolicyError when it is no YAML.
    """
    reader = YamlReader(environment, file.parent)
    root = todays_form(reader, read_site_yaml(read_text(file, "site file"), str(file)))
    site, ours = read_site(reader, root), our_section(root)
    alarms, _ = read_alarms(reader, root, read_jobs(reader, root).server_monitor, read_proxy(reader, ours))
    if influx := butler_section(root, "influxDb"):
        read_influxdb(reader, influx.value)
    if told := inner(ours, "notifications"):
        NOTIFICATIONS.read(reader, told, "notifications")
    if notice := inner(ours, "notice"):
        NOTICE.read(reader, notice, "notice")
    signing = inner(ours, "signing")
    signs = SIGNING.read(reader, signing, "signing") if signing else None
    named = key_entry(inner(ours, "pseudonyms"))
    keys: list[tuple[str, object]] = [
        ("clientCert", site.certificate if site else None),
        ("clientCertKey", site.key if site else None),
        ("clientKeyFile", alarms.mqtt.key if alarms.mqtt else None),
        ("signing.key", signs.key if signs else None),
        ("pseudonyms", PATH.read(reader, named, "pseudonyms") if named else None),
        *reader.secret_files,
    ]
    return list(dict.fromkeys(PrivateFile(key, path) for key, path in keys if isinstance(path, Path) and _secret(path)))


def _secret(path: Path) -> bool:
    """Whether a file has more in it than certificates, which are public; what is not there, somebody else says."""
    try:
        data = path.read_bytes()
    except (OSError, ValueError):
        return False
    return b"PRIVATE KEY-----" in data or b"-----BEGIN CERTIFICATE" not in data
