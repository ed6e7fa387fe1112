"""An explanation on the terminal: one line, the rules, or all there is."""

from collections.abc import Iterator
from pathlib import Path

from seatwarden.engine.cli.terminal.output import Part, plain, say
from seatwarden.engine.cli.terminal.prose import broken, room, under_each_other
from seatwarden.engine.common.text import printable
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.phrases import show_values
from seatwarden.engine.decide.reference import RuleOutcome, Trace
from seatwarden.engine.explain.explanation import Explanation, Size, found, part_text, tree_parts
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.facts import Fact
from seatwarden.engine.facts.guards import RowState
from seatwarden.engine.plan.findings import Finding, finding_lines
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.printer import REGARDLESS, print_condition
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.operators import Truth, opposite

MAX_TEXT = 400
"""Characters of a condition on one line; longer ones are lists, which `--format json` has whole."""

_MARKS: dict[Truth, tuple[str, str]] = {True: ("✓", "green"), False: ("✗", "dim"), None: ("?", "yellow")}

TreeLine = tuple[list[Part], str]
"""A line, and the place of the rule it speaks of; empty for none."""


def headline(explanation: Explanation) -> str:
    """The whole decision on one line."""
    decision = explanation.decision
    since = f"; {explanation.afterwards}" if explanation.afterwards else ""
    back = f"; {decision.take_back.describe()}" if decision.take_back and not explanation.advice else ""
    return printable(f"{decision.label} · {decision.license_type} · {explanation.headline}{since}{back}")


def print_explanations(explanations: list[Explanation], size: Size, policy: CheckedPolicy, day: Day) -> None:
    """Prints explanations in that size, with an empty line between them."""
    if size == "brief" and explanations:
        # At once: a site has thousands of releases.
        say("\n".join(map(headline, explanations)))
        return
    for number, explanation in enumerate(explanations):
        if number:
            say()
        width = room()
        say(("\n".join(broken([headline(explanation)], width)), "bold"))
        if size == "default":
            say()
            _print_lines(_rules(explanation, whole=False))
            if explanation.advice or explanation.findings:
                say()
            told = [*map(printable, explanation.advice), *finding_lines(explanation.findings)]
            for line in broken(told, width):
                say(line)
        else:
            for title, lines in _sections(explanation, policy, day):
                say()
                say((title, "bold"))
                _print_lines(lines)


def _print_lines(lines: list[TreeLine]) -> None:
    width = room()
    lengths = [sum(len(plain(part)) for part in parts) for parts, _ in lines]
    place_column = min(max(lengths, default=0) + 2, 96)
    places = [place_column + len(place) for _, place in lines if place]
    beside = width is None or max(places, default=0) <= width
    for (parts, place), length in zip(lines, lengths, strict=True):
        if place and beside:
            say(*parts, (" " * max(2, place_column - length) + place, "dim"))
            continue
        *before, last = parts
        text = plain(last)
        lead = text[: len(text) - len(text.lstrip())]
        indent = sum(len(plain(part)) for part in before) + len(lead)
        first, *below = under_each_other(text.strip(), indent, width)
        say(*before, _styled(last, lead + first))
        for line in below:
            say(_styled(last, " " * indent + line))
        if place:
            say((" " * indent + place, "dim"))


def _styled(part: Part, text: str) -> Part:
    return text if isinstance(part, str) else (text, part[1])


# Sections of the full size -----------------------------------------------------------------------------------


def _sections(explanation: Explanation, policy: CheckedPolicy, day: Day) -> Iterator[tuple[str, list[TreeLine]]]:
    decision = explanation.decision
    yield "Guards", [_checked(what, truth, "") for what, truth in _guards(decision.row_state)]
    yield "Rules", _rules(explanation, whole=True)
    if decision.facts:
        width = max(map(len, decision.facts))
        shown = [f"  {name:<{width}}  {_fact(fact)}" for name, fact in decision.facts.items()]
        yield "Facts", [([printable(line)], "") for line in shown]
    if explanation.advice:
        yield "What if", [([f"  {printable(sentence)}"], "") for sentence in explanation.advice]
    if explanation.findings:
        yield "Findings", [([f"  {line}"], "") for line in finding_lines(explanation.findings)]
    yield "Decided", [([f"  {name:<7}  {printable(value)}"], "") for name, value in _decided(decision, policy, day)]


