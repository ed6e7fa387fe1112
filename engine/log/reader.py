"""Reading a plan back from its sealed log, ready to be explained or decided again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from msgspec import structs

from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.decide.compiled import CompiledRules
from seatwarden.engine.decide.decide import conclude, outcomes_of
from seatwarden.engine.decide.decision import BATCH, Compact, Decision, Evaluated, Evaluation, Ruling, user_of
from seatwarden.engine.decide.pseudonyms import is_personal
from seatwarden.engine.decide.reasons import leaves
from seatwarden.engine.decide.reference import RuleOutcome, Truth
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.facts.day import Day, make_day
from seatwarden.engine.facts.facts import RecordedFacts, fact_from_json
from seatwarden.engine.facts.guards import obstacle, standing_from_json
from seatwarden.engine.log.chain import read_chain
from seatwarden.engine.plan.plan import FORMAT, PLAN_FILE
from seatwarden.grammar.ast import Field, Rule
from seatwarden.grammar.builder import parse_field
from seatwarden.grammar.printer import print_field
from seatwarden.grammar.spans import NOWHERE, Span
from seatwarden.policy.errors import InputError, PolicyError
from seatwarden.policy.files import near_file
from seatwarden.policy.loading import CheckedPolicy, check_text


@dataclass(frozen=True, slots=True)
class RecordedPlan:
    """A plan as its log tells it: the header, the policy in force then, the day, and every decision."""

    header: dict[str, Any]
    seal: dict[str, Any]
    policy: CheckedPolicy
    day: Day
    decisions: tuple[Decision, ...]


def log_path(place: Path) -> Path:
    """The log file of a run folder; a file is taken as it is. Raises InputError when it may not be looked at."""
    try:
        return place / PLAN_FILE if place.is_dir() else place
    except OSError as error:
        raise InputError(f"log `{place}` cannot be read: {error.strerror}") from None


def read_log(place: Path) -> list[dict[str, Any]]:
    """The verified records of a log: header, decisions, seal. Raises InputError (unreadable) or DamagedLog."""
    path = log_path(place)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        if not place.is_dir():
            raise InputError(f"log `{path}` does not exist", near_file(path)) from None
        raise InputError(f"`{place}` holds no plan: there is no {PLAN_FILE}", _runs_below(place)) from None
    except OSError as error:
        raise InputError(f"log `{path}` cannot be read: {error.strerror}") from None
    records, damage = read_chain(data)
    if damage:
        raise DamagedLog(path, damage)
    if records[0].get("kind") != "plan":
        raise InputError(f"`{path}` is a sealed log, but not of a plan")
    if records[0].get("format", 0) > FORMAT:
        raise InputError(f"`{path}` was written by a newer seatwarden ({records[0].get('tool')})", "update seatwarden")
    return records


def _runs_below(place: Path) -> str:
    """Which folder was meant: the last by name of those with a plan in it."""
    runs = sorted(path.parent for path in place.glob(f"*/{PLAN_FILE}"))
    if not runs:
        return "plans are written by `seatwarden plan -o DIR`"
    return f"name the folder of one run, like `{runs[-1]}`; `seatwarden log list {place}` lists them"


def read_plan(place: Path) -> RecordedPlan:
    """The plan in a run folder, every rule evaluated again on the recorded facts. Raises as `read_log`."""
    header, *lines, seal = read_log(place)
    policy, day = _policy_and_day(header, place)
    with collector_off():
        return RecordedPlan(header, seal, policy, day, tuple(_decisions(lines, policy, day)))


def _policy_and_day(header: dict[str, Any], place: Path) -> tuple[CheckedPolicy, Day]:
    try:
        policy = _at_recorded_places(check_text(header["policyText"], "policy.policy"), header)
    except PolicyError as error:
        raise InputError(f"the policy in `{place}` cannot be read: {error}") from None
    now = parse_timestamp(header["now"])
    assert isinstance(now, datetime)  # noqa: S101 - the chain verifies, and plans write instants
    return policy, make_day(now, header["timezone"])


def _at_recorded_places(policy: CheckedPolicy, header: dict[str, Any]) -> CheckedPolicy:
    """The policy with its rules at the places where they were written then, not in the canonical text."""
    places = iter(header["rules"])
    statements = tuple(
        replace(s, span=_span(next(places)["at"])) if isinstance(s, Rule) else s for s in policy.tree.statements
    )
    return replace(policy, tree=replace(policy.tree, statements=statements))


def _span(place: str) -> Span:
    file, line, column = place.rsplit(":", 2)
    return replace(NOWHERE, file=file, line=int(line), column=int(column), end_line=int(line), end_column=int(column))


def _decisions(lines: list[dict[str, Any]], policy: CheckedPolicy, day: Day) -> Iterator[Decision]:
    """The decisions of a log, by the fast evaluator; those with pseudonyms, whose facts are hidden, one by one."""
    for (license_type, hidden), alike in groupby(lines, lambda line: (line["licenseType"], "truths" in line)):
        rules = CompiledRules(policy, license_type, day)
        rulings: dict[tuple[object, ...], Ruling] = {}
        while batch := list(islice(alike, BATCH)):
            if hidden:
                yield from (_hidden_decision(line, rules.rules, policy, day) for line in batch)
                continue
            read = rules.read_again([RecordedFacts(line["facts"]) for line in batch])
            for line, values, truths in zip(batch, read.rows(), rules.truths(read), strict=True):
                key = (line["verdict"], line["because"], line["rule"], truths)
                if key not in rulings:
                    rulings[key] = _ruling(line, rules.rules, truths)
                yield _decision(line, rulings[key], Compact(rules, values))


def _hidden_decision(line: dict[str, Any], rules: Sequence[Rule], policy: CheckedPolicy, day: Day) -> Decision:
    outcomes = _outcomes(line, policy, day)
    facts = {name: fact_from_json(value, _field(name)) for name, value in line["facts"].items()}
    ruling = _ruling(line, rules, [outcome.truth for outcome in outcomes])
    return _decision(line, ruling, Evaluated(facts, outcomes))


def _ruling(line: dict[str, Any], rules: Sequence[Rule], truths: Sequence[Truth]) -> Ruling:
    """The recorded ruling, with the rules it speaks of."""
    kind = line["because"]
    matched = tuple(rule for rule, truth in zip(rules, truths, strict=True) if truth is True)
    rule = next((rule for rule in matched if rule.kind == kind), None)
    return Ruling(line["verdict"], kind, line["rule"] if kind == "guard" else None, rule, matched)


def _decision(line: dict[str, Any], ruling: Ruling, evaluation: Evaluation) -> Decision:
    return Decision(
        license_id=line["licenseId"],
        license_type=line["licenseType"],
        user_directory=line["userDirectory"],
        user_id=line["userId"],
        user_name=line["userName"],
        ruling=ruling,
        reason=line["reason"],
        standing=standing_from_json(line["row"]),
        unused_days=line["unusedDays"],
        last_used=line["lastUsed"],
        evaluation=evaluation,
    )


def _outcomes(line: dict[str, Any], policy: CheckedPolicy, day: Day) -> tuple[RuleOutcome, ...]:
    """What becomes of every rule on the recorded facts, by the reference evaluator."""
    outcomes = outcomes_of(policy, line["licenseType"], RecordedFacts(line["facts"]), day)
    if "truths" in line:
        return tuple(_as_recorded(o, truth) for o, truth in zip(outcomes, line["truths"], strict=True))
    return outcomes


def _as_recorded(outcome: RuleOutcome, truth: Truth) -> RuleOutcome:
    """Of a rule on names, in a plan with pseudonyms: the truth that was recorded, since it cannot be found again."""
    personal = any(is_personal(print_field(field)) for trace in leaves(outcome.trace) for field, _ in trace.facts)
    if not personal:
        return outcome
    return structs.replace(outcome, truth=truth, trace=structs.replace(outcome.trace, truth=truth, parts=()))


def replay(place: Path) -> tuple[int, list[str]]:
    """Decides every license of a plan again, from the recorded facts and policy alone, by the reference evaluator.

    How many there are, and what does not agree, line by line; nothing when every decision stands. Raises as `read_log`.
    """
    header, *lines, _ = read_log(place)
    policy, day = _policy_and_day(header, place)
    with collector_off():
        differences = [difference for line in lines if (difference := _difference(line, policy, day))]
    return len(lines), differences


def _difference(line: dict[str, Any], policy: CheckedPolicy, day: Day) -> str | None:
    """What is not as recorded when the license of that line is decided again."""
    guard = obstacle(standing_from_json(line["row"]))
    ruling, reason = conclude(line["licenseType"], _outcomes(line, policy, day), guard)
    verdict, rule = ruling.verdict, ruling.rule
    now = (verdict, ruling.because, ruling.guard or (rule.name if rule else None), reason)
    recorded = (line["verdict"], line["because"], line["rule"], line["reason"])
    # The words of a reason hang on the parts of a condition, which pseudonyms hide.
    compared = 3 if "truths" in line else 4
    if now[:compared] == recorded[:compared]:
        return None
    user, was = user_of(line["userDirectory"], line["userId"]), f"{line['verdict']} ({line['reason']})"
    return f"line {line['n']}: {user} was {was}, decided again {verdict} ({reason})"


@lru_cache(maxsize=1024)
def _field(name: str) -> Field:
    return parse_field(name, NOWHERE)
