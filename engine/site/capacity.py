"""What a site file says of how many licenses should be free, by type, and how far ahead it is looked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil

from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType
from seatwarden.policy.yaml.kinds import TEXT, between, map_of
from seatwarden.policy.yaml.nodes import Entry, YamlScalar
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.settings import Kind, Section, Setting

HORIZON_DAYS = 365
_MOST = 1_000_000
_PERCENT = re.compile(r"\s*(\d{1,2})\s*%\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class WarnBelow:
    """The number of free licenses below which they are low: a `number`, or a share of all in `percent`."""

    number: int | None = None
    percent: int | None = None

    def level(self, total: int | None) -> int | None:
        """The number for a site with so many licenses; None where it depends on that, and that is not known."""
        if self.percent is None:
            return self.number
        return None if total is None else ceil(total * self.percent / 100)

    @property
    def words(self) -> str:
        """As it is written: `10 %`, `25`."""
        return f"{self.percent} %" if self.percent is not None else f"{self.number:,}"


@dataclass(frozen=True, slots=True)
class TypeCapacity:
    """Of one license type: the level (None: nobody is warned), and the days ahead that are looked at."""

    warn_below: WarnBelow | None = None
    horizon: int = HORIZON_DAYS


@dataclass(frozen=True, slots=True)
class Capacity:
    """That of all types; what the file does not speak of has no level."""

    by_type: Mapping[LicenseType, TypeCapacity] = field(default_factory=dict)

    def of(self, license_type: LicenseType) -> TypeCapacity:
        """That of one type."""
        return self.by_type.get(license_type, TypeCapacity())


def _warn_below(reader: YamlReader, entry: Entry, what: str) -> WarnBelow | None:
    given = reader.resolved(entry.value)
    if given is None:
        return None
    if isinstance(given, YamlScalar) and isinstance(given.value, str):
        text = TEXT.read(reader, entry, what)
        found = _PERCENT.fullmatch(text) if text is not None else None
        if found and int(found[1]):
            return WarnBelow(percent=int(found[1]))
        if text is not None:
            help_ = "write a number of licenses, such as `25`, or a share of all, such as `10%`, from 1% to 99%"
            reader.error("SW205", f"`{entry.key.text}` is no level", entry.value.span, "warns of nothing", help_)
        return None
    number = between(1, _MOST, "licenses").read(reader, entry, what)
    return WarnBelow(number) if number is not None else None


_TYPE = Section(
    (
        Setting(
            "warnBelow",
            Kind(
                _warn_below,
                {
                    "anyOf": [
                        {"type": "integer", "minimum": 1, "maximum": _MOST},
                        {"type": "string", "pattern": r"^\s*(?:0?[1-9]|[1-9]\d)\s*%\s*$"},
                    ]
                },
                "a number, or a share of all such as `10%`",
            ),
            "fewer free licenses than that are told as `licenses-low`",
            without="nobody is told",
        ),
        Setting("horizonDays", between(28, 730, "days"), "how far ahead it is looked when they run out", HORIZON_DAYS),
    )
)
_OF_TYPE = map_of(_TYPE, lambda values: TypeCapacity(*values.take("warnBelow", "horizonDays")))
CAPACITY = map_of(
    Section(tuple(Setting(kind, _OF_TYPE) for kind in LICENSE_TYPES)),
    lambda values: Capacity({kind: found for kind in LICENSE_TYPES if (found := values[kind]) is not None}),
)
