"""The findings of a plan: what is known of its releases and was perhaps not meant, said wherever somebody approves it.

They are found once, when the plan is made, and stand in its log: `apply`, `report` and `explain --plan` say the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import chain, compress
from typing import TypeAlias

from msgspec import Struct

from seatwarden.engine.common.text import join_words, plural, printable
from seatwarden.engine.common.timestamps import format_instant, parse_timestamp
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.standing import NO_STANDING
from seatwarden.engine.plan.circumstances import Clocks
from seatwarden.engine.plan.unprotected import Unprotected, unprotected_names
from seatwarden.engine.snapshot.model import License, Snapshot, User, UserReference
from seatwarden.grammar.ast import LICENSE_TYPES, Rule, walk
from seatwarden.grammar.spans import NOWHERE, Span
from seatwarden.policy.codes import CODES, Severity
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.lint.against_snapshot import changes_by_itself
from seatwarden.policy.lint.allow import part_allowed
from seatwarden.policy.lint.disuse import find_without_disuse
from seatwarden.policy.lint.findings import head, is_yaml, warning
from seatwarden.policy.loading import CheckedPolicy

MOST_NAMED = 5
"""Most users that one finding names."""
ENDING_DAYS = 7
"""From how many days before its end on a hold is named."""
MASS_CHANGE = "SW407"
"""The code of a change that touches everybody, which stops a run until somebody accepts it."""
_SA = ("sa_", "SA_", "Sa_", "sA_")
ADMINISTRATOR = "RootAdmin"
"""The role of Qlik Sense that may do everything."""


class Finding(Struct, frozen=True, omit_defaults=True):
    """One finding, as the log and every JSON have it.

    `at` is `FILE:LINE:COLUMN` in the policy (None: it has no place there), `rule` the label of the rule it is about,
    `names` are the users and values that it speaks of.
    """

    code: str
    severity: Severity
    message: str
    help: str | None
    at: str | None
    rule: str | None = None
    names: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The kind of finding and its place, without a name of anybody."""
        # What a fact did to many names nobody, and is all that there is to say of it.
        what = CODES[self.code].title if self.code in CODES and self.at else self.message
        return printable(f"{what} ({self.at})" if self.at else what)

    @property
    def line(self) -> str:
        """The finding on one line."""
        place = f" ({self.at})" if self.at else ""
        return printable(f"{self.severity}[{self.code}]: {self.message}{place}")


