"""Butler's `qlikSenseLicense` block: its tables, and what in it is on schedule."""

from dataclasses import replace

from seatwarden.policy.butler.jobs import (
    DESTINATION,
    ENABLE,
    FREQUENCY,
    LICENSE_MONITOR,
    SERVER_LICENSE_MONITOR,
    Job,
    Jobs,
    job_of,
)
from seatwarden.policy.butler.rules import OURS, rules
from seatwarden.policy.butler.sections import butler_sections
from seatwarden.policy.yaml.kinds import SWITCH
from seatwarden.policy.yaml.nodes import Node, YamlMap, YamlScalar
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.settings import Kind, Section, Setting, need

DRY_RUN = need("dryRun", SWITCH, "true: only say what would be released.")


def _release(complete: bool) -> Section:
    schedule = (replace(setting, required=complete) for setting in (ENABLE, FREQUENCY, DRY_RUN))
    destination = replace(DESTINATION, required=complete)
    return Section(
        (*schedule, *rules(complete), destination, *OURS),
        "Which licenses are given back after disuse, and which are kept.",
    )


RELEASE = _release(complete=False)
"""The map `licenseRelease` alone, which may leave out what a policy does not need."""
COMPLETE_RELEASE = _release(complete=True)
"""The same in a file of Butler's, where every setting of Butler's must be there."""
SCHEDULE = Section((ENABLE, FREQUENCY, DRY_RUN, DESTINATION))
"""The settings beside the rules."""
_SERVER = "How the expiry of the site's license is watched."
LICENSES = Section(
    (
        Setting("serverLicenseMonitor", SERVER_LICENSE_MONITOR, _SERVER, Job()),
        Setting("licenseMonitor", LICENSE_MONITOR, "How licenses are counted.", Job()),
        # What it says is left to whom it concerns.
        Setting("licenseRelease", Kind(lambda reader, entry, what: entry, COMPLETE_RELEASE.schema())),
    ),
    "Butler's settings for Qlik Sense licenses.",
    brief=True,
)


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
    if found:  # where the rules stand elsewhere, nobody else looks at its keys
        reader.near_misses(release, "licenseRelease", RELEASE.keys)
    values = SCHEDULE.values(reader, release, "licenseRelease")
    rules = release.get("licenseType") or release.get("neverRelease")
    block = block or LICENSES.nothing(top.span)
    return Jobs(job_of(values), block["licenseMonitor"], block["serverLicenseMonitor"], values["dryRun"], rules)
