"""What became of guarantees, in words: sentences, and the facts of an example."""

from collections.abc import Iterable, Iterator
from datetime import date

from seatwarden.grammar.ast import Condition, Field, IsEmpty, Length, ReadAs, Rule, Season, UnusedFor, walk
from seatwarden.grammar.printer import print_field, quote
from seatwarden.policy.guarantees.outcomes import by
from seatwarden.policy.guarantees.proof import Counterexample, Proof
from seatwarden.policy.guarantees.truth import KnownValues, Situation
from seatwarden.policy.guarantees.unknowns import no_text
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.worlds.translate import LICENSE_TYPE

_OF_EVERYBODY = ("user", "user.userDirectory", "user.userId", "user.name")
"""Facts that everybody has: an example tells them where the decision hangs on them."""


def proof_words(proof: Proof) -> str:
    """What became of a guarantee, in a sentence without its end: `guarantee "root admins" does not hold`."""
    words = {"proved": "holds", "refuted": "does not hold", "not decided": "is not decided"}
    return f"{proof.guarantee.title} {words[proof.outcome]}{by(proof.judge)}"


def example_words(policy: CheckedPolicy, proof: Proof) -> str:
    """The example that refutes a guarantee: a license, and what the rules say of it. Empty without one."""
    if proof.example is None:
        return ""
    shown = ", ".join(f"{name} = {said}" for name, said in example_facts(policy, proof))
    return f"{shown}: {_decided(proof.example, always=proof.guarantee.promise == 'always')}"


def example_facts(policy: CheckedPolicy, proof: Proof) -> list[tuple[str, str]]:
    """The facts of the example, by the names of their fields: those that it hangs on first."""
    example, guarantee = proof.example, proof.guarantee
    if example is None:
        return []
    about = [guarantee.condition] if guarantee.condition is not None else []
    about += [UnusedFor(guarantee.before)] if isinstance(guarantee.before, Length) else []
    deciding = [rule for rule in (example.rule, example.other_rule) if rule is not None]
    asked = dict.fromkeys((LICENSE_TYPE, *_fields(about), *_fields_of(deciding)))
    facts = list(_facts(example.case, policy, asked))
    if example.other is None:
        return facts
    of_license = (fact for fact in _facts(example.other, policy, asked) if fact[0].startswith("license."))
    return [*facts, *((f"the other's {name.removeprefix('license.')}", said) for name, said in of_license)]


def _facts(case: Situation, policy: CheckedPolicy, asked: Iterable[Field]) -> Iterator[tuple[str, str]]:
    """The facts that were asked for, and of the others those that are set."""
    wanted = dict.fromkeys(asked)
    for field in dict.fromkeys((*wanted, *_fields_of(policy.rules))):
        values = case.read(field)
        is_set = values is None or (bool(values) and not any(value is False for value in values))
        if field in wanted or (is_set and field.name not in _OF_EVERYBODY):
            yield print_field(field), _said(field, values, case)


def _said(field: Field, values: KnownValues, case: Situation) -> str:
    for kind in ("date", "number"):
        if case.world.satisfies(no_text(ReadAs(kind, field))):
            return f"a text that is no {kind}"
    if values is None:
        return "unknown"
    return " and ".join(map(_shown, values)) or "none"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else quote(value) if isinstance(value, str) else str(value)


def _decided(example: Counterexample, *, always: bool) -> str:
    if always:
        return f"kept by `{example.rule.title}`" if example.rule is not None else "no release rule matches"
    first = f"released by `{example.rule.title}`" if example.rule is not None else "released"
    return f"{first}, and the other by `{example.other_rule.title}`" if example.other_rule is not None else first


def _fields_of(rules: Iterable[Rule]) -> Iterator[Field]:
    for rule in rules:
        if rule.until is not None:
            yield Field("today")
        yield from _fields([rule.condition])


def _fields(conditions: Iterable[Condition]) -> Iterator[Field]:
    """The fields that conditions speak of, in order."""
    for condition in conditions:
        for node, _ in walk(condition):
            match node:
                case UnusedFor():
                    yield node.field
                case Season():
                    yield Field("today")
                case IsEmpty() | ReadAs():
                    pass  # their field comes next
                case Field():
                    yield node
