"""Everything a site file says: how to reach the site, what runs when, and where numbers, messages and logs go.

Butler's own sections are read as they are. Ours stand under `seatwarden` at the top of the file, see `ours`. What reads
Butler's is imported where it is used: a plan needs little of a site file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from seatwarden.engine.common.key_file import PseudonymKey
from seatwarden.engine.site.capacity import Capacity
from seatwarden.engine.site.connection import Site, read_site
from seatwarden.engine.site.history import HistorySettings
from seatwarden.engine.site.notice import NoticeSettings, completed, notice_notes
from seatwarden.engine.site.notifications import Notifications
from seatwarden.engine.site.ours import OURS, HttpSettings, LogSettings
from seatwarden.engine.site.pool import LicensePool
from seatwarden.engine.site.proxy import Proxy, with_exceptions
from seatwarden.engine.site.retention import keep_words
from seatwarden.engine.site.signing import Approvals, Signing, hours_words, key_names
from seatwarden.grammar.spans import NOWHERE
from seatwarden.grammar.suggest import nearest
from seatwarden.policy.butler.older import todays_form
from seatwarden.policy.butler.sections import (
    LICENSE_KEYS,
    butler_section,
    butler_sections,
    find_unread,
    our_section,
)
from seatwarden.policy.diagnostics import Diagnostic, in_order
from seatwarden.policy.errors import InputError, PolicyError
from seatwarden.policy.files import read_text
from seatwarden.policy.lint.allow import without_allowed
from seatwarden.policy.loading import CheckedPolicy, check_text, load_policy
from seatwarden.policy.yaml.nodes import Entry, Node, YamlMap
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.secrets import read_site_yaml
from seatwarden.policy.yaml.settings import Values

if TYPE_CHECKING:
    from seatwarden.engine.site.alarms import Alarms
    from seatwarden.engine.site.influxdb import InfluxTarget
    from seatwarden.policy.butler.jobs import Jobs, Tags

_SERVICE_LOG = "service.log"


@dataclass(frozen=True, slots=True)
class Settings:
    """A site file, whole and right. `folder` and the log's file are absolute, `file` and `policy_file` as given.

    `influx` is None when nothing is to be written there; `influx_off` then tells whether that is what the file says,
    or whether it says nothing of a database. `static_tags` are those of all points.
    `notice` is None where nobody is told before a release. `secret_files` are those that secrets were read from.
    `stop_on` are the codes of findings in a plan that stop a run, `mass_change` the percentage of the users from which
    on a change of a fact touches everybody, `retention` how long runs are kept (None: for ever). `signing` and
    `approvals` are None where plans need no signature, no approval. `warnings` are
    findings that do not stop anything, and `sources` the texts that they are in; `notes` are warnings without a place.
    """

    file: Path
    site: Site
    jobs: Jobs
    influx: InfluxTarget | None
    influx_off: bool
    static_tags: Tags
    notifications: Notifications
    notice: NoticeSettings | None
    alarms: Alarms
    policy_file: Path
    policy: CheckedPolicy
    folder: Path
    pseudonym_key: PseudonymKey | None
    stop_on: tuple[str, ...]
    mass_change: int
    retention: timedelta | None
    signing: Signing | None
    approvals: Approvals | None
    license_pool: LicensePool | None
    parallel: int
    keep_snapshot: bool
    history: HistorySettings
    capacity: Capacity
    log: LogSettings
    http: HttpSettings | None
    heartbeat: int
    warnings: tuple[Diagnostic, ...]
    notes: tuple[str, ...]
    sources: Mapping[str, str]
    secret_files: tuple[Path, ...] = ()

    @property
    def dry_run(self) -> bool:
        """Whether a run stops after the plan: unless the file says `dryRun: false` and does not say `enable: false`."""
        return self.jobs.dry_run is not False or self.jobs.release.enabled is False

    @property
    def keeps_history(self) -> bool:
        """Whether runs keep what they saw: not where people have pseudonyms, since what QRS sends names everybody."""
        return self.history.keep and self.pseudonym_key is None

    @property
    def http_port(self) -> int | None:
        """The port that the service answers on; None where it opens none."""
        return self.http.port if self.http else None

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that no message may show."""
        influx = self.influx.secrets if self.influx else ()
        notice = self.notice.secrets if self.notice else ()
        signing = (self.signing.passphrase,) if self.signing and self.signing.passphrase else ()
        return (*self.site.secrets, *influx, *self.notifications.secrets, *notice, *self.alarms.secrets, *signing)

    @property
    def service_log(self) -> Path:
        """The log of the Windows service: in the state folder where the site file names none."""
        return self.log.file or self.folder / _SERVICE_LOG

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that these settings were read from."""
        return tuple(dict.fromkeys((self.file, self.policy_file, *self.policy.list_files, *self.secret_files)))


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
    reader = YamlReader(environment, file.parent, strict=scheduled)
    root = todays_form(reader, read_site_yaml(text, str(file)))
    site, jobs, ours = read_site(reader, root), _jobs(reader, root, scheduled), _ours(reader, root)
    alarms, warnings = _alarms(reader, root, jobs, ours, scheduled)
    notice = completed(reader, ours.map.get("notice"), ours["notice"], ours["notifications"])
    influx, tags = _influxdb(reader, root, alarms.proxy)
    chosen = _chosen(policy or ours["policy"], file)
    sources = {str(file): reader.concealed(text)}  # no finding shows a secret that stands on its line
    ruled = needs_policy or chosen != file or jobs.rules is not None
    checked = _checked_policy(chosen, ruled, None if policy else ours.map.get("policy"), reader.findings, sources)
    _check_pool(reader, ours, checked)
    if reader.findings or site is None or checked is None:
        raise PolicyError(in_order(reader.findings), sources)
    return Settings(
        file=file,
        site=site,
        jobs=jobs,
        influx=influx,
        influx_off=influx is None and butler_section(root, "influxDb") is not None,
        static_tags=tags,
        notifications=replace(ours["notifications"], proxy=alarms.proxy),
        notice=replace(notice, proxy=alarms.proxy) if notice else None,
        alarms=alarms,
        policy_file=chosen,
        policy=checked,
        folder=ours["folder"] or default_folder / site.slug,
        **{field: ours[key] for field, key in _AS_THEY_ARE.items()},
        warnings=(*_warnings(reader, warnings, chosen == file, text, str(file)), *_policy_warnings(checked, file)),
        notes=(*_notes(jobs, site, influx, chosen, file), *alarms.notes, *_unasked(notice, checked)),
        sources=sources,
        secret_files=tuple(path for _, path in reader.secret_files),
    )


def _check_pool(reader: YamlReader, ours: Values, policy: CheckedPolicy | None) -> None:
    """In a pool nobody is downgraded: what is given at one site is taken from the free licenses of all of them."""
    pool, entry = ours["licensePool"], ours.map.get("licensePool")
    if pool is None or not pool.shares or pool.use_only or policy is None or not policy.downgrades or entry is None:
        return
    help_ = "write `release` in place of `downgrade`, or give the site a license key of its own"
    message = "the policy downgrades people, which is not done where sites share their licenses"
    reader.error("SW205", message, entry.value.span, "a pool of several sites", help_)


def faults_of_ours(file: Path, environment: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """What is wrong in our own section of a site file, for which runs refuse it. Raises InputError or PolicyError
    where it is no YAML."""
    reader = YamlReader(environment, file.parent)
    _ours(reader, todays_form(reader, read_site_yaml(read_text(file, "site file"), str(file))))
    return in_order(reader.findings)


POOL_DEMAND = "licensePool"
"""The name under which the register of runs remembers a site's pool."""


