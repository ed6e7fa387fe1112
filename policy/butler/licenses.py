"""Butler's `qlikSenseLicense` block: its tables, and what in it is on schedule."""

from typing import Any

from msgspec.structs import replace

from seatwarden.policy.butler.jobs import (
    DESTINATION,
    ENABLE,
    FREQUENCY,
    LICENSE_MONITOR,
    OFF,
    SERVER_LICENSE_MONITOR,
    Job,
    Jobs,
    is_off,
    job_of,
)
from seatwarden.policy.butler.older import with_older
from seatwarden.policy.butler.rules import OURS, rules
from seatwarden.policy.butler.sections import butler_sections
from seatwarden.policy.yaml.kinds import SWITCH
from seatwarden.policy.yaml.nodes import Node, YamlMap, YamlScalar
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.settings import Kind, Section, Setting

DRY_RUN = Setting("dryRun", SWITCH, "true, or not there: only say what would be released.")


def _release(complete: bool) -> Section:
    schedule = (replace(ENABLE, required=complete), replace(FREQUENCY, required=complete), DRY_RUN)
    destination = replace(DESTINATION, required=complete)
    return Section(
        (*schedule, *rules(complete), destination, *OURS),
        "Which licenses are given back after disuse, and which are kept.",
    )


RELEASE = _release(complete=False)
"""The map `licenseRelease` alone, which may leave out what a policy does not need."""
COMPLETE_RELEASE = _release(complete=True)
"""The same in a file of Butler's, where every setting of Butler's must be there."""


def release_schema(section: Section) -> dict[str, Any]:
    """The JSON Schema of `licenseRelease`: of older forms too, and of one that is off whatever its schedule says."""
    schema = with_older(section.schema())
    anything = {
        key: {"not": {"type": "null"}} if key in section.required else {} for key in (FREQUENCY.key, DESTINATION.key)
    }
    off = {**schema, "properties": {**schema["properties"], **anything}}
    return {"type": "object", "description": section.doc, "if": OFF, "then": off, "else": schema}


SCHEDULE = Section((ENABLE, FREQUENCY, DRY_RUN, DESTINATION))
"""The settings beside the rules."""
_SERVER = "How the expiry of the site's license is watched."
LICENSES = Section(
    (
        Setting("serverLicenseMonitor", SERVER_LICENSE_MONITOR, _SERVER, Job()),
        Setting("licenseMonitor", LICENSE_MONITOR, "How licenses are counted.", Job()),
        # What it says is left to whom it concerns.
        Setting("licenseRelease", Kind(lambda reader, entry, what: entry, release_schema(COMPLETE_RELEASE))),
    ),
    "Butler's settings for Qlik Sense licenses.",
    brief=True,
)


def let_schedule_be(reader: YamlReader, release: YamlMap, first: int) -> None:
    """Make warnings of what is wrong in the schedule of a release that is switched off; its rules are rules still."""
    if is_off(release):
        places = [entry.value.span for key in (FREQUENCY.key, DESTINATION.key) if (entry := release.get(key))]
        reader.let_be(first, places)


def read_jobs(reader: YamlReader, root: Node) -> Jobs:
    """The jobs on schedule in any of the forms that a policy or a site file has; nothing of it is required."""
    top = butler_sections(root)
    if not isinstance(top, YamlMap):
        return Jobs(Job(), Job(), Job())
    entry = top.get("qlikSenseLicense")
    block = LICENSES.read(reader, entry.value, "qlikSenseLicense", required=()) if entry else None
    found = block["licenseRelease"] if block else top.get("licenseRelease")
    release = found.value if found else top
    if not isinstance(release, YamlMap):
        if not isinstance(release, YamlScalar) or release.value is not None:
            reader.unlike(release, "licenseRelease", "a map")
        release = YamlMap((), release.span)
    first = len(reader.findings)
    if found:  # where the rules stand elsewhere, nobody else looks at its keys
        reader.near_misses(release, "licenseRelease", SCHEDULE.keys, RELEASE.keys)
    values = SCHEDULE.values(reader, release, "licenseRelease")
    let_schedule_be(reader, release, first)
    rules = release.get("licenseType") or release.get("neverRelease")
    block = block or LICENSES.nothing(top.span)
    return Jobs(job_of(values), block["licenseMonitor"], block["serverLicenseMonitor"], values["dryRun"], rules)
