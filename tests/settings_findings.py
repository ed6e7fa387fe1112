"""What the readers of settings say of wrong files: right files, everything that can be wrong in them, and the findings.

`tests/data/settings-findings.jsonl.gz` holds what is said of a sample. To record it anew, because a finding was meant
to change: python -m tests.settings_findings
"""

import gzip
import json
import tempfile
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from seatwarden.engine.common.files import write_atomically
from seatwarden.engine.site.notifications import load_notifications
from seatwarden.engine.site.ours import policy_file
from seatwarden.engine.site.settings import load_settings
from seatwarden.policy.butler.front_end import parse_butler
from seatwarden.policy.diagnostics import render
from seatwarden.policy.errors import InputError, PolicyError
from seatwarden.policy.json_form.writer import policy_to_json
from seatwarden.policy.loading import parse_surface
from seatwarden.policy.testing.test_file import load_policy_test
from tests.paths import DATA, EXAMPLES

RECORDED = DATA / "settings-findings.jsonl.gz"
EVERY = 131
"""Of so many mutations one is in the sample; a prime, so that all kinds of them are."""
ENVIRONMENT = {"SECRET": "s3cret", "BROKEN": "a\nb", "NON_ASCII": "pässword"}
POLICY = 'keep "a" when user.tags = "x"\nrelease analyzer when unused for 30 days\n'

_TAG = {"static": [{"name": "a", "value": "b"}]}
_DESTINATION = {"influxDb": {"enable": True, "tag": _TAG}}
_SWITCHES = {"enable": False, "sendRecurring": {"enable": True}, "sendAlert": {"enable": True}}
_RELEASE: dict[str, Any] = {
    "enable": True,
    "frequency": "every 24 hours",
    "dryRun": True,
    "neverRelease": {
        "user": [{"userDir": "A", "userId": "b"}, {"userDir": "A\\B", "userId": "c"}],
        "tag": ["x"],
        "customProperty": [{"name": "a", "value": "b"}],
        "userDirectory": ["INTERNAL"],
        "inactive": "Ignore",
        "blocked": "Yes",
        "removedExternally": "No",
        "when": [{"name": "a", "when": "user.inactive", "until": "2027-02-28", "licenseType": ["analyzer"]}],
    },
    "licenseType": {
        "analyzer": {
            "enable": True,
            "releaseThresholdDays": 30,
            "neverUsed": "keep",
            "when": "user.blocked",
            "notice": {"days": 14, "reminderDays": 3},
        },
        "professional": {"enable": False, "releaseThresholdDays": 0},
    },
    "destination": _DESTINATION,
    "timezone": "Europe/Stockholm",
    "limit": ["10% of analyzer per run", 5],
    "let": {"admins": ["ann", "bob"], "one": 1},
    "set": {"vips": "vips.txt"},
}
_LICENSES = {
    "serverLicenseMonitor": {
        "enable": False,
        "frequency": "every 24 hours",
        "alert": {"thresholdDays": 60},
        "destination": {**_DESTINATION, "mqtt": _SWITCHES, "webhook": _SWITCHES},
    },
    "licenseMonitor": {"enable": False, "frequency": "every 6 hours", "destination": _DESTINATION},
    "licenseRelease": _RELEASE,
}
_QRS = {
    "authentication": "certificates",
    "host": "qlik.example.com",
    "port": 4242,
    "useSSL": True,
    "headers": {"static": [{"name": "X-Qlik-User", "value": "UserDirectory=INTERNAL;UserId=sa_api"}]},
    "rejectUnauthorized": True,
}
_CERT = {"clientCert": "c.pem", "clientCertKey": "k.pem", "clientCertCA": "r.pem", "clientCertPassphrase": "${SECRET}"}
_V1: dict[str, Any] = {
    "auth": {"enable": True, "username": "ann", "password": "${SECRET}"},
    "dbName": "butler",
    "retentionPolicy": {"name": "10d", "duration": "10d"},
}
_V2 = {"org": "o", "bucket": "b", "token": "HIDDEN", "description": "d"}
_V3 = {"database": "d", "token": "${SECRET}", "writeTimeout": 5}
_INFLUX: dict[str, Any] = {
    "enable": True,
    "hostIP": "influxdb.example.com",
    "hostPort": 8086,
    "version": 1,
    "v1Config": _V1,
    "v2Config": _V2,
    "v3Config": _V3,
    "tag": _TAG,
    "useSSL": True,
    "caFile": "ca.pem",
    "rejectUnauthorized": True,
}
_WEBHOOK = {
    "url": "https://hooks.example.com/HIDDEN",
    "secret": "${SECRET}",
    "security": "tls",
    "certificateAuthority": "ca.pem",
    "events": ["limit-hit", "run-failed"],
    "people": True,
}
_EMAIL = {
    "host": "smtp.example.com",
    "port": 587,
    "security": "starttls",
    "user": "ann",
    "password": "HIDDEN",
    "from": "Seatwarden <a@b.example>",
    "to": ["c@d.example"],
    "certificateAuthority": "ca.pem",
    "events": ["limit-hit"],
    "people": False,
}
_NOTICE = {
    "channel": "email",
    "email": {key: value for key, value in _EMAIL.items() if key not in ("to", "events", "people")},
    "webhook": {"url": "https://hooks.example.com/HIDDEN", "secret": "${SECRET}", "security": "tls"},
    "address": "user.attributes.mail",
    "manager": "user.@Manager",
    "fallback": "c@d.example",
    "redirectTo": "e@f.example",
    "language": "user.attributes.language",
    "defaultLanguage": "de",
    "maxMessagesPerRun": 50,
    "contact": "IT, 4711",
    "hub": "https://qlik.example.com/hub",
}
_OURS = {
    "policy": "p.policy",
    "folder": "state",
    "pseudonyms": "people.key",
    "parallel": 8,
    "log": {"file": "s.log", "format": "json", "level": "warning", "megabytes": 2, "files": 3},
    "http": {"port": 9464},
    "heartbeat": 5,
    "notifications": {"webhook": [_WEBHOOK], "email": [_EMAIL]},
    "notice": _NOTICE,
}
_HOST = {"configQRS": {"host": "qlik.example.com"}}
_NAMED = {"seatwarden": {"policy": "p.policy"}}
_RULES = {"licenseType": {"analyzer": {"enable": True, "releaseThresholdDays": 30}}}