def finding_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Findings for people, each with its help below."""
    for finding in findings:
        yield finding.line
        if finding.help:
            yield printable(f"  = help: {finding.help}")


class PlanFindings(Struct, frozen=True):
    """The findings of a plan, and those that a comment in the policy allows, with its reason."""

    findings: tuple[Finding, ...] = ()
    allowed: tuple[tuple[Finding, str], ...] = ()


class _Found(Struct, frozen=True):
    """A finding and what it is about, before anybody has allowed it."""

    diagnostic: Diagnostic
    rule: Rule | None
    names: tuple[str, ...] = ()


def find_in_plan(
    policy: CheckedPolicy,
    snapshot: Snapshot,
    day: Day,
    decisions: Sequence[Decision],
    pseudonyms: Pseudonyms | None = None,
    *,
    whole: bool = True,
) -> PlanFindings:
    """The findings on decisions that name people; what is said names them by `pseudonyms`, where there are any.

    Without `whole` the decisions are those of some people only, and nothing is said that takes all of them.
    """
    released = list(_released(snapshot, decisions, whole))
    found = [*_unprotected(policy, snapshot, day, released, pseudonyms), *_accounts(released, pseudonyms)]
    found += _without_disuse(policy, day, released, whole)
    if whole:
        found += [*_protect_nobody(policy, day, snapshot, decisions, found), *_another_day(snapshot, day)]
        found += _ending_holds(day, decisions, pseudonyms)
    found.sort(key=lambda one: (one.diagnostic.span, one.diagnostic.code, one.diagnostic.message))
    by_diagnostic = {id(one.diagnostic): one for one in found}
    kept, allowed = part_allowed([one.diagnostic for one in found], policy, yaml=is_yaml(policy))
    return PlanFindings(
        tuple(_finding(by_diagnostic[id(diagnostic)]) for diagnostic in kept),
        tuple((_finding(by_diagnostic[id(one.finding)]), one.reason) for one in allowed),
    )


_Release: TypeAlias = tuple[Decision, License, User]


def _released(snapshot: Snapshot, decisions: Sequence[Decision], whole: bool) -> Iterator[_Release]:
    """The decisions that release, with the license and its user: a guard keeps what has none."""
    rows: Iterable[License] = chain.from_iterable(snapshot.licenses.get(t, ()) for t in LICENSE_TYPES)
    if not whole:
        wanted = {decision.key: decision for decision in decisions}
        ids = {license_id for _, license_id in wanted}
        keyed = {(t, row.id): row for t in LICENSE_TYPES for row in snapshot.licenses.get(t, ()) if row.id in ids}
        decisions, rows = list(wanted.values()), [keyed[key] for key in wanted]
    users = snapshot.users_by_id
    releasing = {ruling for ruling in {decision.ruling for decision in decisions} if ruling.takes}
    releases = [decision.ruling in releasing for decision in decisions]
    # Both are in the same order: see `decide_all`.
    for decision, row in compress(zip(decisions, rows, strict=True), releases):
        if isinstance(row.user, UserReference):
            yield decision, row, users[row.user.id]


def _finding(found: _Found) -> Finding:
    diagnostic = found.diagnostic
    return Finding(
        diagnostic.code,
        diagnostic.severity,
        diagnostic.message,
        diagnostic.help,
        diagnostic.span.short_place if diagnostic.span.line else None,
        found.rule.label if found.rule else None,
        found.names,
    )


def mass_change_finding(message: str, help: str, *facts: str) -> Finding:
    """SW407, on the run as a whole: no line of the policy can allow it."""
    return _finding(_Found(warning("SW407", message, NOWHERE, "", help), None, facts))


def clocks_finding(clocks: Clocks) -> Finding | None:
    """SW408, where our clock and QRS's are far apart: days are counted by ours, last uses written by the other."""
    apart = clocks.apart
    if apart is None:
        return None
    ahead = "ahead of" if apart > timedelta() else "behind"
    minutes = round(abs(apart).total_seconds() / 60)
    how_far = plural(minutes, "minute") if minutes < 120 else plural(round(minutes / 60), "hour")
    message = f"the clock of this machine is {how_far} {ahead} that of QRS"
    help_ = "set the clock that is wrong before you release"
    return _finding(_Found(warning("SW408", message, NOWHERE, "", help_), None, ()))


def is_about(finding: Finding, decision: Decision) -> bool:
    """Whether a finding of a plan concerns a license to be released."""
    if not decision.takes:
        return False
    rule = decision.ruling.rule
    match finding.code:
        case "SW401" | "SW402" | "SW403":
            rules = {outcome.rule.label for outcome in decision.outcomes}
            return finding.rule in rules and _has(decision, finding.names)
        case "SW405":
            named = decision.user in finding.names or is_service_account(decision.user_directory, decision.user_id)
            return named and rule is not None and rule.label == finding.rule
        case "SW312" | "SW322":
            return rule is not None and rule.label == finding.rule
        case _:
            return False


def _has(decision: Decision, names: Sequence[str]) -> bool:
    """Whether some fact of a license is one of these names, or the name of a property that a user may have."""
    values = {value for fact in decision.facts.values() if isinstance(fact, tuple) for value in fact}
    return any(name in values for name in names[1:])


# Names ---------------------------------------------------------------------------------------------------


