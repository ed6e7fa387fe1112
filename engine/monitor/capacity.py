"""How many licenses are free, whether that is few, and when none is left: for whoever shows or tells it.

The history that the date comes from may be missing, short or damaged: then there is no date, and it is said why.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from math import ceil
from typing import Any

from seatwarden.engine.history import HISTORY_FILE
from seatwarden.engine.history.chance import Unsaid
from seatwarden.engine.history.forecast import Forecast, forecast, forecast_json, forecast_words
from seatwarden.engine.history.running_out import RunningOut
from seatwarden.engine.metrics.point import FieldValue, Point, merge_tags
from seatwarden.engine.site.capacity import WarnBelow
from seatwarden.engine.site.settings import Settings
from seatwarden.engine.snapshot.model import Seats
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType
from seatwarden.policy.butler.jobs import Tags
from seatwarden.policy.errors import InputError

MEASUREMENT = "seatwarden_capacity"
_ENOUGH = 1.2
"""How far above the level licenses are enough again: who wavers around it is told once."""


@dataclass(frozen=True, slots=True)
class FreeLicenses:
    """The free licenses of a type at a site that has `total` (None: not known), and when they run out. `level` is the
    number below which they are low, as `warn_below` says it; None where nobody is warned."""

    license_type: LicenseType
    free: int
    total: int | None
    level: int | None
    warn_below: WarnBelow | None
    forecast: Forecast

    @property
    def is_low(self) -> bool:
        """Whether there are too few."""
        return self.level is not None and self.free < self.level

    @property
    def is_enough(self) -> bool:
        """Whether there are clearly enough, so that the next time that they are low is news."""
        return self.level is None or self.free >= max(ceil(self.level * _ENOUGH), self.level + 1)

    @property
    def sentence(self) -> str:
        """How many there are, and whether that is few."""
        of = f" of {self.total:,}" if self.total is not None else ""
        low = f". That is low: below {self.warn_below.words}" if self.is_low and self.warn_below else ""
        return f"{self.license_type}: {self.free:,}{of} free{low}."

    @property
    def forecast_lines(self) -> list[str]:
        """When none is left, in sentences."""
        return list(forecast_words(self.forecast))

    @property
    def says_more(self) -> bool:
        """Whether there is more to it than the number that QRS tells: a level, or a date."""
        both = (self.forecast.without, self.forecast.going_on)
        return self.level is not None or not all(isinstance(one, Unsaid) for one in both)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        named = {"licenseType": self.license_type, "total": self.total, "warnBelow": self.level, "low": self.is_low}
        return {**named, **forecast_json(self.forecast)}


def free_licenses(seats: Mapping[LicenseType, Seats], settings: Settings, today: date) -> tuple[FreeLicenses, ...]:
    """The free licenses of the types of which QRS says how many are available, with the forecasts of the site's
    history. Never raises for the state of that."""
    known = {kind: seats[kind].available for kind in LICENSE_TYPES if kind in seats}
    free = {kind: count for kind, count in known.items() if count is not None}
    forecasts = _forecasts(free, settings, today) if free else {}
    found = []
    for kind, count in free.items():
        warn_below, total = settings.capacity.of(kind).warn_below, seats[kind].total
        level = warn_below.level(total) if warn_below else None
        found.append(FreeLicenses(kind, count, total, level, warn_below, forecasts[kind]))
    return tuple(found)


def _forecasts(free: Mapping[LicenseType, int], settings: Settings, today: date) -> dict[LicenseType, Forecast]:
    from seatwarden.engine.history.flows import flows_of  # SQLite and zstandard take a while to import
    from seatwarden.engine.history.store import History

    path = settings.folder / HISTORY_FILE
    try:
        if not path.exists():
            raise InputError("there is no history yet" if settings.keeps_history else "no history is kept")
        with History(path) as history:
            flows = flows_of(history)
    except (InputError, OSError) as problem:
        why = problem.message if isinstance(problem, InputError) else f"{path}: {problem.strerror or problem}"
        unsaid = Unsaid(why)
        return {kind: Forecast(count, today, unsaid, unsaid) for kind, count in free.items()}
    # The same history says the same, whoever asks.
    return {
        kind: forecast(flows.get(kind), count, today, settings.capacity.of(kind).horizon, seed=kind)
        for kind, count in free.items()
    }


def points_of_free(found: Iterable[FreeLicenses], tags: Tags, site: str, at: datetime) -> list[Point]:
    """A point for each type of which there is more to say than QRS's number, which `qlik_sense_license` has."""
    return [_point(one, tags, site, at) for one in found if one.says_more]


def _point(one: FreeLicenses, tags: Tags, site: str, at: datetime) -> Point:
    """Days are whole ones from that moment on, those of the horizon for what lies beyond it: without a field a database
    would show the last one that there was. There is none for what is not said."""
    fields: dict[str, FieldValue] = {"free": float(one.free), "low": one.is_low}
    if one.level is not None:
        fields["warn_below"] = float(one.level)
    for name, found in (("days_left", one.forecast.without), ("days_left_with_policy", one.forecast.going_on)):
        if isinstance(found, RunningOut):
            for bound, days in found.bounds.items():
                field = name if bound == "middle" else f"{name}_{bound}"
                fields[field] = float(found.horizon if days is None else days)
    ours = (("license_type", one.license_type), ("site", site))
    return Point(MEASUREMENT, merge_tags(tags, ours), fields, at)


def seats_of(points: Iterable[Point]) -> dict[LicenseType, Seats]:
    """What points of license use say of the types that are counted in licenses."""
    found: dict[LicenseType, Seats] = {}
    for point in points:
        name = dict(point.tags).get("license_type")
        for kind in LICENSE_TYPES:
            if name == kind:
                found[kind] = Seats(**{key: _whole(point.fields.get(key)) for key in Seats.__struct_fields__})
    return found


def _whole(value: FieldValue | None) -> int | None:
    return int(value) if isinstance(value, float) else None
