"""No command shows a secret of a site file that cannot be read, however it is spoiled and in whatever form."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.cli.conftest import Run
from tests.paths import EXAMPLES

pytestmark = pytest.mark.usefixtures("quick")
MARK = "HiddenWord"
SITE = """\
configQRS:
  host: localhost
  port: 4242
  authentication: jwt
  jwt: JWT
  headers:
    - name: X-Qlik-User
      value: VALUE
cert:
  clientCert: client.pem
  clientCertPassphrase: PASSPHRASE
influxDb:
  enable: true
  version: 2
  v2Config:
    org: o
    bucket: b
    token: TOKEN
webhookNotification:
  enable: true
  qlikSenseServerLicenseMonitor:
    webhooks:
      - webhookURL: https://hooks.example.com/CALLED
        httpMethod: POST
heartbeat:
  enable: true
  remoteURL: https://beat.example.com/BEATEN
mqttConfig:
  enable: true
  brokerHost: broker
  password: BROKERS
seatwarden:
  proxy: http://me:PROXIED@proxy.example.com:8080
  notifications:
    webhook:
      - url: https://hooks.example.com/ADDRESS
        secret: SECRET
    email:
      - host: smtp.example.com
        user: ann
        password: PASSWORD
        from: a@b.example
        to: [c@d.example]
