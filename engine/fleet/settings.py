"""`fleet.yaml`: the sites of a fleet by name, and what holds for all of them together.

Each site has a site file of its own, which says all that is about the site alone: how to reach it, its folder, its
policy, what runs there. A policy that several sites share is named here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from seatwarden.engine.site.ours import LOG, LogSettings
from seatwarden.engine.site.paths import PATH
from seatwarden.grammar.ast import AnyLimit, Limit
from seatwarden.grammar.spans import Span
from seatwarden.policy.butler.jobs import FREQUENCY
from seatwarden.policy.butler.rules import LIMITS
from seatwarden.policy.diagnostics import in_order
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.files import read_text
from seatwarden.policy.yaml.kinds import TEXT_SCHEMA, between, map_of
from seatwarden.policy.yaml.nodes import Entry, YamlMap, read_yaml
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.settings import Kind, Section, Setting, need
from seatwarden.policy.zones import find_timezone, timezone_help

DEADLINE_SECONDS = 900
MOST_SITES = 1_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
"""A name is also that of a folder and of a page, on any system."""
_NAME_HELP = "write 1 to 40 of A-Z, a-z, 0-9, `.`, `_` and `-`, a letter or digit first"
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d|overview)(?:\..*)?", re.IGNORECASE)
"""Names that Windows keeps for devices, and that of the page on all sites."""


@dataclass(frozen=True, slots=True)
class FleetSite:
    """One site of a fleet: its name there, its site file, the policy that the fleet gives it (None: that of the site
    file), and where it is named."""

    name: str
    file: Path
    policy: Path | None
    span: Span


@dataclass(frozen=True, slots=True)
class Fleet:
    """A fleet, whole and right: its `sites` by name, the `limits` on the sum of what a run releases at all of them, and
    the seconds that one site has for each step of a run (`deadline`).

    The service of a fleet runs it by the schedule `frequency` in the `zone` (empty: each site by its own), and writes
    its lines to the `log`.
    """

    file: Path
    sites: tuple[FleetSite, ...]
    limits: tuple[Limit, ...] = ()
    deadline: int = DEADLINE_SECONDS
    frequency: str = ""
    zone: ZoneInfo = ZoneInfo("UTC")
    log: LogSettings = LogSettings()
    source: str = ""

    @property
    def sources(self) -> dict[str, str]:
        """The text that places in it are in."""
        return {str(self.file): self.source}


def load_fleet(file: Path, environment: Mapping[str, str]) -> Fleet:
    """The fleet in a file; paths in it are relative to it. No site file is read.

    Raises InputError when the file cannot be read, PolicyError with every problem in it.
    """
    text = read_text(file, "fleet file")
    reader = YamlReader(environment, file.parent)
    values = FLEET.read(reader, read_yaml(text, str(file)), "fleet")
    if reader.findings or values is None:
        raise PolicyError(in_order(reader.findings), {str(file): text})
    shared = values["policy"]
    sites = (FleetSite(one.name, one.file, one.policy or shared, one.span) for one in values["sites"])
    by_name = tuple(sorted(sites, key=lambda site: site.name))
    limits, frequency = tuple(values["limit"]), values["frequency"]
    schedule = str(frequency.value).strip() if frequency is not None else ""
    return Fleet(file, by_name, limits, values["deadline"], schedule, values["timezone"], values["log"], text)


# Kinds of settings ---------------------------------------------------------------------------------------

_SITE = Section(
    (
        need("site", PATH, "the site file"),
        Setting("policy", PATH, "the policy of this site", without="that of the fleet, else of the site file"),
    )
)


def _sites(reader: YamlReader, entry: Entry, what: str) -> tuple[FleetSite, ...] | None:
    if not isinstance(entry.value, YamlMap) or not entry.value.entries:
        help_ = "write one a line, like:  berlin: sites/berlin.yaml"
        reader.unlike(entry.value, what, "a map of sites by name", help_)
        return None
    if len(entry.value.entries) > MOST_SITES:
        message = f"these are {len(entry.value.entries):,} sites"
        reader.error("SW205", message, entry.key.span, f"at most {MOST_SITES:,}", "make several fleets of them")
        return None
    found = [site for one in entry.value.entries if (site := _site(reader, one)) is not None]
    _find_doubled(reader, found)
    return tuple(found)


def _site(reader: YamlReader, entry: Entry) -> FleetSite | None:
    name, place = entry.key.text, entry.key.span
    if not is_name(name):
        help_ = "choose another name" if _DEVICES.fullmatch(name) else _NAME_HELP
        reader.error("SW205", f"`{name}` cannot be the name of a site", place, "a folder is called so, too", help_)
        return None
    if not isinstance(entry.value, YamlMap):
        file = PATH.read(reader, entry, f"sites.{name}")
        return FleetSite(name, file, None, place) if file is not None else None
    values = _SITE.read(reader, entry.value, f"sites.{name}")
    if values is None or values["site"] is None:
        return None
    return FleetSite(name, values["site"], values["policy"], place)


def is_name(name: str) -> bool:
    """Whether a site can be called so."""
    return bool(_NAME.fullmatch(name)) and not _DEVICES.fullmatch(name) and not name.endswith(".")


def _find_doubled(reader: YamlReader, sites: list[FleetSite]) -> None:
    names: dict[str, FleetSite] = {}
    files: dict[Path, FleetSite] = {}
    for site in sites:
        before = names.setdefault(site.name.casefold(), site)
        if before is not site:
            message = f"`{site.name}` and `{before.name}` differ only in case"
            reader.error("SW205", message, site.span, "one folder on Windows", "choose another name")
        other = files.setdefault(site.file.absolute(), site)
        if other is not site:
            message = f"`{site.name}` and `{other.name}` have the same site file"
            help_ = "two runs on one site are in each other's way: leave one of them out"
            reader.error("SW205", message, site.span, f"that of `{other.name}`", help_)


def _plain_limits(reader: YamlReader, entry: Entry, what: str) -> list[Limit] | None:
    """Limits on one run: what is free at a site, and what it released lately, only the site's own limits know."""
    limits: list[AnyLimit] | None = LIMITS.read(reader, entry, what)
    for limit in limits or ():
        if not isinstance(limit, Limit) or limit.over is not None:
            message = "a fleet is limited by run"
            help_ = "write it into the policy of each site, or here: 200 per run, longest unused first"
            reader.error("SW205", message, limit.span, "this is about one site", help_)
    return [limit for limit in limits or () if isinstance(limit, Limit)]


