"""What stands under `seatwarden` in a site file: the table of all settings there, and reading some of them alone.

Who asks for some of them, as a plan does, does not wait for what reads Butler's sections.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from seatwarden.engine.site.capacity import CAPACITY, Capacity
from seatwarden.engine.site.history import HISTORY, HistorySettings
from seatwarden.engine.site.notice import NOTICE
from seatwarden.engine.site.notifications import NOTIFICATIONS, Notifications
from seatwarden.engine.site.paths import FIXED_PATH, PATH
from seatwarden.engine.site.pool import LICENSE_POOL
from seatwarden.engine.site.proxy import NO_PROXY, PROXY, Proxy
from seatwarden.engine.site.pseudonyms import PSEUDONYMS
from seatwarden.engine.site.retention import LEAST_DAYS, RETENTION
from seatwarden.engine.site.signing import APPROVALS, SIGNING
from seatwarden.grammar.suggest import did_you_mean
from seatwarden.policy.butler.sections import inner, our_section
from seatwarden.policy.codes import FOUND_IN_PLANS
from seatwarden.policy.diagnostics import in_order
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.file_kinds import (
    BUTLER,
    CERTIFICATE,
    KEY,
    PFX,
    POLICY,
    PRIVATE_KEY,
    RULES,
    SITE,
    TEST,
    kind_of,
)
from seatwarden.policy.files import read_text
from seatwarden.policy.yaml.kinds import SWITCH, between, list_of, map_of, one_of
from seatwarden.policy.yaml.nodes import Entry
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.secrets import read_site_yaml
from seatwarden.policy.yaml.settings import Kind, Section, Setting, need

MASS_CHANGE_PERCENT = 20
"""Of the users, for more of whom a fact changes when something upstream has gone wrong."""

LogFormat = Literal["text", "json"]
Level = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class LogSettings:
    """The way of log lines; `file` None is the console."""

    file: Path | None = None
    format: LogFormat = "text"
    level: Level = "info"
    megabytes: int = 10
    files: int = 5


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """The port that the service answers on, and whether it shows the reports of runs there, which name people."""

    port: int
    reports: bool


def policy_file(file: Path, environment: Mapping[str, str] | None = None) -> Path:
    """The policy that a site file names under `seatwarden`; the file itself where it names none.

    Raises InputError when it cannot be read, PolicyError when what it says is no name.
    """
    (policy,) = read_ours(file, "policy", environment=environment)
    return policy or file


def read_ours(file: Path, *keys: str, environment: Mapping[str, str] | None = None) -> tuple[Any, ...]:
    """Some settings that stand under `seatwarden`, alone: what else stands there is not needed for them.

    Raises InputError when the file cannot be read, PolicyError when what it says of them is wrong.
    """
    text = read_text(file, "site file")
    reader = YamlReader(environment, file.parent)
    ours = our_section(read_site_yaml(text, str(file)))
    found = []
    for setting in (setting for key in keys for setting in OURS.settings if setting.key == key):
        entry = inner(ours, setting.key)
        value = setting.kind.read(reader, entry, setting.key) if entry else None
        found.append(setting.default if value is None else value)
    if reader.findings:
        raise PolicyError(in_order(reader.findings), {str(file): reader.concealed(text)})
    return tuple(found)


# Kinds of settings ---------------------------------------------------------------------------------------


def _code(reader: YamlReader, entry: Entry, what: str) -> str | None:
    """The code of a finding that plans have."""
    code = reader.text(entry.value, what)
    if code is None or code.upper() in FOUND_IN_PLANS:
        return code.upper() if code else None
    help_ = did_you_mean(code.upper(), FOUND_IN_PLANS) or f"these can: {', '.join(FOUND_IN_PLANS)}"
    reader.error("SW205", f"`{code}` is no finding that a plan can have", entry.value.span, "stops nothing", help_)
    return None


# The tables ----------------------------------------------------------------------------------------------

_PLAIN = LogSettings()
_NO_LOGS = (POLICY, BUTLER, RULES, SITE, TEST, KEY, CERTIFICATE, PRIVATE_KEY, PFX)
LOG_PATH = FIXED_PATH.must(
    lambda path: kind_of(path) not in _NO_LOGS, "`{what}` is a file of another kind", "no log", "name another file"
)
"""A file that lines are added to."""
LOG = Section(
    (
        Setting("file", LOG_PATH, "the log", without="stderr"),
        Setting("format", one_of(get_args(LogFormat)), "how a line is written", _PLAIN.format),
        Setting("level", one_of(get_args(Level)), "the least that is logged", _PLAIN.level),
        Setting("megabytes", between(1, 10_000, "megabytes"), "at what size a new file is begun", _PLAIN.megabytes),
        Setting("files", between(1, 1_000, "files"), "how many old ones are kept", _PLAIN.files),
    )
)
HTTP = Section(
    (
        need("port", between(1, 65_535), "the port of the status page, `/health` and `/metrics` on 127.0.0.1"),
        Setting("reports", SWITCH, "the status page shows reports, to every account of this machine", False),
    )
)
OURS = Section(
    (
        Setting("policy", PATH, "the policy file", without="the rules in this file"),
        Setting(
            "folder",
            FIXED_PATH,
            "runs, heartbeat, points that wait for InfluxDB",
            without="a folder for each site in the user's state folder",
        ),
        Setting(
            "pseudonyms",
            PSEUDONYMS,
            "a key file, or a map: runs, log and metrics name nobody",
            without="people are named",
        ),
        Setting(
            "stopOn",
            list_of(Kind(_code, {"type": "string", "enum": list(FOUND_IN_PLANS)}, "codes of findings")),
            "findings in a plan that stop a run, such as `[SW402, SW405]`",
            (),
            without="no finding stops a run",
        ),
        Setting(
            "massChange",
            between(1, 100, "percent"),
            "percent of the users from which on a fact that changes for them stops a run",
            MASS_CHANGE_PERCENT,
        ),
        Setting(
            "retention",
            RETENTION,
            f"how long runs are kept, in days, such as `400d`; at least {LEAST_DAYS}",
            without="for ever",
        ),
        Setting("parallel", between(1, 16, "licenses"), "licenses released at a time", 4),
        Setting("keepSnapshot", SWITCH, "each run keeps the snapshot, packed, so that any policy can be asked", False),
        Setting("history", HISTORY, "see [history](history.md)", HistorySettings()),
        Setting("capacity", CAPACITY, "see [monitoring](monitoring.md#when-licenses-run-out)", Capacity()),
        Setting("log", map_of(LOG, lambda values: LogSettings(**values.by_key)), default=_PLAIN),
        Setting("http", map_of(HTTP, lambda values: HttpSettings(**values.by_key)), without="no port is opened"),
        Setting("proxy", PROXY, "the proxy for webhooks, the heartbeat, InfluxDB and MQTT", Proxy(), without="none"),
        Setting("noProxy", NO_PROXY, "hosts that are reached without, and all below a name; `*` is all", ()),
        Setting("heartbeat", between(1, 86_400, "seconds"), "seconds between two heartbeats", 60),
        Setting(
            "notifications",
            NOTIFICATIONS,
            "see [notifications](notifications.md)",
            Notifications(),
            without="nobody is notified",
        ),
        Setting("notice", NOTICE, "see [messages before a release](notice.md)", without="nobody is told"),
        Setting(
            "licensePool",
            LICENSE_POOL,
            "the name of a [pool](fleet.md#one-key-for-several-sites): all its sites are on one signed license key",
            without="the site has a key of its own",
        ),
        Setting("signing", SIGNING, "see [signatures](approval.md#signatures)", without="plans need no signature"),
        Setting("approvals", APPROVALS, "see [approval](approval.md)", without="plans need no approval"),
    )
)
