"""What a message says in figures: dates, days and licenses, in each language that we bring texts in.

In another language, for which somebody has written texts, dates are written 2026-12-09 and the rest is English.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from seatwarden.grammar.ast import LicenseType


@dataclass(frozen=True, slots=True)
class Language:
    """The words of one language.

    `form` has the places `{day}`, `{month}` and `{year}`; `first` is how the first day of a month is written. A length
    of time is worded as it stands behind *ago* and *for*. `unused` has a place for it.
    """

    months: tuple[str, ...]
    form: str
    first: str
    one_day: str
    days: str
    unused: str
    never_used: str
    licenses: Mapping[LicenseType, str]

    def day(self, day: date) -> str:
        """A day as people write it in a letter."""
        if not self.months:
            return day.isoformat()
        number = self.first if day.day == 1 else str(day.day)
        return self.form.format(day=number, month=self.months[day.month - 1], year=day.year)

    def length(self, days: int) -> str:
        """A number of days."""
        return self.one_day if days == 1 else self.days.format(days)

    def reason(self, days_unused: int | None) -> str:
        """Why the license is given to others; None: it was never used."""
        return self.never_used if days_unused is None else self.unused.format(self.length(days_unused))


_ENGLISH = Language(
    (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
    "{day} {month} {year}",
    "1",
    "1 day",
    "{} days",
    "it has not been used for {}",
    "it has not been used yet",
    {"professional": "Professional license", "analyzer": "Analyzer license"},
)  # fmt: skip
_ANY = Language((), "", "", "1 day", "{} days", _ENGLISH.unused, _ENGLISH.never_used, _ENGLISH.licenses)

LANGUAGES: Mapping[str, Language] = {
    "en": _ENGLISH,
    "de": Language(
        (
            "Januar", "Februar", "März", "April", "Mai", "Juni",
            "Juli", "August", "September", "Oktober", "November", "Dezember",
        ),
        "{day}. {month} {year}",
        "1",
        "einem Tag",
        "{} Tagen",
        "sie wird seit {} nicht benutzt",
        "sie wurde noch nicht benutzt",
        {"professional": "Professional-Lizenz", "analyzer": "Analyzer-Lizenz"},
    ),
    "fr": Language(
        (
            "janvier", "février", "mars", "avril", "mai", "juin",
            "juillet", "août", "septembre", "octobre", "novembre", "décembre",
        ),
        "{day} {month} {year}",
        "1er",
        "1 jour",
        "{} jours",
        "elle n’est pas utilisée depuis {}",
        "elle n’a pas encore été utilisée",
        {"professional": "licence Professional", "analyzer": "licence Analyzer"},
    ),
    "sv": Language(
        (
            "januari", "februari", "mars", "april", "maj", "juni",
            "juli", "augusti", "september", "oktober", "november", "december",
        ),
        "{day} {month} {year}",
        "1",
        "1 dag",
        "{} dagar",
        "den har inte använts på {}",
        "den har ännu inte använts",
        {"professional": "Professional-licens", "analyzer": "Analyzer-licens"},
    ),
}  # fmt: skip
"""The languages that we bring texts in."""


def language(tag: str) -> Language:
    """The words of a language; of one that we do not know, those that nobody misreads."""
    return LANGUAGES.get(tag, _ANY)