def _fact(fact: Fact) -> str:
    return f"unknown: {fact.reason}" if isinstance(fact, Unknown) else show_values(fact)


def _guards(row_state: RowState) -> Iterator[tuple[str, Truth]]:
    yield "the license is not in quarantine", opposite(row_state.quarantined)
    yield "the license has a user whom the site lists once", row_state.user == "known" or None
    yield "the license is listed once", row_state.listed_once or None


def _decided(decision: Decision, policy: CheckedPolicy, day: Day) -> Iterator[tuple[str, str]]:
    yield "license", decision.license_id
    yield "policy", f"{Path(policy.file).name}, SHA-256 {policy.digest}"
    yield "moment", f"{format_instant(day.now)}, {day.weekday} {day.today.isoformat()} in {day.zone.key}"


def _checked(what: str, truth: Truth, indent: str) -> TreeLine:
    return [f"  {indent}", _MARKS[truth], f" {printable(what)}"], ""


# Rules -------------------------------------------------------------------------------------------------------


def _rules(explanation: Explanation, *, whole: bool) -> list[TreeLine]:
    """A line for each rule, the parts of its condition and what is found about it below; the `whole` tree, or what an
    ended rule lacks."""
    decision = explanation.decision
    labels = [outcome.rule.title for outcome in decision.outcomes]
    width = min(max((len(label) for label in labels), default=0), 40)
    lines: list[TreeLine] = []
    for outcome in decision.outcomes:
        lines += _rule(outcome, width, whole)
        lines += [_beside(finding, width) for finding in explanation.findings if finding.rule == outcome.rule.label]
    return lines or [([f"  no rule speaks of {decision.license_type} licenses"], "")]


def _rule(outcome: RuleOutcome, width: int, whole: bool) -> Iterator[TreeLine]:
    place = outcome.rule.place
    head = f"  {printable(outcome.rule.title):<{width}}  "
    parts: list[Part] = [head, _MARKS[outcome.truth], f" {printable(_short(found(outcome)))}"]
    yield parts, place if whole else place.rpartition(":")[0]
    if whole:
        if outcome.rule.until:
            yield [(" " * (width + 6) + f"until {outcome.rule.until.value.isoformat()}", "dim")], ""
        yield from _whole(outcome.trace, " " * (width + 4), told=not outcome.expired)
        if outcome.rule.regardless_of_use:
            yield [(" " * (width + 6) + REGARDLESS, "dim")], ""
    elif not outcome.expired:
        for part in tree_parts(outcome.trace):
            yield from _parts(part, " " * (width + 4))


def _beside(finding: Finding, width: int) -> TreeLine:
    """A finding beside the rule that it is about; its sentence begins with the rule, which stands above."""
    sentence = finding.message.partition(": ")[2] if finding.code in ("SW401", "SW402", "SW403") else finding.message
    return [" " * (width + 4), ("!", "yellow"), f" {printable(_short(sentence))}"], ""


def _parts(trace: Trace, indent: str) -> Iterator[TreeLine]:
    yield _checked(_short(part_text(trace)), trace.truth, indent)
    for part in tree_parts(trace):
        yield from _parts(part, indent + "  ")


def _whole(trace: Trace, indent: str, *, told: bool = False) -> Iterator[TreeLine]:
    """The finding of every part, above how it is written; of one that is `told` already only what is new."""
    text = print_condition(trace.condition) if trace.parts else part_text(trace)
    if not told:
        yield _checked(_short(text), trace.truth, indent)
        indent += "  "
    if not trace.parts:
        yield [(f"  {indent}{printable(_short(print_condition(trace.condition)))}", "dim")], ""
    for part in trace.parts:
        yield from _whole(part, indent)


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]} …"
