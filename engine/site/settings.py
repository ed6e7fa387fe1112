"""Everything a site file says: how to reach the site, what runs when, and where numbers, messages and logs go.

Butler's own sections are read as they are. Ours stand under `seatwarden` at the top of the file:

    seatwarden:
      policy: license.policy     # the policy, when it is not in this file
      folder: /var/lib/seatwarden  # plans, outcomes and what waits to be sent
      pseudonyms: people.key     # plans, outcomes and numbers name nobody, under this key
      parallel: 4                # licenses released at a time
      log: {file: seatwarden.log, format: json, level: info, megabytes: 10, files: 5}
      http: {port: 9464}         # /health and /metrics, on this machine only
      heartbeat: 60              # seconds
      notifications: …           # see seatwarden.engine.site.notifications
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from seatwarden.engine.common.key_file import read_key
from seatwarden.engine.site.connection import Site, SiteReader
from seatwarden.engine.site.influxdb import InfluxTarget, read_influxdb
from seatwarden.engine.site.notifications import Notifications, read_notifications
from seatwarden.grammar.spans import NOWHERE, Span
from seatwarden.grammar.suggest import nearest
from seatwarden.policy.butler.jobs import (
    LICENSE_BLOCKS,
    RELEASE_KEYS,
    Jobs,
    Tags,
    butler_sections,
    read_jobs,
    read_static_tags,
)
from seatwarden.policy.diagnostics import Diagnostic, in_order
from seatwarden.policy.errors import InputError, PolicyError
from seatwarden.policy.files import read_text
from seatwarden.policy.loading import CheckedPolicy, check_text, load_policy
from seatwarden.policy.yaml.nodes import Entry, Node, YamlMap
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.secrets import read_site_yaml

LogFormat = Literal["text", "json"]
Level = Literal["debug", "info", "warning", "error"]
_FORMATS, _LEVELS = ("text", "json"), ("debug", "info", "warning", "error")
_KEYS = ("policy", "folder", "pseudonyms", "parallel", "log", "http", "heartbeat", "notifications")
_LOG_KEYS = ("file", "format", "level", "megabytes", "files")
_MOST_PARALLEL = 16


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Where log lines go; `file` None is the console. At `megabytes` a new file is begun, `files` old ones are kept."""

    file: Path | None = None
    format: LogFormat = "text"
    level: Level = "info"
    megabytes: int = 10
    files: int = 5


@dataclass(frozen=True, slots=True)
class Settings:
    """A site file, whole and right. `folder` and the log's file are absolute, `file` and `policy_file` as given.

    `influx` is None when nothing is to be written there; `influx_off` then tells whether that is what the file says,
    or whether it says nothing of a database. `static_tags` are those of all points.
    `warnings` are findings that do not stop anything, and `sources` the texts that they are in; `notes` are warnings
    without a place.
    """

    file: Path
    site: Site
    jobs: Jobs
    influx: InfluxTarget | None
    influx_off: bool
    static_tags: Tags
    notifications: Notifications
    policy_file: Path
    policy: CheckedPolicy
    folder: Path
    pseudonym_key: bytes | None = field(repr=False)
    parallel: int
    log: LogSettings
    http_port: int | None
    heartbeat: int
    warnings: tuple[Diagnostic, ...]
    notes: tuple[str, ...]
    sources: Mapping[str, str]

    @property
    def dry_run(self) -> bool:
        """Whether a run stops after the plan: unless the file says `dryRun: false` and does not say `enable: false`."""
        return self.jobs.dry_run is not False or self.jobs.release.enabled is False

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may show."""
        return (*self.site.secrets, *(self.influx.secrets if self.influx else ()), *self.notifications.secrets)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that these settings were read from."""
        return tuple(dict.fromkeys((self.file, self.policy_file, *self.policy.list_files)))


