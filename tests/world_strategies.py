"""Facts that a rule can read, all known and consistent with each other: what the exact checks are held against."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from hypothesis import strategies as st

from seatwarden.engine.facts.facts import Fact
from seatwarden.grammar.ast import LICENSE_TYPES, Field
from seatwarden.grammar.calendar_names import WEEKDAYS
from seatwarden.grammar.printer import print_field
from tests.strategies import (
    ATTRIBUTE_KEYS,
    DATES_WRITTEN,
    DIRECTORIES,
    NOW,
    NUMBERS_WRITTEN,
    PROPERTY_KEYS,
    ROLES,
    TAGS,
    USER_IDS,
    VALUES,
)

_DIRECTORIES = (*DIRECTORIES, "A", "åker", "Other")
_IDS = (*USER_IDS, "B", "C", "cc", "Ann Smith")
_NAMES = ("Ann", "ANN", "Bob B.", "Bob *", "", *_IDS)
_TAGS = (*TAGS, "Keep Me", "STRASSE ", "vip x", "a", "ban")
_VALUES = (*VALUES, "FINANCE", "in", "anna", " ")


@dataclass(frozen=True)
class KnownFacts:
    """Facts by the name of their field; the same protocol as the snapshot's."""

    values: Mapping[str, Fact]

    def read(self, field: Field) -> Fact:
        """The fact of that field; a property nobody has is empty."""
        return self.values.get(print_field(field), ())


def _some(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=3, unique=True).map(tuple)


def _near(day: date) -> st.SearchStrategy[date]:
    return st.integers(-95, 5).map(lambda days: day + timedelta(days=days))


@st.composite
def known_facts(draw: st.DrawFn, license_type: str | None = None) -> KnownFacts:
    """One user, one license, one day."""
    directory, user_id = draw(st.sampled_from(_DIRECTORIES)), draw(st.sampled_from(_IDS))
    today = draw(_near(NOW.date()) | st.dates(date(2026, 1, 1), date(2027, 12, 31)))
    allocated = draw(_near(NOW.date()) | _near(today))
    used = draw(st.none() | _near(NOW.date()) | _near(today))
    own = license_type or draw(st.sampled_from(LICENSE_TYPES))
    held = {own} | draw(st.sets(st.sampled_from(LICENSE_TYPES)))
    elsewhere = draw(st.none() | _near(today)) if len(held) > 1 else None
    latest = max([allocated, *([draw(_near(today))] if len(held) > 1 else [])])
    uses = [day for day in (used, elsewhere) if day is not None]
    flags = ("inactive", "blocked", "removedExternally", "deleteProhibited")
    return KnownFacts(
        {
            "user": (f"{directory}\\{user_id}",),
            "user.userDirectory": (directory,),
            "user.userId": (user_id,),
            "user.name": (draw(st.sampled_from(_NAMES)),),
            "user.roles": draw(_some((*ROLES, "other"))),
            "user.tags": draw(_some(_TAGS)),
            **{print_field(Field("user.@", key)): draw(_some(_VALUES)) for key in PROPERTY_KEYS},
            **{print_field(Field("user.attributes", key)): draw(_some(_VALUES)) for key in ATTRIBUTE_KEYS},
            "user.@Until": draw(_some(DATES_WRITTEN) | _some(NUMBERS_WRITTEN)),
            "site.properties": (*PROPERTY_KEYS, "Until"),
            "site.attributes": ATTRIBUTE_KEYS,
            **{f"user.{flag}": (draw(st.booleans()),) for flag in flags},
            "user.createdDate": (draw(_near(NOW.date())),),
            "user.licenses": tuple(sorted(held)),
            "user.lastUsed": (max(uses),) if uses else (),
            "user.unusedDays": ((today - max(uses or [latest])).days,),
            "user.lastReleased": draw(st.just(()) | _near(today).map(lambda day: (day,))),
            "license.type": (own,),
            "license.lastUsed": () if used is None else (used,),
            "license.createdDate": (allocated,),
            "license.neverUsed": (used is None,),
            "license.unusedDays": ((today - (used or allocated)).days,),
            "license.excess": (draw(st.booleans()),),
            "license.available": (draw(st.sampled_from((30, 0, 1, 29, 31))),),
            "license.total": (draw(st.sampled_from((60, 30, 31))),),
            "today": (today,),
            "month": (today.month,),
            "weekday": (WEEKDAYS[today.weekday()],),
        }
    )
