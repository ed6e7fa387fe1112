"""What a message says of one license, and the variables that templates have of it.

Names come from a directory that many people write in. In a variable they are one line, and short: no template can be
made to break a header or hide what it says by them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from seatwarden.engine.common.text import one_line
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.facts.day import Day
from seatwarden.engine.notice.languages import language
from seatwarden.engine.notice.recipient import RecipientKind
from seatwarden.engine.plan.limits import is_given_back
from seatwarden.grammar.ast import DOWNGRADED_TO, LicenseType

LONGEST_NAME = 100
"""Most characters of a name, a rule or a site in a message."""


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """A license that is to be released, and what its holder is told.

    `last_used` and `days_unused` are None where it was never used. `told` is the day of the first message, `announced`
    that of the release. `site` is the name that people know the site by, `rule` the policy's name of the rule.
    `given_back`: a license rule certainly gives the license again at the next log-in.
    `becomes` is the type that is given in its place, where it is downgraded.
    """

    user: str
    name: str | None
    license_type: LicenseType
    last_used: date | None
    days_unused: int | None
    told: date
    announced: date
    site: str
    rule: str = ""
    reminder: bool = False
    given_back: bool = False
    becomes: LicenseType | None = None


def facts_of(
    decision: Decision, day: Day, *, told: date, announced: date, site: str, reminder: bool = False
) -> NoticeFacts:
    """What is told of a license that was decided on. `site` is the name that people know the site by."""
    used = day.day_of_timestamp(decision.last_used) if decision.last_used is not None else None
    rule = decision.rule
    return NoticeFacts(
        user=decision.user,
        name=decision.user_name,
        license_type=decision.license_type,
        last_used=used,
        days_unused=decision.unused_days if used is not None else None,
        told=told,
        announced=announced,
        site=site,
        rule=rule.name or "" if rule is not None else "",
        reminder=reminder,
        given_back=is_given_back(decision),
        becomes=DOWNGRADED_TO if rule is not None and rule.kind == "downgrade" else None,
    )


VARIABLES: Mapping[str, str] = {
    "name": "the user's name; the user id where the site knows no name",
    "user": "`DIRECTORY\\id`",
    "license": "the license in the language's words: `Analyzer license`",
    "license_type": "`analyzer` or `professional`",
    "becomes": "the license that is given in its place, in the language's words; nothing where it is released",
    "last_used": "the day of the last use, written out; nothing where the license was never used",
    "days_unused": "the days since then, a number; nothing where it was never used",
    "unused_for": "the same in words: `45 days`; nothing where it was never used",
    "announced": "the day of the release, written out: `9 December 2026`",
    "announced_iso": "the same as `2026-12-09`",
    "told": "the day of the first message, written out",
    "told_iso": "the same as `2026-11-25`",
    "reason": "why, in plain words: `it has not been used for 45 days`",
    "rule": "the rule's name in the policy",
    "site": "the host name of the site",
    "hub": "the address under `hub`; nothing without it",
    "contact": "the text under `contact`; nothing without it",
    "reminder": "whether this is the reminder",
    "given_back": "whether a license rule of the site certainly gives the license again at the next log-in",
    "recipient": "whom it goes to: `own` (the user), `manager` or `fallback`",
    "language": "the language: `en`",
}
"""The variables of templates, each with what it says."""


def variables(
    facts: NoticeFacts, recipient: RecipientKind, tag: str, contact: str | None, hub: str | None
) -> dict[str, object]:
    """The variables in one language."""
    words = language(tag)
    user_id = facts.user.rpartition("\\")[2]
    return {
        "name": _short(facts.name or "") or _short(user_id),
        "user": _short(facts.user),
        "license": words.licenses[facts.license_type],
        "license_type": facts.license_type,
        "becomes": words.licenses[facts.becomes] if facts.becomes is not None else None,
        "last_used": words.day(facts.last_used) if facts.last_used else None,
        "days_unused": facts.days_unused,
        "unused_for": words.length(facts.days_unused) if facts.days_unused is not None else None,
        "announced": words.day(facts.announced),
        "announced_iso": facts.announced.isoformat(),
        "told": words.day(facts.told),
        "told_iso": facts.told.isoformat(),
        "reason": words.reason(facts.days_unused if facts.last_used else None),
        "rule": _short(facts.rule),
        "site": _short(facts.site),
        "hub": hub,
        "contact": contact,
        "reminder": facts.reminder,
        "given_back": facts.given_back,
        "recipient": recipient,
        "language": tag,
    }


def _short(text: str) -> str:
    return one_line(text, LONGEST_NAME).strip()