def load_settings(
    file: Path,
    environment: Mapping[str, str],
    *,
    default_folder: Path,
    policy: Path | None = None,
    scheduled: bool = False,
    needs_policy: bool = True,
) -> Settings:
    """The settings in a site file; `environment` has the secrets that it takes from there.

    `policy` names another policy than the file does; in `default_folder` each site has a folder of its own, if the
    file does not say where. With `scheduled`, a job that is enabled must have a schedule. Without `needs_policy` a
    file that has no rules and names no policy is one that releases nothing.
    Raises InputError when a file cannot be read, PolicyError with every problem in all of them.
    """
    text = read_text(file, "site file")
    sources = {str(file): text}
    root = read_site_yaml(text, str(file))
    site_reader = SiteReader(file.parent, environment)
    site = site_reader.read(root)
    reader = _SettingsReader(file.parent, environment)
    jobs = read_jobs(reader, root)
    influx, static_tags = reader.read_influxdb(root)
    ours = reader.read(root)
    if scheduled:
        _need_schedules(reader, jobs)
    policy_file = policy or ours.policy or file
    if _is_same(policy_file, file):
        policy_file = file
    checked = None
    pseudonym_key = reader.pseudonym_key(ours.pseudonyms)
    findings = [*site_reader.findings, *reader.findings]
    try:
        ruled = needs_policy or policy_file != file or jobs.rules is not None
        checked = load_policy(policy_file) if ruled else check_text("", str(file))
    except PolicyError as error:
        # The rules and the schedules of one file have keys in common, whose problems were found twice.
        findings += [finding for finding in error.diagnostics if finding not in findings]
        sources = {**error.sources, **sources}
    except InputError as error:
        span = ours.policy_span if policy is None else None
        if span is None and not findings:
            raise
        findings.append(Diagnostic("SW207", "error", error.message, span or NOWHERE, "read from here", error.help))
    # No finding shows a secret that stands on its line.
    sources[str(file)] = reader.concealed(site_reader.concealed(text))
    if findings or site is None or checked is None:
        raise PolicyError(in_order(findings), sources)
    return Settings(
        file=file,
        site=site,
        jobs=jobs,
        influx=influx,
        influx_off=reader.influx_off,
        static_tags=static_tags,
        notifications=ours.notifications,
        policy_file=policy_file,
        policy=checked,
        folder=ours.folder or default_folder / site.slug,
        pseudonym_key=pseudonym_key,
        parallel=ours.parallel,
        log=ours.log,
        http_port=ours.http_port,
        heartbeat=ours.heartbeat,
        warnings=tuple(warning for job in jobs.all for warning in job.schedule_warnings()),
        notes=(*_notes(jobs, site, policy_file, file), *(influx.warnings if influx else ())),
        sources=sources,
    )


def policy_file(file: Path) -> Path:
    """The policy that a site file names under `seatwarden`; the file itself where it names none.

    Raises InputError when it cannot be read, PolicyError when what it says is no name.
    """
    text = read_text(file, "site file")
    reader = _SettingsReader(file.parent, {})
    policy = reader.read_policy(read_site_yaml(text, str(file)))
    if reader.findings:
        raise PolicyError(in_order(reader.findings), {str(file): reader.concealed(text)})
    return policy or file


def _need_schedules(reader: YamlReader, jobs: Jobs) -> None:
    for job in jobs.all:
        if job.place is not None and job.enabled and job.frequency is None and not job.malformed:
            help_ = "add `frequency`, like: every 24 hours"
            reader.error("SW206", "this is enabled, but has no schedule", job.place, "never done", help_)


def _notes(jobs: Jobs, site: Site, policy: Path, file: Path) -> list[str]:
    found = site.warnings
    if jobs.rules is not None and policy != file:
        found.append(f"the rules in `{file.name}` are not in force: the policy is `{policy.name}`")
    return found


def _is_same(one: Path, other: Path) -> bool:
    """Whether two paths are one file, which must not be shown under a name whose secrets are not concealed."""
    try:
        return one == other or one.samefile(other)
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class _Ours:
    policy: Path | None = None
    policy_span: Span | None = None
    folder: Path | None = None
    pseudonyms: Entry | None = None
    parallel: int = 4
    log: LogSettings = LogSettings()
    http_port: int | None = None
    heartbeat: int = 60
    notifications: Notifications = Notifications()