def _unprotected(
    policy: CheckedPolicy,
    snapshot: Snapshot,
    day: Day,
    released: Sequence[_Release],
    pseudonyms: Pseudonyms | None,
) -> Iterator[_Found]:
    rows = [(decision.license_type, row, user) for decision, row, user in released]
    for one in unprotected_names(policy, snapshot, day, rows):
        # What few people have leads to them, whatever it is.
        hidden = pseudonyms is not None and not one.is_key and (one.is_personal or one.licenses < pseudonyms.k)
        who = "somebody's" if hidden else f"`{one.there}`"
        how = {"SW401": "is much like it", "SW402": "differs only in case", "SW403": "only looks the same"}[one.code]
        message = f"{one.rule.title}: {one.nobody}; {who} {how} and would be released"
        if not one.is_user:
            count = "a license" if one.licenses == 1 else f"{one.licenses:,} licenses"
            message = f"{one.rule.title}: {one.nobody}; {who} {how}, and {count} of users who have it would be released"
        help_ = "write it as it is in Qlik Sense" if hidden else _spelling(policy, one)
        names = (one.written,) if hidden else (one.written, one.there)
        yield _Found(warning(one.code, message, one.span, "", help_), one.rule, names)


def _spelling(policy: CheckedPolicy, one: Unprotected) -> str:
    if one.code == "SW403":
        return "copy it from the QMC"
    or_else = ", or use `=`" if one.code == "SW402" and not one.is_key and not is_yaml(policy) else ""
    return f"write `{one.there}`{or_else}"


# Service accounts ----------------------------------------------------------------------------------------


def is_service_account(directory: str | None, user_id: str | None) -> bool:
    """Whether a user is, by name, one of Qlik Sense's own or made like them: INTERNAL, or `sa_` in front."""
    return (user_id is not None and user_id[:3] in _SA) or (
        directory is not None and directory.casefold() == "internal"
    )


def _accounts(released: Sequence[_Release], pseudonyms: Pseudonyms | None) -> Iterator[_Found]:
    """SW405: those who run Qlik Sense, about to be released; one finding for each rule that does it."""
    by_rule: dict[int, tuple[Rule, dict[str, None]]] = {}
    internal = {name for name in {user.user_directory for _, _, user in released} if is_service_account(name, None)}
    accounts = [
        decision
        for decision, _, user in released
        if user.user_directory in internal or user.user_id[:3] in _SA or (user.roles and ADMINISTRATOR in user.roles)
    ]
    for decision in accounts:
        rule = decision.ruling.rule
        if rule is not None:
            by_rule.setdefault(id(rule), (rule, {}))[1][decision.user] = None
    for rule, users in by_rule.values():
        named = tuple(sorted(users)[:MOST_NAMED]) if pseudonyms is None else ()
        more = [f"{len(users) - len(named):,} more"] if len(users) > len(named) else []
        what = "a service account or administrator" if len(users) == 1 else "service accounts or administrators"
        whom = join_words([*(f"`{name}`" for name in named), *more])
        if pseudonyms is not None:
            # A pseudonym here would say of a line whose it is: there are few administrators.
            whom = f"{len(users):,} behind pseudonyms"
        message = f"{rule.title} would release {what}: {whom}"
        by_name = any(is_service_account(decision.user_directory, decision.user_id) for decision in accounts)
        admins = 'keep "administrators" when user.roles = "RootAdmin"'
        services = 'keep "service accounts" when user.userDirectory = "INTERNAL"'
        help_ = f"protect them, like: {services if by_name else admins}"
        yield _Found(warning("SW405", message, head(rule), "", help_), rule, named)


# Rules ---------------------------------------------------------------------------------------------------


def _without_disuse(policy: CheckedPolicy, day: Day, released: Sequence[_Release], whole: bool) -> Iterator[_Found]:
    """SW312 and SW322; of some people only where such a rule releases one of them."""
    rules = [rule for rule in policy.rules if rule.takes]
    acting = {id(decision.ruling.rule) for decision, _, _ in released}
    if not whole and not acting:
        return
    for diagnostic in find_without_disuse(policy, day.today):
        rule = next(rule for rule in rules if _within(diagnostic.span, rule))
        if whole or id(rule) in acting:
            yield _Found(diagnostic, rule)