SITES: dict[str, Any] = {
    "certificates": {"configQRS": _QRS, "cert": _CERT, **_NAMED},
    "jwt": {
        "configQRS": {"authentication": "jwt", "host": "qlik", "virtualProxy": "a/b", "jwt": "HIDDEN"},
        "licenseRelease": _RULES,
    },
    "header": {
        "configQRS": {"authentication": "header", "host": "q", "headers": {"X-User": "HIDDEN"}, "virtualProxy": "/a/"},
        "licenseRelease": _RULES,
    },
    "old headers": {
        "Butler": {**_HOST, "configQRS": {"host": "q", "headerKey": "X-U", "headerValue": "HIDDEN"}},
        **_NAMED,
    },
    "list of headers": {
        "configQRS": {"host": "q", "headers": [{"name": "X-U", "value": "${SECRET}"}]},
        **_NAMED,
    },
    "ours": {**_HOST, "seatwarden": _OURS},
    "influxdb 1": {**_HOST, "influxDb": _INFLUX, **_NAMED},
    "influxdb old": {
        **_HOST,
        "influxDb": {"enable": True, "hostIP": "a", **_V1, "reloadTaskFailure": {"enable": True}},
        **_NAMED,
    },
    "influxdb 2": {**_HOST, "influxDb": {"enable": True, "version": 2, "v2Config": _V2}, **_NAMED},
    "influxdb 3": {**_HOST, "influxDb": {"enable": True, "version": 3, "v3Config": _V3}, **_NAMED},
    "influxdb off": {**_HOST, "influxDb": {**_INFLUX, "enable": False}, **_NAMED},
    "plain mail": {
        **_HOST,
        "seatwarden": {
            "policy": "p.policy",
            "notifications": {
                "webhook": [{"url": "http://a.example/HIDDEN", "security": "none"}],
                "email": [{"host": "localhost", "security": "none", "from": "a@b.example", "to": ["c@d.example"]}],
            },
        },
    },
    "butler": {
        "Butler": {**_HOST, "influxDb": {"enable": False}, "qlikSenseLicense": _LICENSES},
        "seatwarden": {"parallel": 2},
    },
    "butler elsewhere": {
        "Butler": {**_HOST, "qlikSenseLicense": {"licenseRelease": _RULES}},
        "seatwarden": {"policy": "p.policy", "parallel": 2},
    },
    "bare": {**_HOST, "licenseRelease": {**_RULES, "dryRun": True, "frequency": "every 6 hours", "timezone": "UTC"}},
    "block": {"qlikSenseLicense": {**_LICENSES, "licenseRelease": {**_RULES, "enable": True, "dryRun": True}}},
    "rules": _RELEASE,
}
TESTS: dict[str, Any] = {
    "cases": {
        "policy": "p.policy",
        "timezone": "Europe/Stockholm",
        "now": "2026-11-21",
        "cases": [
            {
                "name": "one",
                "user": {"userDirectory": "A", "userId": "b", "tags": ["x"], "properties": {"a": "b"}},
                "license": {"type": "analyzer", "lastUsed": "2026-01-01"},
                "now": "2026-11-22T02:00:00Z",
                "verdict": "keep",
                "because": "keep",
                "rule": "a",
                "rules": ["a", "release analyzer"],
            },
            {"name": "two", "license": "analyzer", "verdict": "keep", "user": "A\\b"},
        ],
    },
    "snapshot": {
        "policy": "p.policy",
        "snapshot": "site.json",
        "exhaustive": True,
        "expect": [
            {"user": "A\\b", "license": "analyzer", "verdict": "keep", "rule": "quarantined"},
            {"licenseId": "1", "verdict": "release"},
        ],
    },
}

