"""Notices that cannot keep what they promise: nobody is told, or what people are told is not so."""

from collections.abc import Iterator
from datetime import date

from seatwarden.grammar.ast import Notice, Rule
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.lint.disuse import is_proved, least_days
from seatwarden.policy.lint.findings import warning
from seatwarden.policy.lint.rule_space import RuleSpace
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.worlds.calendar import calendar_of, holds_on
from seatwarden.policy.worlds.formula import TRUE, Formula

SEARCHED_DAYS = 31
"""Days behind the end of a notice among which one is looked for on which the rule releases: the announced day."""
YEAR = 366
"""Days on which somebody may be told, as far as a rule's calendar is looked at."""


def find_notices(policy: CheckedPolicy, today: date, space: RuleSpace) -> Iterator[Diagnostic]:
    """SW328 a notice of what no use prevents, SW329 a reminder not shorter than the notice, SW330 a notice of 0 days,
    SW331 one longer than the disuse, SW332 one that nobody gets, SW333 one that leaves no day to release on."""
    for number, rule in enumerate(policy.rules):
        if rule.notice is None:
            continue
        yield from _lengths(rule, rule.notice)
        if number not in space.never:
            yield from _of_use(number, rule, rule.notice, policy, today, space)
            yield from _longer_than_disuse(rule, rule.notice, policy)
            yield from _told_to_nobody(number, rule, rule.notice, space)
            yield from _no_day(rule, rule.notice, space.formulas[number], today)


def _lengths(rule: Rule, notice: Notice) -> Iterator[Diagnostic]:
    reminder = notice.reminder
    if notice.days == 0:
        message = f"`{rule.title}` gives notice of 0 days"
        help_ = "give people some days to come back, like 14; or leave the notice out"
        yield warning("SW330", message, notice.length.span, "no time to come back", help_)
    elif reminder is not None and notice.reminder_days is not None and notice.reminder_days >= notice.days:
        message = f"`{rule.title}` reminds no later than it gives notice"
        label = f"the notice itself is given {_days(notice.days)} before"
        help_ = "remind some days before the release, like 3; or leave the reminder out"
        yield warning("SW329", message, reminder.span, label, help_)


def _of_use(
    number: int, rule: Rule, notice: Notice, policy: CheckedPolicy, today: date, space: RuleSpace
) -> Iterator[Diagnostic]:
    """That a rule says so in vain is a finding of its own."""
    if rule.regardless_of_use and is_proved(number, policy, today, space, 0):
        message = f"`{rule.title}` gives notice of a release that a use need not prevent"
        help_ = "leave the notice out, or ask for disuse: people are told to use the license if they need it"
        yield warning(
            "SW328", message, notice.span, "who uses the license may lose it all the same", help_,
            ((rule.regardless_span, "said here"),),
        )  # fmt: skip


def _longer_than_disuse(rule: Rule, notice: Notice, policy: CheckedPolicy) -> Iterator[Diagnostic]:
    """Of several thresholds the longest counts: then it is true of each."""
    longest = max((days for _, days in least_days(rule.condition, policy)), default=0)
    if 0 < longest < notice.days:
        message = f"`{rule.title}` gives notice of {_days(notice.days)} after {_days(longest)} without use"
        help_ = "a license stays unused more than twice as long as the rule asks for: shorten the notice"
        yield warning("SW331", message, notice.length.span, "longer than the days without use", help_)


def _told_to_nobody(number: int, rule: Rule, notice: Notice, space: RuleSpace) -> Iterator[Diagnostic]:
    """A rule without notice takes at once whatever this one matches. That it is all kept is a finding already."""
    able = [(n, other) for n, other in enumerate(space.rules) if n not in space.never]
    at_once = [n for n, other in able if other.kind == rule.kind and other.notice is None]
    others = [*at_once, *(n for n, other in able if other.beats(rule))]
    if not at_once or not space.near(number, others):
        return
    found = space.cause(number, [space.opposites[n] for n in others], [space.formulas[number]]) or []
    because = [space.rules[others[n]] for n in found if others[n] in at_once]
    if because:
        message = f"`{rule.title}` gives notice to nobody"
        related = tuple((other.condition.span, f"by `{other.title}`") for other in because)
        help_ = "give the other rule the same notice, or narrow it"
        yield warning(
            "SW332", message, notice.span, "all that it can release is released without notice", help_, related
        )


def _no_day(rule: Rule, notice: Notice, formula: Formula, today: date) -> Iterator[Diagnostic]:
    calendar = calendar_of(formula)
    if calendar == TRUE:
        return
    known: dict[date, bool] = {}

    def holds(day: date) -> bool:
        if day not in known:
            known[day] = holds_on(calendar, day)
        return known[day]

    told = [day for day in _days_from(today, YEAR) if holds(day)]
    if told and not any(holds(day) for one in told for day in _days_from(one, SEARCHED_DAYS + 1, notice.days)):
        message = f"`{rule.title}` gives notice, and leaves no day to release on"
        label = f"from {_days(notice.days)} after a day on which it matches, it matches on no day of a month"
        help_ = "shorten the notice, or let the rule match longer: it releases nobody whom it finds in the next year"
        yield warning("SW333", message, notice.length.span, label, help_)


def _days_from(first: date, count: int, later: int = 0) -> Iterator[date]:
    """So many days, as far as there is a calendar."""
    start = first.toordinal() + later
    return (date.fromordinal(n) for n in range(start, min(start + count, date.max.toordinal() + 1)))


def _days(count: int) -> str:
    return f"{count} day{'s' * (count != 1)}"