def demands_of(settings: Settings) -> dict[str, str]:
    """What a site file demands of runs, in words: what the register of runs notes when it changes."""
    return {
        "dryRun": str(settings.dry_run).lower(),
        "pseudonyms": "with a key" if settings.pseudonym_key else "people are named",
        "stopOn": ", ".join(settings.stop_on),
        "massChange": str(settings.mass_change),
        "retention": keep_words(settings.retention) if settings.retention else "for ever",
        "keepSnapshot": str(settings.keep_snapshot).lower(),
        **({POOL_DEMAND: settings.license_pool.name} if settings.license_pool else {}),
        **_demanded_of_plans(settings),
    }


def _demanded_of_plans(settings: Settings) -> dict[str, str]:
    signing, approvals = settings.signing, settings.approvals
    found = {"signedBy": key_names(signing.keys)} if signing else {}
    if approvals is None:
        return found
    required = f"{approvals.required} of {key_names(approvals.keys)}, for {hours_words(approvals.valid_for)}"
    return {**found, "approvals": required}


_AS_THEY_ARE = {
    "pseudonym_key": "pseudonyms",
    "stop_on": "stopOn",
    "mass_change": "massChange",
    "retention": "retention",
    "signing": "signing",
    "approvals": "approvals",
    "license_pool": "licensePool",
    "parallel": "parallel",
    "keep_snapshot": "keepSnapshot",
    "history": "history",
    "capacity": "capacity",
    "log": "log",
    "http": "http",
    "heartbeat": "heartbeat",
}
"""The settings of ours that are what the file says, by their names here."""


def _checked_policy(
    file: Path, ruled: bool, place: Entry | None, findings: list[Diagnostic], sources: dict[str, str]
) -> CheckedPolicy | None:
    """The policy, an empty one without rules; what is wrong in it is added to the findings."""
    try:
        return load_policy(file) if ruled else check_text("", str(file))
    except PolicyError as error:
        findings += error.diagnostics
        sources |= {**error.sources, **sources}
    except InputError as error:
        if place is None and not findings:
            raise
        span = place.value.span if place else NOWHERE
        findings.append(Diagnostic("SW207", "error", error.message, span, "read from here", error.help))
    return None


