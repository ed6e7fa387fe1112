"""One rule for what no line and no message shows: what may be a secret, told by the text alone.

A file that cannot be read has no structure to go by; so this looks at keys, at what stands deeper than a secret's key,
and at a user and password in an address.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from msgspec.structs import replace

from seatwarden.grammar.suggest import nearest
from seatwarden.policy.diagnostics import Diagnostic

SECRETS = (
    "password", "clientCertPassphrase", "secret", "token", "jwt", "url", "webhookURL", "remoteURL", "proxy",
    "headerValue",
)  # fmt: skip
"""Keys of site files whose values are secrets; so is `value` among headers."""
_NEAR = (*SECRETS, "headers")
"""The same, and the key that has secrets below it."""
_ENDS = ("password", "passphrase", "secret", "token", "jwt", "url", "headervalue", "headerkey", "headers")
_PLAIN = ("cert", "clientCert", "clientCertCA", "clientCertKey", "set", "security", "user", "userDir", "userId")
"""Keys that are like one of a secret, and have none."""
_OF_A_SITE = re.compile(
    r"configQRS|cert\b|influxDb|seatwarden[\"']?\s*:\s*(?!\d)|notifications|webhook|remoteURL|mqttConfig|proxy|password|passphrase|secret|token|jwt|header",
    re.IGNORECASE,
)
"""What no policy has; its JSON form has `seatwarden` with a number."""
_KEY = re.compile(r"""(?:^|[\s{,?-])["']?(?P<key>[\w-]+)["']?[ \t]*:(?!//)""")
_FIRST = re.compile(r"""[\s\-?{]*["']?(?P<key>[\w-]+)["']?""")
_LOGIN = re.compile(r"""[^\s"'/@:\[{,]+:[^\s"'@]+(?=@)""")
_WORD = re.compile(r"[^\s\"'`\[\]{},:]{3,}")
_QUOTED = re.compile(r"`[^`]*`|'[^']*'|\"[^\"]*\"")


def is_site(text: str) -> bool:
    """Whether a text may be a site file, or have sections of one in it."""
    return _OF_A_SITE.search(text) is not None


def masked(text: str, values: bool = True) -> str:
    """A text with dots for what may be a secret in it, each character in its place.

    Where the file cannot be read, all `values` that may be one are: under `value` too, and under a mistyped key.
    """
    lines, within, quote = [], -1, ""
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip(" \t-"))
        if within >= 0 and indent <= within and not quote and _KEY.search(line):
            within = -1  # a line without a key is the rest of the value above it, wherever it stands
        start = 0 if within >= 0 else _start(line, values)
        if start is not None:
            within = indent if within < 0 else within
            quote = _left_open(line[start:], quote)
            line = line[:start] + _dots(line[start:])
        lines.append(line)
    return without_logins("\n".join(lines))


def shown_source(text: str) -> str:
    """The text of a policy in YAML as findings may quote it: a site file, or Butler's, has secrets beside the rules."""
    return masked(text, values=False) if is_site(text) else text


def without_logins(text: str) -> str:
    """A text with dots for each user and password before an `@`."""
    return _LOGIN.sub(lambda match: _dots(match[0]), text) if "@" in text else text


def masked_findings(findings: Iterable[Diagnostic], text: str, shown: str) -> tuple[Diagnostic, ...]:
    """Findings that repeat nothing of what is masked in the shown text: parsers quote what they do not understand."""
    pairs = [pair for pair in zip(text.split("\n"), shown.split("\n"), strict=True) if pair[0] != pair[1]]
    words = [(match[0], other[match.start() : match.end()]) for line, other in pairs for match in _WORD.finditer(line)]
    hidden = {word for word, seen in words if word != seen}
    return tuple(_without(finding, hidden) for finding in findings) if hidden else tuple(findings)


def _without(finding: Diagnostic, hidden: set[str]) -> Diagnostic:
    def clean(said: str) -> str:
        return _QUOTED.sub(lambda match: match[0][0] + "…" + match[0][-1] if _has(match[0], hidden) else match[0], said)

    help_ = clean(finding.help) if finding.help else None
    return replace(finding, message=clean(finding.message), label=clean(finding.label), help=help_)


def _has(quoted: str, hidden: set[str]) -> bool:
    return any(word in other or other in word for word in _WORD.findall(quoted[1:-1]) for other in hidden)


def _start(line: str, values: bool) -> int | None:
    """Where in a line what may be a secret begins; None where nothing is. A key may lack its colon."""
    if line.lstrip().startswith("#"):
        return None
    found = next((match for match in _KEY.finditer(line) if _is_secret(match["key"], values)), None)
    if found is None and ":" not in line:
        first = _FIRST.match(line)
        found = first if first and _is_secret(first["key"], values) else None
    return found.end() if found else None


def _left_open(written: str, quote: str) -> str:
    """The quote that is open behind a value, which goes on below then."""
    for character in written:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
    return quote


@lru_cache(maxsize=4096)
def _is_secret(key: str, values: bool) -> bool:
    if key.lower() == "value" or key in _PLAIN:
        return values and key not in _PLAIN
    return key.lower().endswith(_ENDS) or (values and nearest(key, _NEAR) is not None)


def _dots(text: str) -> str:
    return re.sub(r"\S", "•", text)
