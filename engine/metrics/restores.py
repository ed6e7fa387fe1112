"""A restore in numbers: one `seatwarden_restore` point, dated by the moment the restore was sealed.

Told a second time, after a kill, it is stored once: tags and time are the same, and the numbers are those of the whole
restore.
"""

from collections.abc import Mapping
from datetime import datetime

from seatwarden.engine.log.results import RESTORE_RESULTS
from seatwarden.engine.metrics.point import FieldValue, Point, merge_tags
from seatwarden.policy.butler.jobs import Tags

MEASUREMENT = "seatwarden_restore"


def restore_point(
    site: str, results: Mapping[str, int], regretted: int, seals: str | None, tags: Tags, at: datetime
) -> Point:
    """The point of a restore on a `site`: `results` counts licenses by result, `regretted` those that were given back
    within 30 days of their release."""
    fields: dict[str, FieldValue] = {result: float(results.get(result, 0)) for result in RESTORE_RESULTS}
    fields["regretted"] = float(regretted)
    fields |= {"seal": seals} if seals else {}
    return Point(MEASUREMENT, merge_tags(tags, [("site", site)]), fields, at)