def _within(span: Span, rule: Rule) -> bool:
    return span == head(rule) or any(span == part for part in _spans(rule))


def _spans(rule: Rule) -> Iterator[Span]:
    yield from (node.span for node, _ in walk(rule.condition))


def _protect_nobody(
    policy: CheckedPolicy, day: Day, snapshot: Snapshot, decisions: Sequence[Decision], found: Sequence[_Found]
) -> Iterator[_Found]:
    """SW404: keep rules that match no license, unless time makes them match, or a name in them is found already.

    One that is unknown of somebody may protect, and keeps where it matters.
    """
    rulings = {decision.ruling for decision in decisions}  # few: licenses with the same truths share one
    matched = {id(rule) for ruling in rulings for rule in (*ruling.matched, *ruling.unknown)}
    types = [license_type for license_type, rows in snapshot.licenses.items() if rows]
    named = {id(one.rule) for one in found if one.diagnostic.code in ("SW401", "SW402", "SW403")}
    for rule in policy.rules:
        over = rule.until is not None and rule.until.value < day.today
        if rule.kind != "keep" or over or id(rule) in matched | named or changes_by_itself(rule):
            continue
        if any(rule.applies_to(license_type) for license_type in types):
            message = f"{rule.title} protects nobody on this site"
            yield _Found(warning("SW404", message, head(rule), "", "check its names, and its condition"), rule)


def _another_day(snapshot: Snapshot, day: Day) -> Iterator[_Found]:
    """SW406: decided as of a moment more than a day before or after the snapshot was taken."""
    taken = parse_timestamp(snapshot.taken_at) if snapshot.taken_at else None
    if taken is None:
        return
    days = (day.today - day.day_of(taken)).days
    if abs(days) > 1:
        when = f"{plural(abs(days), 'day')} {'after' if days > 0 else 'before'}"
        message = f"decided as of {day.today.isoformat()}, {when} the snapshot was taken ({_day_text(taken, day)})"
        help_ = (
            "who used a license since then is not in it: take a new snapshot"
            if days > 0
            else ("what has happened since that moment is in it: leave --now out to decide as of the snapshot")
        )
        yield _Found(warning("SW406", message, NOWHERE, "", help_), None)


def _day_text(instant: datetime, day: Day) -> str:
    return day.day_of(instant).isoformat() if instant.year > 1 else format_instant(instant)


# Holds ---------------------------------------------------------------------------------------------------


def _ending_holds(day: Day, decisions: Sequence[Decision], pseudonyms: Pseudonyms | None) -> Iterator[_Found]:
    """SW410: the people whose hold is about to end, those whose ends first in front."""
    last = (day.today + timedelta(days=min(ENDING_DAYS, (date.max - day.today).days))).isoformat()
    standing = [decision for decision in decisions if decision.standing is not NO_STANDING]  # few of very many
    holds = ((hold, decision.user) for decision in standing if (hold := decision.hold_on(day.today)) is not None)
    ending = dict.fromkeys((hold.until, user) for hold, user in holds if hold.until <= last)
    users = {user: until for until, user in sorted(ending, reverse=True)}  # of several on a person the first to end
    if not users:
        return
    named = sorted(users, key=lambda user: (users[user], user))[:MOST_NAMED] if pseudonyms is None else []
    more = [f"{len(users) - len(named):,} more"] if named and len(users) > len(named) else []
    whom = join_words([*(f"`{user}` on {users[user]}" for user in named), *more])
    what = plural(len(users), "person") if len(users) == 1 else f"{len(users):,} people"
    message = f"the hold of {what} ends within {ENDING_DAYS} days{f': {whom}' if whom else ''}"
    help_ = "`seatwarden hold add` holds for longer; afterwards the policy alone decides"
    yield _Found(warning("SW410", message, NOWHERE, "", help_), None, tuple(named))
