"""Texts that are read as dates or numbers: where one of several decides, and where some cannot be read."""

from collections.abc import Iterator

from seatwarden.grammar.ast import And, Comparison, Condition, Not, Or, ReadAs, read_in, walk
from seatwarden.grammar.printer import print_field, print_operand, quote
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.lint.findings import warning
from seatwarden.policy.lint.known_names import KnownNames
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.operators import FLIPPED, read_text
from seatwarden.policy.vocabulary import VOCABULARY

MOST_SHOWN = 3
"""Most texts that are shown of those that cannot be read."""
_LATER = {"<": ">=", "<=": ">"}


def find_any_of_several(policy: CheckedPolicy) -> Iterator[Diagnostic]:
    """SW327: a rule that takes licenses asks whether one of several dates or numbers is small; mostly all are meant."""
    for rule in policy.rules:
        if rule.takes:
            yield from _small(rule.condition, wanted=True)


def find_unreadable(policy: CheckedPolicy, known: KnownNames) -> Iterator[Diagnostic]:
    """SW409: texts of the snapshot that a rule would read as a date or a number, and cannot."""
    for rule in policy.rules:
        for node, _ in walk(rule.condition):
            if isinstance(node, ReadAs):
                texts = known.of(node.field)
                bad = sorted(text for text in texts if read_text(node.kind, text) is None)
                if bad:
                    shown = ", ".join(map(quote, bad[:MOST_SHOWN])) + (" …" if len(bad) > MOST_SHOWN else "")
                    are = f"{len(bad)} is" if len(bad) == 1 else f"{len(bad)} are"
                    field = print_field(node.field)
                    message = f"of the {len(texts)} texts that `{field}` has in this snapshot {are} no {node.kind}"
                    written = "2027-02-28" if node.kind == "date" else "1 to 9 digits"
                    help_ = f"write each as {written}; of who has such a text it is not known, and her license is kept"
                    yield warning("SW409", message, node.span, shown, help_)


def _small(condition: Condition, *, wanted: bool) -> Iterator[Diagnostic]:
    match condition:
        case And(operands) | Or(operands):
            for operand in operands:
                yield from _small(operand, wanted=wanted)
        case Not(operand):
            yield from _small(operand, wanted=not wanted)
        case Comparison(operator, left, right) if wanted:
            for own, other, asked in ((left, right, operator), (right, left, FLIPPED.get(operator))):
                read = read_in(own)
                if read is not None and VOCABULARY[read.field.name].many and asked in _LATER:
                    field = print_field(read.field)
                    message = f"one of several values of `{field}` is enough for this"
                    all_of_them = f"{print_operand(own)} {_LATER[asked]} {print_operand(other)}"
                    help_ = f"where all are meant: `{field} is not empty and not {all_of_them}`"
                    beside = "a later one" if read.kind == "date" else "a larger one"
                    label = f"true when any {read.kind} is, also beside {beside}"
                    yield warning("SW327", message, condition.span, label, help_)
        case _:
            pass
