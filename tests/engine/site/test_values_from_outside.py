"""Values that do not stand in the site file: `${NAME}` in the environment, and secrets in files."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from seatwarden.engine.common.key_file import PseudonymKey
from seatwarden.engine.site.ours import policy_file
from seatwarden.engine.site.settings import Settings, load_settings
from seatwarden.policy.diagnostics import render
from seatwarden.policy.errors import PolicyError

SITE = """\
configQRS: {{host: {host}, port: {port}, useSSL: {tls}}}
influxDb:
  enable: {influx}
  version: {version}
  hostPort: {influx_port}
  v2Config: {{org: o, bucket: b, token: t}}
seatwarden:
  policy: license.policy
  parallel: {parallel}
  log: {{format: {format}, file: {log}}}
"""
PLAIN = {
    "host": "localhost",
    "port": "4242",
    "tls": "true",
    "influx": "true",
    "version": "2",
    "influx_port": "8086",
    "parallel": "2",
    "format": "json",
    "log": "s.log",
}
SECRETS = """\
configQRS:
  host: localhost
  headers:
    - name: X-Qlik-User
      value:
        file: user
cert:
  clientCert: ${CREDENTIALS_DIRECTORY}/client.pem
  clientCertKey: ${CREDENTIALS_DIRECTORY}/client_key.pem
  clientCertPassphrase:
    file: ${CREDENTIALS_DIRECTORY}/passphrase
influxDb:
  enable: true
  version: 2
  v2Config:
    org: o
    bucket: b
    token:
      file: ${TOKEN_FILE}
seatwarden:
  policy: license.policy
  proxy: {file: proxy}
  pseudonyms: ${CREDENTIALS_DIRECTORY}/pseudonyms
  notifications:
    webhook:
      - url: {file: hook}
        secret: {file: secret}