def _zone(reader: YamlReader, entry: Entry, what: str) -> ZoneInfo | None:
    name = reader.text(entry.value, what)
    found = find_timezone(name) if name is not None else None
    if name is not None and found is None:
        reader.error(
            "SW208", f"unknown time zone `{name}`", entry.value.span, "not in the IANA list", timezone_help(name)
        )
    return found


FLEET = Section(
    (
        need("sites", Kind(_sites, {"type": "object"}), "the sites by name: a site file, or `site` and `policy`", ()),
        Setting("policy", PATH, "the policy of all sites that have none here", without="that of each site file"),
        Setting(
            "limit",
            Kind(_plain_limits, LIMITS.schema, "limits"),
            "how many licenses one run may release at all sites together",
            (),
            without="each site has its own limits alone",
        ),
        Setting(
            "deadline",
            between(10, 86_400, "seconds"),
            "seconds that one site has to be planned, and again to be released",
            DEADLINE_SECONDS,
        ),
        Setting(
            "frequency",
            FREQUENCY.kind,
            "when `serve` runs the fleet, such as `at 02:30 on mon through fri`",
            without="each site is run when its site file says",
        ),
        Setting("timezone", Kind(_zone, TEXT_SCHEMA), "the zone of `frequency`", ZoneInfo("UTC"), without="`UTC`"),
        Setting("log", map_of(LOG, lambda values: LogSettings(**values.by_key)), default=LogSettings()),
    ),
    "a fleet",
)