class _SettingsReader(YamlReader):
    """Reads the `seatwarden` map, and Butler's `influxDb` beside it."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        super().__init__()
        self._folder = folder
        self._environment = environment
        self.influx_off = False

    def read_influxdb(self, root: Node) -> tuple[InfluxTarget | None, Tags]:
        """The database, None when there is none or it is switched off, and the tags of all points."""
        top = butler_sections(root)
        entry = top.get("influxDb") if isinstance(top, YamlMap) else None
        if entry is None:
            return None, ()
        tag = entry.value.get("tag") if isinstance(entry.value, YamlMap) else None
        tags = read_static_tags(self, tag.value, "influxDb.tag") if tag else ()
        target = read_influxdb(self, entry.value, self._environment, self._folder)
        self.influx_off = target is None
        return target, tags

    def read_policy(self, root: Node) -> Path | None:
        """The policy alone; what else stands there may need the environment."""
        entry = root.get("seatwarden") if isinstance(root, YamlMap) else None
        return self.at(entry.value, "policy", self._path) if entry and isinstance(entry.value, YamlMap) else None

    def read(self, root: Node) -> _Ours:
        entry = root.get("seatwarden") if isinstance(root, YamlMap) else None
        self._find_misplaced(root)
        ours = self.mapping(entry.value, "seatwarden", known=_KEYS) if entry else None
        if ours is None:
            return _Ours()
        http, policy = ours.get("http"), ours.get("policy")
        server = self.mapping(http.value, "seatwarden.http", known=("port",), required=("port",)) if http else None
        return _Ours(
            policy=self.at(ours, "policy", self._path),
            policy_span=policy.value.span if policy else None,
            folder=self.at(ours, "folder", self._fixed_path),
            pseudonyms=ours.get("pseudonyms"),
            parallel=self.at(ours, "parallel", lambda e: self._between(e, "licenses", 1, _MOST_PARALLEL)) or 4,
            log=self.at(ours, "log", self._log) or LogSettings(),
            http_port=self.at(server, "port", lambda e: self._between(e, None, 1, 65_535)) if server else None,
            heartbeat=self.at(ours, "heartbeat", lambda e: self._between(e, "seconds", 1, 86_400)) or 60,
            notifications=self.at(ours, "notifications", self._notifications) or Notifications(),
        )

    def pseudonym_key(self, entry: Entry | None) -> bytes | None:
        """The key in the file that is named."""
        path = self._path(entry) if entry else None
        if entry is None or path is None:
            return None
        try:
            return read_key(path)
        except InputError as error:
            self.error("SW205", error.message, entry.value.span, "read from here", error.help)
            return None

    def _find_misplaced(self, root: Node) -> None:
        """Settings of ours that stand where nobody reads them."""
        sections = butler_sections(root)
        inner = sections.get("seatwarden") if sections is not root and isinstance(sections, YamlMap) else None
        if inner is not None:
            help_ = "move it to the left margin, beside `Butler`"
            self.error("SW203", "`seatwarden` does not belong to `Butler`", inner.key.span, "not read here", help_)
        if isinstance(sections, YamlMap):
            self._find_mistyped(sections, "the file" if sections is root else "Butler")
        for entry in root.entries if isinstance(root, YamlMap) and root.get("seatwarden") is None else ():
            if nearest(entry.key.text.lower(), ("seatwarden",)):
                help_ = "did you mean `seatwarden`?"
                self.error("SW203", f"unknown key `{entry.key.text}`", entry.key.span, "not a setting", help_)

    def _find_mistyped(self, sections: YamlMap, what: str) -> None:
        """Sections of Butler's that nobody would read. It has others of a like name, such as `qlikSenseVersion`."""
        self.near_misses(sections, what, ("influxDb",))
        inner = (*LICENSE_BLOCKS, *RELEASE_KEYS)
        others = [
            entry.key.text
            for entry in sections.entries
            if not isinstance(entry.value, YamlMap) or not any(entry.value.get(key) for key in inner)
        ]
        self.near_misses(sections, what, ("qlikSenseLicense", "licenseRelease"), others)

    def _notifications(self, entry: Entry) -> Notifications:
        return read_notifications(self, entry.value, self._environment, self._folder)

    def _log(self, entry: Entry) -> LogSettings | None:
        log = self.mapping(entry.value, "seatwarden.log", known=_LOG_KEYS)
        if log is None:
            return None
        plain = LogSettings()
        format_ = self.at(log, "format", lambda e: self.one_of(e.value, "seatwarden.log.format", _FORMATS))
        level = self.at(log, "level", lambda e: self.one_of(e.value, "seatwarden.log.level", _LEVELS))
        megabytes = self.at(log, "megabytes", lambda e: self._between(e, "megabytes", 1, 10_000))
        files = self.at(log, "files", lambda e: self._between(e, "files", 1, 1_000))
        return LogSettings(
            self.at(log, "file", self._fixed_path),
            cast(LogFormat, format_ or plain.format),
            cast(Level, level or plain.level),
            megabytes or plain.megabytes,
            files or plain.files,
        )

    def _path(self, entry: Entry) -> Path | None:
        text = self.text(entry.value, entry.key.text)
        if text is not None and (not text.strip() or "\0" in text):
            message, help_ = f"`{entry.key.text}` names no file", "write a path, or remove the key"
            self.error("SW205", message, entry.value.span, "no path", help_)
            return None
        return self._folder / text if text else None

    def _fixed_path(self, entry: Entry) -> Path | None:
        """A path that stays what it is wherever the process goes, and that people are told."""
        path = self._path(entry)
        return path.absolute() if path else None

    def _between(self, entry: Entry, unit: str | None, lowest: int, highest: int) -> int | None:
        number = self.whole(entry.value, entry.key.text, unit)
        if number is not None and not lowest <= number <= highest:
            message = f"`{entry.key.text}` is from {lowest} to {highest:,}"
            self.error("SW205", message, entry.value.span, "out of range")
            return None
        return number
