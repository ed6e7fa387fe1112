"""`seatwarden explain USER`: why a user's licenses are kept or released."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.text import Text

from engine.cli.inputs import (
    NowOption,
    PolicyOption,
    SiteOption,
    SnapshotOption,
    TimezoneOption,
    gather,
)
from engine.cli.output import print_json, printable, say
from engine.days import Day, format_instant
from engine.decide import Decision, decide
from engine.decision_log import read_plan
from engine.evaluate import RuleOutcome, Trace, Truth
from engine.explain import Explanation, explanation_to_json, found, part_text, tree_parts
from engine.explain import explain as explain_decision
from engine.lookup import Holder, find_in_plan, find_in_snapshot
from engine.plan import place_of
from policy.errors import InputError
from policy.loading import CheckedPolicy

_MARKS: dict[Truth, tuple[str, str]] = {True: ("✓", "green"), False: ("✗", "dim"), None: ("?", "yellow")}


def explain(
    user: Annotated[str, typer.Argument(metavar="USER", help="DIRECTORY\\id, a name, or a QRS id.")],
    policy: PolicyOption = None,
    snapshot: SnapshotOption = None,
    site: SiteOption = None,
    plan: Annotated[
        Path | None, typer.Option("--plan", metavar="DIR", help="Explain from a plan made before, by its own facts.")
    ] = None,
    now: NowOption = None,
    timezone: TimezoneOption = None,
    format: Annotated[Literal["text", "json"], typer.Option("--format", help="How to print.")] = "text",
) -> None:
    """Explain why a user's licenses are kept or released.

    Rule by rule, with the actual values.

    Example: seatwarden explain "CORP\\jdoe" --policy butler.yaml --snapshot site.json
    """
    if plan is not None:
        if policy or snapshot or site or now or timezone:
            help_ = "a plan has its own policy, snapshot and moment: leave the other options out"
            raise InputError("--plan stands alone", help_)
        recorded = read_plan(plan)
        holder, decisions = find_in_plan(user, recorded.decisions)
        checked, day = recorded.policy, recorded.day
    else:
        given = gather(policy, snapshot, site, now, timezone)
        checked, day = given.policy, given.day
        holder, licenses = find_in_snapshot(user, given.snapshot)
        decisions = [decide(checked, given.snapshot, license_type, row, day) for license_type, row in licenses]
    explanations = [explain_decision(decision, checked, day) for decision in decisions]
    if format == "json":
        print_json(_to_json(holder, explanations, checked, day))
        return
    if not explanations:
        say(f"{printable(holder.label)} has no license: nothing to release.")
    for number, explanation in enumerate(explanations):
        if number:
            say()
        _print(explanation)


def _to_json(holder: Holder, explanations: list[Explanation], policy: CheckedPolicy, day: Day) -> dict[str, object]:
    return {
        "user": {"userDirectory": holder.user_directory, "userId": holder.user_id, "userName": holder.name},
        "policy": {"file": Path(policy.file).name, "sha256": policy.digest},
        "now": format_instant(day.now),
        "timezone": day.zone.key,
        "licenses": [explanation_to_json(explanation) for explanation in explanations],
    }


def _print(explanation: Explanation) -> None:
    decision = explanation.decision
    say(Text(printable(f"{_title(decision)} · {explanation.headline}"), style="bold"))
    say()
    labels = [outcome.rule.title for outcome in decision.outcomes]
    width = min(max((len(label) for label in labels), default=0), 40)
    lines = [line for outcome in decision.outcomes for line in _rule_lines(outcome, width)]
    place_column = min(max((len(text.plain) for text, _ in lines), default=0) + 2, 96)
    for text, place in lines:
        if place:
            text.append(" " * max(2, place_column - len(text.plain)) + place, style="dim")
        say(text)
    if not lines:
        say(f"  no rule speaks of {decision.license_type} licenses")
    if explanation.advice:
        say()
    for sentence in explanation.advice:
        say(printable(sentence))


def _title(decision: Decision) -> str:
    name = f" ({decision.user_name})" if decision.user_name else ""
    return f"{decision.user}{name} · {decision.license_type}"


def _rule_lines(outcome: RuleOutcome, width: int) -> list[tuple[Text, str]]:
    mark, style = _MARKS[outcome.truth]
    label = printable(outcome.rule.title)
    head = Text.assemble(f"  {label:<{width}}  ", (mark, style), f" {printable(found(outcome))}")
    place = place_of(outcome.rule).rpartition(":")[0]
    parts = [] if outcome.expired else tree_parts(outcome.trace)
    return [(head, place), *((line, "") for part in parts for line in _part_lines(part, width + 4))]


def _part_lines(trace: Trace, indent: int) -> list[Text]:
    mark, style = _MARKS[trace.truth]
    line = Text.assemble(" " * (indent + 2), (mark, style), f" {printable(part_text(trace))}")
    return [line, *(below for part in tree_parts(trace) for below in _part_lines(part, indent + 2))]