_VALUES: tuple[Any, ...] = (
    None, True, 5, 0.5, -1, 0, 70_000, 10**10, "text", "", "5", "a\nb", " YES ", "ü ü", "http://x/HIDDEN", "${NONE}",
    "${BROKEN}", "${NON_ASCII}", "a ${SECRET}", "a\0b", [], [None], ["x"], {}, {"x": 1},
)  # fmt: skip


def mutations(data: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """A right document, then with one thing changed, added or taken away, each under a label, made when called."""
    yield "right", partial(deepcopy, data)
    for path in _places(data):
        label = ".".join(map(str, path))
        if isinstance(_at(data, path), dict):
            yield f"{label} +x", partial(_changed, data, path, lambda at: at | {"x": "HIDDEN"})
        if not path:
            continue
        above, key = path[:-1], path[-1]
        yield f"{label} deleted", partial(_changed, data, above, partial(_without, key=key))
        if isinstance(key, str):
            for name in (f"{key}s", key[1:], "tokne"):
                yield f"{label} called {name}", partial(_changed, data, above, partial(_renamed, key=key, name=name))
        for value in _VALUES:
            yield f"{label} = {json.dumps(value)}", partial(_changed, data, path, partial(_replaced, value=value))


def cases(every: int = 1) -> Iterator[tuple[str, str, str]]:
    """Labels, the name of the file, and its text: of all of them, or of each so many-th."""
    policy = policy_to_json(parse_surface((EXAMPLES / "season.policy").read_text(encoding="utf-8"), "season.policy"))
    documents = [(name, "site.yaml", site) for name, site in SITES.items()]
    documents += [(f"test of {name}", "p.test.yaml", test) for name, test in TESTS.items()]
    documents.append(("JSON form", "p.json", policy))
    found = ((name, file, *case) for name, file, data in documents for case in mutations(data))
    for name, file, label, make in islice(found, 0, None, every):
        data = make()
        yield f"{name}: {label}", file, json.dumps(data, indent=1) if file == "p.json" else yaml_of(data)


def said_of(file: str, text: str, folder: Path) -> str:
    """All that is said of a file, by all who read it, each time with the lines that people are shown."""
    path = folder / file
    path.write_text(text, encoding="utf-8")
    match file:
        case "p.json":
            readers: tuple[Callable[[], object], ...] = (lambda: parse_surface(text, file),)
        case "p.test.yaml":
            readers = (lambda: load_policy_test(path),)
        case _:
            readers = (
                lambda: load_settings(path, ENVIRONMENT, default_folder=folder, scheduled=True),
                lambda: load_notifications(path, ENVIRONMENT),
                lambda: policy_file(path),
                lambda: parse_butler(text, file),
            )
    said = list(dict.fromkeys(map(_said, readers)))
    return "\n\n".join(said).replace(str(folder), "FOLDER")


def prepare(folder: Path) -> None:
    """The files that the right documents name."""
    (folder / "p.policy").write_text(POLICY, encoding="utf-8")
    (folder / "ca.pem").write_text("", encoding="utf-8")
    (folder / "vips.txt").write_text("A\\b\n", encoding="utf-8")
    write_atomically(folder / "people.key", b"k" * 32)


def record() -> None:
    """Write down what is said of the sample now."""
    with tempfile.TemporaryDirectory() as name, RECORDED.open("wb") as out:
        folder = Path(name)
        prepare(folder)
        sample = [(label, said_of(file, text, folder)) for label, file, text in cases(EVERY)]
        lines = "".join(json.dumps(case, ensure_ascii=False) + "\n" for case in sample)
        out.write(gzip.compress(lines.encode(), mtime=0))


def yaml_of(data: Any, indent: int = 0) -> str:
    """Data as YAML, a key a line, so that every finding has a line of its own."""
    pad = "\n" + "  " * indent
    match data:
        case dict() if data:
            return pad + pad.join(f"{key}: {yaml_of(value, indent + 1)}" for key, value in data.items())
        case list() if data:
            return pad + pad.join(f"- {yaml_of(item, indent + 1)}" for item in data)
        case _:
            return json.dumps(data, ensure_ascii=False)


def _said(read: Callable[[], object]) -> str:
    try:
        read()
    except PolicyError as error:
        return "\n".join(render(finding, error.sources) for finding in error.diagnostics)
    except InputError as error:
        return f"{error.message} ({error.help})"
    return "right"


def _places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inner:
        yield from _places(value, (*path, key))


def _at(data: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        data = data[key]
    return data


def _changed(data: Any, path: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    """A copy in which what stands at a place is another thing."""
    if not path:
        return change(deepcopy(data))
    copied = deepcopy(data)
    above = _at(copied, path[:-1])
    above[path[-1]] = change(above[path[-1]])
    return copied


def _replaced(_: Any, value: Any) -> Any:
    return value


def _without(data: Any, key: Any) -> Any:
    del data[key]
    return data


def _renamed(data: Any, key: str, name: str) -> Any:
    return {name if other == key else other: value for other, value in data.items()}


if __name__ == "__main__":
    record()