def _warnings(reader: YamlReader, more: list[Diagnostic], ruled: bool, text: str, file: str) -> tuple[Diagnostic, ...]:
    """The findings that stop nothing and that no comment allows; how old rules are only where they are in force."""
    found = [warning for warning in reader.warnings if ruled or warning.code != "SW211"]
    return without_allowed(in_order([*found, *more]), text, file)


def _policy_warnings(policy: CheckedPolicy, file: Path) -> tuple[Diagnostic, ...]:
    """Those of a policy that stands in another file."""
    return without_allowed(policy.warnings, policy.source, policy.file) if policy.file != str(file) else ()


def _notes(jobs: Jobs, site: Site, influx: InfluxTarget | None, policy: Path, file: Path) -> list[str]:
    found = site.warnings
    if jobs.rules is not None and policy != file:
        found.append(f"the rules in `{file.name}` are not in force: the policy is `{policy.name}`")
    return [*found, *(influx.warnings if influx else ())]


def _unasked(notice: NoticeSettings | None, policy: CheckedPolicy) -> list[str]:
    """That nobody can be told; what is to be known of messages in each run is said by each run."""
    return notice_notes(None, asked=policy.gives_notice) if notice is None else []


def _chosen(named: Path | None, file: Path) -> Path:
    """The file of the policy; the site file has one name, under which its secrets are concealed."""
    try:
        return named if named and not named.samefile(file) else file
    except OSError:
        return named or file


# Reading -------------------------------------------------------------------------------------------------


def _ours(reader: YamlReader, root: Node) -> Values:
    _find_misplaced(reader, root)
    entry = our_section(root)
    read = OURS.read(reader, entry.value, "seatwarden") if entry else None
    if read is not None and read["keepSnapshot"] and read["pseudonyms"] is not None:
        place = read.map.get("keepSnapshot")
        assert place is not None  # noqa: S101 - for the type checker: its value was read there
        help_ = "leave one of them out"
        reader.error("SW205", "with `pseudonyms` no snapshot is kept", place.value.span, "it names everybody", help_)
    return read or OURS.nothing(root.span)


def _jobs(reader: YamlReader, root: Node, scheduled: bool) -> Jobs:
    from seatwarden.policy.butler.licenses import read_jobs

    jobs = read_jobs(reader, root)
    for job in jobs.all if scheduled else ():
        if job.place is not None and job.enabled and job.frequency is None and not job.malformed:
            help_ = "add `frequency`, like: every 24 hours"
            reader.error("SW206", "this is enabled, but has no schedule", job.place, "never done", help_)
    return jobs


def _influxdb(reader: YamlReader, root: Node, proxy: Proxy) -> tuple[InfluxTarget | None, Tags]:
    """The database, None when there is none or it is switched off, and the tags of all points."""
    from seatwarden.engine.site.influxdb import read_influxdb

    entry = butler_section(root, "influxDb")
    influx, tags = read_influxdb(reader, entry.value) if entry else (None, ())
    return replace(influx, proxy=proxy) if influx else None, tags


def _alarms(
    reader: YamlReader, root: Node, jobs: Jobs, ours: Values, scheduled: bool
) -> tuple[Alarms, list[Diagnostic]]:
    """The alarms, and warnings about them and about all schedules."""
    from seatwarden.engine.site.alarms import read_alarms

    proxy = with_exceptions(ours["proxy"], ours["noProxy"])
    alarms, warnings = read_alarms(reader, root, jobs.server_monitor, proxy, scheduled)
    schedules = [found for job in (*jobs.all, alarms.heartbeat.job) for found in job.schedule_warnings()]
    return alarms, [*warnings, *schedules]


def _find_misplaced(reader: YamlReader, root: Node) -> None:
    """Settings of ours that stand where nobody reads them."""
    sections = butler_sections(root)
    misplaced = sections.get("seatwarden") if sections is not root and isinstance(sections, YamlMap) else None
    if misplaced is not None:
        help_ = "move it to the left margin, beside `Butler`"
        reader.error("SW203", "`seatwarden` does not belong to `Butler`", misplaced.key.span, "not read here", help_)
    if isinstance(sections, YamlMap):
        _find_mistyped(reader, sections, "the file" if sections is root else "Butler")
    for entry in root.entries if isinstance(root, YamlMap) and root.written("seatwarden") is None else ():
        if nearest(entry.key.text.lower(), ("seatwarden",)):
            help_ = "did you mean `seatwarden`?"
            reader.error("SW203", f"unknown key `{entry.key.text}`", entry.key.span, "not a setting", help_)
    find_unread(reader, root)


def _find_mistyped(reader: YamlReader, sections: YamlMap, what: str) -> None:
    """Sections of Butler's that nobody would read. It has others of a like name, such as `qlikSenseVersion`."""
    from seatwarden.policy.butler.licenses import LICENSES, RELEASE

    reader.near_misses(sections, what, ("influxDb",))
    within = (*LICENSES.keys, *RELEASE.keys)
    others = [
        entry.key.text
        for entry in sections.entries
        if not isinstance(entry.value, YamlMap) or not any(entry.value.get(key) for key in within)
    ]
    reader.near_misses(sections, what, LICENSE_KEYS, others)