"""
FILES = {
    "user": "UserDirectory=INTERNAL; UserId=sa_api\n",
    "credentials/passphrase": "pass phrase\r\n",
    "credentials/pseudonyms": "0123456789abcdef\n",
    "token": "\ufefft0ken",
    "proxy": "http://me:word@proxy.example.com:8080\n",
    "hook": "https://hooks.example.com/PATH\n",
    "secret": "signed\n\n",
}


def _load(folder: Path, text: str, environment: Mapping[str, str] | None = None) -> Settings:
    (folder / "site.yaml").write_text(text, encoding="utf-8")
    (folder / "license.policy").write_text("release analyzer when unused for 30 days\n")
    return load_settings(folder / "site.yaml", environment or {}, default_folder=folder)


def _refused(folder: Path, text: str, environment: Mapping[str, str] | None = None) -> str:
    with pytest.raises(PolicyError) as raised:
        _load(folder, text, environment)
    return "\n".join(render(finding, raised.value.sources) for finding in raised.value.diagnostics)


def _secrets(folder: Path) -> dict[str, str]:
    (folder / "credentials").mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return {"CREDENTIALS_DIRECTORY": str(folder / "credentials"), "TOKEN_FILE": "token"}


# The environment -----------------------------------------------------------------------------------------


def test_every_value_may_come_from_the_environment(tmp_path: Path) -> None:
    names = {key: f"'${{{key.upper()}}}'" for key in PLAIN}
    environment = {key.upper(): value for key, value in PLAIN.items()} | {"FORMAT": " JSON", "PORT": "0x1092"}
    taken, written = _load(tmp_path, SITE.format(**names), environment), _load(tmp_path, SITE.format(**PLAIN))
    assert (taken.site, taken.influx, taken.parallel, taken.log) == (
        written.site,
        written.influx,
        written.parallel,
        written.log,
    )
    assert taken.site.port == 4242


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("port", "HIDDEN", "`configQRS.port` must be a number"),
        ("port", "42.5", "`configQRS.port` must be a whole number"),
        ("port", "99999999", "`configQRS.port` is from 1 to 65535"),
        ("port", "-4242", "`configQRS.port` must not be negative"),
        ("port", "4_242", "`configQRS.port` must be a number"),
        ("tls", "yes", "`configQRS.useSSL` must be true or false"),
        ("tls", "0", "`configQRS.useSSL` must be true or false"),
        ("tls", "null", "`configQRS.useSSL` must be true or false"),
        ("parallel", "17171", "`parallel` is from 1 to 16"),
        ("format", "jsonn", "`seatwarden.log.format` is one of text, json"),
        ("version", "42", "`influxDb.version` is 1, 2 or 3"),
        ("influx_port", "HIDDEN", "`influxDb.hostPort` must be a number"),
        ("host", "http://HIDDEN/x", "`configQRS.host` is a host name, not an address with a path"),
    ],
)
def test_a_wrong_value_names_the_variable_and_is_not_shown(tmp_path: Path, key: str, value: str, said: str) -> None:
    found = _refused(tmp_path, SITE.format(**PLAIN | {key: "'${GIVEN}'"}), {"GIVEN": value})
    assert found.startswith("error[")
    assert said in found
    assert "from environment variable `GIVEN`" in found
    if len(value) > 3:
        assert value not in found


@pytest.mark.parametrize("key", PLAIN)
def test_a_variable_that_is_not_set(tmp_path: Path, key: str) -> None:
    text = SITE.format(**PLAIN | {key: "'${GIVEN}'"})
    assert _refused(tmp_path, text).count("environment variable `GIVEN` is not set") == 1
    assert _refused(tmp_path, text, {"GIVEN": "a\nb"}).count("`GIVEN` has a line break") == 1


def test_rules_take_nothing_from_the_environment(tmp_path: Path) -> None:
    rules = "licenseRelease:\n  licenseType: {analyzer: {enable: true, releaseThresholdDays: '${DAYS}'}}\n"
    text = f"configQRS: {{host: localhost}}\n{rules}"
    (tmp_path / "site.yaml").write_text(text)
    with pytest.raises(PolicyError) as raised:
        load_settings(tmp_path / "site.yaml", {"DAYS": "30"}, default_folder=tmp_path)
    assert "must be a number" in raised.value.diagnostics[0].message


def test_a_part_of_a_path(tmp_path: Path) -> None:
    text = SITE.format(**PLAIN).replace("policy: license.policy", "policy: ${WHERE}/${WHAT}.policy")
    environment = {"WHERE": str(tmp_path), "WHAT": "license"}
    assert _load(tmp_path, text, environment).policy_file == tmp_path / "license.policy"
    assert policy_file(tmp_path / "site.yaml", environment) == tmp_path / "license.policy"
    assert "`WHAT` is not set" in _refused(tmp_path, text, {"WHERE": str(tmp_path)})


# Files ---------------------------------------------------------------------------------------------------


def test_every_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    settings = _load(tmp_path, SECRETS, _secrets(tmp_path))
    site, (hook,) = settings.site, settings.notifications.webhooks
    assert site.headers == {"X-Qlik-User": "UserDirectory=INTERNAL; UserId=sa_api"}
    assert (site.passphrase, site.key) == ("pass phrase", tmp_path / "credentials" / "client_key.pem")
    assert settings.influx is not None
    assert settings.influx.token == "t0ken"
    assert settings.alarms.proxy.https == "http://me:word@proxy.example.com:8080"
    assert settings.pseudonym_key == PseudonymKey(b"0123456789abcdef")
    assert (hook.url, hook.secret) == ("https://hooks.example.com/PATH", "signed")
    assert {"pass phrase", "t0ken", "signed", "https://hooks.example.com/PATH"} <= set(settings.secrets)
    # A service picks up a secret that is exchanged.
    there = {tmp_path / name for name in FILES if name != "credentials/pseudonyms"}
    assert set(settings.secret_files) == there
    assert there < set(settings.files)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("token", b"", "is empty"),
        ("token", b"\r\n", "is empty"),
        ("token", b"two\nlines", "has a line break within"),
        ("token", b"\xff\xfea", "is not text in UTF-8"),
        ("token", b"x" * 65_537, "is longer than a secret can be"),
        ("token", None, "cannot be read"),
        ("user", "Łukasz".encode(), "`value` has letters that no header can carry"),
        ("hook", b"HIDDEN", "`url` is not a web address"),
    ],
)
def test_a_file_without_a_secret(tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
    environment = _secrets(tmp_path)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    found = _refused(tmp_path, SECRETS, environment)
    assert said in found.replace("notifications.webhook.url", "url")
    assert f"file `{tmp_path / name}`" in found
    assert found.count("error[SW205]") == 1
    assert "HIDDEN" not in found


def test_a_folder_and_a_path_that_cannot_be(tmp_path: Path) -> None:
    environment = _secrets(tmp_path)
    assert "cannot be read" in _refused(tmp_path, SECRETS, environment | {"TOKEN_FILE": "credentials"})
    text = SECRETS.replace("file: ${TOKEN_FILE}", r'file: "a\0b"')
    assert "cannot be read" in _refused(tmp_path, text, environment)


def test_what_only_looks_like_a_file(tmp_path: Path) -> None:
    """Taken as it stands it would be a wrong secret that nobody notices."""
    text = SECRETS.replace("{file: secret}", "file:secret")
    found = _refused(tmp_path, text, _secrets(tmp_path))
    assert "`secret` begins with `file:`" in found
    assert "file:secret" not in found
    assert "write `file: PATH` on a line of its own" in found


def test_more_than_a_file_is_no_text(tmp_path: Path) -> None:
    text = SECRETS.replace("{file: secret}", "{file: secret, mode: HIDDEN}")
    found = _refused(tmp_path, text, _secrets(tmp_path))
    assert "`secret` must be text" in found
    assert "HIDDEN" not in found