"""
PLACES = (
    "JWT",
    "VALUE",
    "PASSPHRASE",
    "TOKEN",
    "ADDRESS",
    "SECRET",
    "PASSWORD",
    "CALLED",
    "BEATEN",
    "BROKERS",
    "PROXIED",
)


def _line(change: Callable[[str, str, str], str]) -> Callable[[str], str]:
    """A spoiled file, from the indentation, the key and the value of the line with the secret."""

    def spoil(text: str) -> str:
        lines = text.split("\n")
        at = next(number for number, line in enumerate(lines) if MARK in line)
        key, _, value = lines[at].partition(": ")
        bare = key.lstrip(" -")
        lines[at] = change(key[: len(key) - len(bare)], bare, value)
        return "\n".join(lines)

    return spoil


SPOILED: dict[str, Callable[[str], str]] = {
    "tab": _line(lambda indent, key, value: f"\t{key}: {value}"),
    "tab within": _line(lambda indent, key, value: f"{indent}{key}:\n\t{value}"),
    "quote": _line(lambda indent, key, value: f'{indent}{key}: "{value}'),
    "single quote": _line(lambda indent, key, value: f"{indent}{key}: '{value}"),
    "bracket": _line(lambda indent, key, value: f"{indent}{key}: [{value}"),
    "brace": _line(lambda indent, key, value: f"{indent}{key}: {{{value}: 1"),
    "twice": _line(lambda indent, key, value: f"{indent}{key}: {value}\n{indent.replace('-', ' ')}{key}: {value}"),
    "mistyped": _line(lambda indent, key, value: f"{indent}{key[:-2]}{key[-1]}{key[-2]}: {value}: x"),
    "indented": _line(lambda indent, key, value: f"{indent} {key}: {value}\n{indent.replace('-', ' ')}x: y"),
    "outdented": _line(lambda indent, key, value: f" {key}: {value}"),
    "list": _line(lambda indent, key, value: f"{indent}{key}:\n{indent.replace('-', ' ')}- {value}\n x"),
    "map": _line(lambda indent, key, value: f"{indent}{key}: {value}: {value}"),
    "no colon": _line(lambda indent, key, value: f"{indent}{key} {value}"),
    "colon": _line(lambda indent, key, value: f"{indent}{key}:{value}"),
    "tag": _line(lambda indent, key, value: f"{indent}{key}: !{value} x"),
    "tag behind": _line(lambda indent, key, value: f"{indent}{key}: !!int {value}"),
    "alias": _line(lambda indent, key, value: f"{indent}{key}: *{value}"),
    "anchor": _line(lambda indent, key, value: f"{indent}{key}: &{value} [*{value}]"),
    "sign": _line(lambda indent, key, value: f"{indent}{key}: @{value}"),
    "percent": _line(lambda indent, key, value: f"{indent}{key}: %{value}"),
    "escape": _line(lambda indent, key, value: f'{indent}{key}: "\\q{value}"'),
    "quote on two lines": _line(lambda indent, key, value: f'{indent}{key}: "x\n{value}: \\q"'),
    "block": _line(lambda indent, key, value: f"{indent}{key}: |\n{indent.replace('-', ' ')}    a\n  {value}\n{{"),
    "merged": _line(lambda indent, key, value: f"{indent}{key}: {{<<: {value}}}"),
    "no text": _line(lambda indent, key, value: f"{indent}{key}: [{value}]"),
    "flow": _line(lambda indent, key, value: f"{indent}x: {{a: b, {key}: {value}, c: [}}"),
    "quoted key": _line(lambda indent, key, value: f'{indent}"{key}" : {value}: x'),
    "question": _line(lambda indent, key, value: f"{indent}? {key}\n: {value}\n: {value}"),
    "rest at the margin": _line(lambda indent, key, value: f"{indent}{key}: 'x\n{value}\n' y"),
    "lines of Windows": lambda text: text.replace(MARK, f"[{MARK}").replace("\n", "\r\n"),
    "in Butler's frame": lambda text: "Butler:\n  " + text.replace(MARK, f"'{MARK}").replace("\n", "\n  "),
    "character": _line(lambda indent, key, value: f"{indent}{key}: {value}\x07"),
}


def _files() -> Iterator[tuple[str, str, str]]:
    for place in PLACES:
        text = SITE.replace(place, MARK)
        for name, spoil in SPOILED.items():
            yield place, name, spoil(text)
    for key in ("host: localhost", "host: smtp.example.com"):
        for login in (f"ann:{MARK}@qlik", f"https://ann:{MARK}@qlik/x", f"[ann:{MARK}@qlik", f'"ann:{MARK}@qlik'):
            yield key, login, SITE.replace(key, f"host: {login}")


FILES = list(_files())


@pytest.mark.parametrize("place", sorted({place for place, _, _ in FILES}))
def test_no_command_shows_it(run: Run, tmp_path: Path, place: str) -> None:
    site = tmp_path / "site.yaml"
    in_turn: tuple[tuple[object, ...], ...] = (
        *(("lint", site, "--format", form) for form in ("text", "github", "sarif")),
        ("convert", site, "--to", "policy"),
        ("plan", "--policy", EXAMPLES / "butler.yaml", "--site", site),
        ("run", "--site", site),
    )
    shown, refused, tried = [], 0, 0
    for number, (at, name, text) in enumerate(FILES):
        if at != place:
            continue
        site.write_text(text, encoding="utf-8")
        # As one file spoiled in one way meets all commands in some of the places, each meets some of them.
        for arguments in (
            ("lint", site, "--format", "json"),
            ("site", "check", "--site", site),
            in_turn[number % len(in_turn)],
        ):
            tried += 1
            ran = run(*arguments)
            refused += ran.code != 0 and bool(ran.err or ran.out)
            if MARK in ran.out + ran.err:
                shown.append((name, arguments[0], ran.out + ran.err))
    assert shown == []
    assert refused == tried > 0


@pytest.mark.parametrize(
    "rules",
    [
        "{analyzer: {enable: true, releaseThresholdDays: -1}}",
        "{analyzer: {enable: true, releaseThresholdDays: 0}}",
        "{analyzer: {enable: true, releaseThresholdDays: 30, when: user.tagz = 5}}",
        '{analyzer: {enable: true, releaseThresholdDays: 30, when: \'user.tags = ["a", "a"]\'}}',
    ],
)
@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_a_secret_on_the_line_of_a_rule(run: Run, tmp_path: Path, rules: str, form: str) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(f"{{licenseRelease: {{licenseType: {rules}}}, configQRS: {{host: q, jwt: {MARK}}}}}\n")
    ran = run("lint", site, "--format", form)
    assert "SW" in ran.out
    assert MARK not in ran.out + ran.err
