"""`seatwarden explain USER...`: why licenses are kept or released."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

import typer
from msgspec import to_builtins
from msgspec.structs import replace

from seatwarden.engine.cli.completion import complete_runs
from seatwarden.engine.cli.exits import ExitCode, ended
from seatwarden.engine.cli.inputs import (
    Inputs,
    NowOption,
    PolicyOption,
    SiteOption,
    SnapshotOrRunOption,
    TextFormat,
    TimezoneOption,
    gather,
)
from seatwarden.engine.cli.terminal.output import note, print_json, say, warnings_said
from seatwarden.engine.cli.views.explanation import print_explanations
from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.common.text import printable
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.decide.decide import decide
from seatwarden.engine.decide.decision import Decision, listing_order
from seatwarden.engine.decide.states import DECIDED, LicenseState
from seatwarden.engine.explain.explanation import Explainer, Explanation, Size, explanation_to_json
from seatwarden.engine.explain.people import (
    AmbiguousUser,
    Holder,
    People,
    people_of_plan,
    people_of_snapshot,
)
from seatwarden.engine.facts.day import Day
from seatwarden.engine.plan.decide_site import decide_site
from seatwarden.engine.plan.findings import Finding, find_in_plan
from seatwarden.engine.plan.given_back import with_take_backs
from seatwarden.engine.snapshot.model import License
from seatwarden.grammar.ast import LicenseType
from seatwarden.grammar.suggest import did_you_mean
from seatwarden.policy.errors import InputError
from seatwarden.policy.loading import CheckedPolicy

if TYPE_CHECKING:
    from seatwarden.engine.log.lines import PlanLog
    from seatwarden.engine.log.past_site import PastSite
    from seatwarden.engine.log.skimmed import SkimmedPlan


@collector_off()
def explain(
    users: Annotated[
        list[str] | None,
        typer.Argument(metavar="USER...", help="DIRECTORY\\id, a name, a QRS id, or a part of a name."),
    ] = None,
    policy: PolicyOption = None,
    snapshot: SnapshotOrRunOption = None,
    site: SiteOption = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            "--plan",
            metavar="DIR",
            help="Explain from a plan made before, by its own facts.",
            autocompletion=complete_runs,
        ),
    ] = None,
    releases: Annotated[
        bool, typer.Option("--releases", help="Explain every release, the longest unused first, instead of users.")
    ] = False,
    rule: Annotated[
        str | None,
        typer.Option("--rule", metavar="NAME", help="Explain every license that this rule matches, instead of users."),
    ] = None,
    brief: Annotated[bool, typer.Option("--brief", help="One line a license.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Everything: whole conditions, facts, guards, and what would change it.")
    ] = False,
    now: NowOption = None,
    timezone: TimezoneOption = None,
    format: TextFormat = "text",
) -> None:
    """Explain why a user's licenses are kept or released.

    Rule by rule, with the actual values, and what would change it.

    Example: seatwarden explain "CORP\\jdoe" --policy butler.yaml --snapshot site.json
    """
    _check_selection(users, releases, rule, brief, full)
    size: Size = "brief" if brief else "full" if full else "default"
    given = (policy, snapshot, site, now, timezone)
    source: _Source[Any] = _from_plan(plan, given) if plan else _from_inputs(*given)
    chosen = source.of_users(users) if users else source.selected(releases=releases, rule=rule)
    explained = source.explained(chosen, size)
    if format == "json":
        shown = [_to_json(holder, explanations, source, size) for holder, explanations in explained]
        print_json(shown[0] if users and len(shown) == 1 else shown)
    else:
        _print(explained, source, size, "Nothing is released." if releases else "The rule matches no license.")
    raise ended(ExitCode.DONE)


_T = TypeVar("_T")


def _check_selection(users: list[str] | None, releases: bool, rule: str | None, brief: bool, full: bool) -> None:
    """Raises InputError for options that exclude each other."""
    if brief and full:
        raise InputError("--brief and --full exclude each other", "leave one of them out")
    if bool(users) == (releases or rule is not None):
        problem = "name users, or a selection, not both" if users else "nobody to explain"
        raise InputError(problem, "name users, or ask for --releases or --rule NAME")


def _print(explained: list[tuple[Holder, list[Explanation]]], source: "_Source[Any]", size: Size, nothing: str) -> None:
    if not explained:
        say(nothing)
        return
    for holder, explanations in explained:
        if not explanations:
            say(f"{printable(holder.label)} has no license: nothing to release.")
    everything = [explanation for _, explanations in explained for explanation in explanations]
    print_explanations(everything, size, source.policy, source.day)
    for line in source.approvals if any(one.decision.takes for one in everything) else ():
        say(printable(line))


@dataclass(frozen=True)
class _Source(Generic[_T]):
    """A source of decisions: those of one person are made alone, all of them only when all are asked for."""

    policy: CheckedPolicy
    day: Day
    people: Callable[[list[str]], People[_T]]
    decide: Callable[[_T], Decision]
    decide_all: Callable[[], Iterable[Decision]]
    findings: Callable[[list[Decision]], Sequence[Finding]]
    states: Callable[[], Callable[[Decision], LicenseState | None]] = lambda: lambda decision: None
    """Finds the state of a license in its run, where there is one."""
    afterwards: Callable[[], Callable[[Decision], str | None]] = lambda: lambda decision: None
    """Finds what has become of a released license since."""
    approvals: Sequence[str] = ()
    """Who has approved the plan, in words."""

    def of_users(self, queries: list[str]) -> list[tuple[Holder, list[Decision]]]:
        """The users that are meant, each once, with the decisions on their licenses. Raises InputError."""
        people = self.people(queries)
        found = dict.fromkeys(self._find(query, people) for query in queries)
        return [(holder, self._decisions(people, holder)) for holder in found]

    def selected(self, *, releases: bool, rule: str | None) -> list[tuple[Holder, list[Decision]]]:
        """The licenses that are released, or that a rule matches, the longest unused first. Raises InputError."""
        if rule is not None:
            names = [name for r in self.policy.rules for name in (r.label, r.title)]
            if rule not in names:
                labels = [r.label for r in self.policy.rules]
                raise InputError(f"the policy has no rule `{rule}`", did_you_mean(rule, labels) or _listed(labels))
        found = [
            decision
            for decision in self.decide_all()
            if (decision.takes or not releases)
            and (rule is None or any(rule in (r.label, r.title) for r in decision.matched))
        ]
        by_user: dict[str, list[Decision]] = {}
        for decision in sorted(found, key=listing_order):
            by_user.setdefault(decision.user if decision.user_id else decision.license_id, []).append(decision)
        return [(_holder_of(decisions[0]), decisions) for decisions in by_user.values()]

    def explained(
        self, chosen: list[tuple[Holder, list[Decision]]], size: Size
    ) -> list[tuple[Holder, list[Explanation]]]:
        """The decisions in words."""
        explainer = Explainer(self.policy, self.day)
        told = [decision for _, decisions in chosen for decision in decisions]
        findings = self.findings(told)
        is_due = any(decision.takes for decision in told)
        state_of = self.states() if is_due else lambda decision: None
        since = self.afterwards() if is_due else lambda decision: None

        def of(decision: Decision) -> Explanation:
            explained = explainer.explain(decision, size, findings, state_of(decision))
            return replace(explained, afterwards=since(decision))

        return [(holder, list(map(of, decisions))) for holder, decisions in chosen]

    def _decisions(self, people: People[_T], holder: Holder) -> list[Decision]:
        return [self.decide(held) for held in people.held_by(holder)]

    def _find(self, query: str, people: People[_T]) -> Holder:
        try:
            holder, by_part = people.find(query)
        except AmbiguousUser as error:
            return self._choose(error, people)
        if by_part:
            note(printable(f"`{query}` is {holder.label}"))
        return holder

    def _choose(self, error: AmbiguousUser, people: People[_T]) -> Holder:
        """The one that is chosen on a terminal. Raises InputError with the candidates where nobody is."""
        candidates = error.candidates
        width = max(len(holder.label) for holder in candidates)
        lines = error.listed([f"{h.label:<{width}}  {_licenses(self._decisions(people, h))}" for h in candidates])
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise error.asking(lines)
        note(printable(error.message))
        for number, line in enumerate(lines, 1):
            note(printable(f"  {number if number <= len(candidates) else '':>2}  {line}"))
        return candidates[_number(len(candidates), error) - 1]


def _from_plan(plan: Path, others: tuple[object, ...]) -> _Source[Decision]:
    if any(others):
        help_ = "a plan has its own policy, snapshot and moment: leave the other options out"
        raise InputError("--plan stands alone", help_)
    from seatwarden.engine.log.reader import opened  # most explanations are of a snapshot
    from seatwarden.engine.log.skimmed import skim_plan

    skimmed = skim_plan(plan)
    log = opened(skimmed.log)
    if skimmed.log.erased_words:
        note(f"of this plan {skimmed.log.erased_words}")

    def people_in(some: "PlanLog") -> People[Decision]:
        return people_of_plan(replace(log, log=some).decided(), pseudonyms=some.header.pseudonyms is not None)

    def people(queries: list[str]) -> People[Decision]:
        named = people_in(skimmed.naming(queries))
        # Where nobody has that name, the nearest one is looked for among all.
        return named if all(map(named.means_anybody, queries)) else people_in(skimmed.whole())

    return _Source(
        log.policy,
        log.day,
        people,
        lambda decision: decision,
        lambda: replace(log, log=skimmed.whole()).decided(),
        lambda chosen: skimmed.log.findings,
        lambda: _states_of(skimmed),
        lambda: _afterwards_of(skimmed),
        approvals=_approvals_of(skimmed.log),
    )


def _approvals_of(log: "PlanLog") -> list[str]:
    from seatwarden.engine.log.approval import answers_beside, approval_lines
    from seatwarden.engine.log.run_folder import JOURNAL_FILE

    return approval_lines(log, answers_beside(log), applied=log.path.with_name(JOURNAL_FILE).exists())


def _afterwards_of(skimmed: "SkimmedPlan") -> Callable[[Decision], str | None]:
    from seatwarden.engine.log.restored import given_back, given_back_words

    undone = given_back(skimmed.log)
    line_of = skimmed.whole().line_of if undone else {}
    words = {n: given_back_words(one) for n, one in undone.items()}
    return lambda decision: words.get(line_of.get(decision.key, 0))


def _states_of(skimmed: "SkimmedPlan") -> Callable[[Decision], LicenseState | None]:
    from seatwarden.engine.log.journal import journal_beside
    from seatwarden.engine.log.run_folder import JOURNAL_FILE
    from seatwarden.engine.log.states import states_in
    from seatwarden.engine.log.told import told_plan

    summary = skimmed.log.summary
    if summary.this_run in (0, summary.release) and not skimmed.log.path.with_name(JOURNAL_FILE).exists():
        # Nearly always: the limit has all of them or none, and no other decision needs to be read.
        alike: LicenseState = "in this run" if summary.this_run else "due"
        return lambda decision: alike
    plan = told_plan(skimmed.whole())
    found = dict(zip((d.key for d in plan.decisions), states_in(plan, journal_beside(plan.log)), strict=True))
    return lambda decision: found.get(decision.key)


def _from_inputs(
    policy: Path | None, snapshot: Path | None, site: Path | None, now: str | None, timezone: str | None
) -> _Source[Any]:
    if snapshot is None and site is None:
        help_ = (
            "name a plan with --plan, or a policy with --policy and a snapshot with --snapshot or a site with --site"
        )
        raise InputError("nothing to explain from", help_)
    given = gather(policy, snapshot, site, now, timezone, runs=True, rules=True)
    if given.past is not None:
        return _from_past(given, given.past)

    def told(decisions: Sequence[Decision]) -> tuple[Decision, ...]:
        return with_take_backs(decisions, given.snapshot)

    return _Source(
        given.policy,
        given.day,
        lambda queries: people_of_snapshot(given.snapshot, queries),
        _decider(given, told),
        lambda: told(decide_site(given.policy, given.snapshot, given.day, given.stand)),
        lambda chosen: find_in_plan(given.policy, given.snapshot, given.day, chosen, whole=False).findings,
    )


def _decider(
    given: Inputs, told: Callable[[Sequence[Decision]], tuple[Decision, ...]]
) -> Callable[[tuple[LicenseType, License]], Decision]:
    """Decides a license alone; where people are downgraded, with all others, who may need the same free one."""
    if not given.policy.downgrades:
        return lambda held: told(given.stand([decide(given.policy, given.snapshot, *held, given.day)]))[0]
    every: dict[tuple[LicenseType, str], Decision] = {}

    def of(held: tuple[LicenseType, License]) -> Decision:
        if not every:
            decided = told(decide_site(given.policy, given.snapshot, given.day, given.stand))
            every.update((one.key, one) for one in decided)
        return every[held[0], held[1].id]

    return of


def _from_past(given: Inputs, past: "PastSite") -> _Source[Decision]:
    decisions = list(past.decide_all(given.policy, given.day))
    return _Source(
        given.policy,
        given.day,
        lambda queries: people_of_plan(decisions, pseudonyms=past.has_pseudonyms),
        lambda decision: decision,
        lambda: decisions,
        lambda chosen: (),
    )


def _number(most: int, error: AmbiguousUser) -> int:
    """The number typed on the terminal; asked on stderr, so that stdout has the result alone."""
    while True:
        sys.stderr.write(f"Which one? (1-{most}) ")
        sys.stderr.flush()
        typed = sys.stdin.readline()
        if not typed:
            raise InputError(error.message, "nothing was chosen")
        if typed.strip().isdecimal() and 1 <= int(typed) <= most:
            return int(typed)


def _holder_of(decision: Decision) -> Holder:
    return Holder(decision.user_directory, decision.user_id or "", decision.user_name)


def _licenses(decisions: list[Decision]) -> str:
    """The licenses of a candidate, each with its verdict."""
    return ", ".join(f"{d.license_type} {DECIDED[d.verdict]}" for d in decisions) or "no license"


def _listed(labels: list[str]) -> str:
    return f"it has: {', '.join(dict.fromkeys(labels))}" if labels else "it has none"


def _to_json(holder: Holder, explanations: list[Explanation], source: _Source[Any], size: Size) -> dict[str, object]:
    found = dict.fromkeys(finding for explanation in explanations for finding in explanation.findings)
    named = {"userDirectory": holder.user_directory, "userId": holder.user_id or None, "userName": holder.name}
    return {
        "user": named,
        "policy": {"file": Path(source.policy.file).name, "sha256": source.policy.digest},
        "now": format_instant(source.day.now),
        "timezone": source.day.zone.key,
        "findings": [to_builtins(finding) for finding in found],
        "warnings": warnings_said(),
        "approvals": list(source.approvals),
        "licenses": [explanation_to_json(explanation, size) for explanation in explanations],
    }
