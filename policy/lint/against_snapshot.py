"""A policy against a snapshot: names that nobody there has, or that only look like one somebody has."""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from seatwarden.grammar.ast import (
    Comparison,
    Condition,
    Field,
    Let,
    Name,
    Operand,
    Operator,
    Rule,
    Season,
    Text,
    UnusedFor,
    walk,
)
from seatwarden.grammar.printer import print_field
from seatwarden.grammar.spans import Span
from seatwarden.grammar.suggest import did_you_mean
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.lint.findings import head, is_yaml, warning
from seatwarden.policy.lint.known_names import KnownNames
from seatwarden.policy.lint.lookalikes import looks
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.names import is_condition
from seatwarden.policy.operators import matches
from seatwarden.policy.vocabulary import NOUNS, entry_of

if TYPE_CHECKING:
    from seatwarden.policy.lint.rule_space import RuleSpace

MOST_FINDINGS = 10
"""Most values of one list that get a finding each; more share one."""
MOST_SUGGESTIONS = 3_000
"""Most names among which a similar one is looked for."""


def find_unknown_names(policy: CheckedPolicy, known: KnownNames, space: "RuleSpace") -> Iterator[Diagnostic]:
    """SW401 nobody has it, SW402 differs only in case, SW403 only looks the same, SW404 a rule that matches nobody."""
    names = _Names(policy, known)
    yield from (found_in_rules := list(_in_rules(policy, known, space, names)))
    # A guarantee mostly names what a rule names: that is said once, and there it is to be corrected.
    said = {finding.message for finding in found_in_rules}
    for about in (guarantee.condition for guarantee in policy.written.guarantees if guarantee.condition is not None):
        found = (finding for node, _ in walk(about) for finding in names.findings(node))
        yield from (finding for finding in found if finding.message not in said)


def _in_rules(policy: CheckedPolicy, known: KnownNames, space: "RuleSpace", names: "_Names") -> Iterator[Diagnostic]:
    unknown: set[str] = set()
    for let in policy.written.statements:
        if isinstance(let, Let) and is_condition(let.value):
            of_let = [finding for node, _ in walk(let.value) for finding in names.findings(node)]
            unknown |= {let.name} if of_let else set()
            yield from of_let
    for number, (rule, written) in enumerate(zip(policy.rules, policy.written.rules, strict=True)):
        nodes = [node for node, _ in walk(written.condition)]
        found = [finding for node in nodes for finding in names.findings(node)]
        yield from found
        if any(isinstance(node, Name) and node.name in unknown for node in nodes):
            continue
        settled = found or number in space.never | space.expired or changes_by_itself(rule)
        if not settled and not known.may_match(rule):
            message = f"`{rule.title}` matches nobody in this snapshot"
            does = rule.does if rule.takes else "protects"
            yield warning("SW404", message, head(rule), f"it {does} nobody today", "check its condition")


def changes_by_itself(rule: Rule) -> bool:
    """Whether time alone can make the rule match: on another day, or when a license is longer unused."""
    timed = (
        "today",
        "month",
        "weekday",
        "license.lastUsed",
        "license.neverUsed",
        "license.unusedDays",
        "user.lastUsed",
        "user.lastReleased",
        "user.unusedDays",
    )
    return any(
        isinstance(node, UnusedFor | Season) or (isinstance(node, Field) and node.name in timed)
        for node, _ in walk(rule.condition)
    )


class _Names:
    def __init__(self, policy: CheckedPolicy, known: KnownNames) -> None:
        self._policy, self._known = policy, known
        self._indexes: dict[str, _Index] = {}

    def findings(self, node: Condition) -> Iterator[Diagnostic]:
        """Findings on a comparison of a field with texts, and on the name of a property."""
        if isinstance(node, Field) and node.key is not None:
            yield from self._key(node, node.key)
        if not isinstance(node, Comparison):
            return
        for field, value in ((node.left, node.right), (node.right, node.left)):
            entry = entry_of(field) if isinstance(field, Field) else None
            if not isinstance(field, Field) or entry is None or entry.name not in NOUNS:
                continue
            # Values of a property that nobody has are no findings of their own.
            if field.key is None or field.key in self._known.keys[field.name]:
                yield from self._texts(field, node.operator, value)

    def _key(self, field: Field, key: str) -> Iterator[Diagnostic]:
        index = self._index(f"keys of {field.name}", lambda: self._known.keys[field.name])
        if key not in index.texts:
            shown = print_field(field)
            has, label = f"has the {NOUNS[field.name]} `{key}`", f"nobody has `{shown}`"
            yield self._finding(key, field.span, index, has, label)

    def _texts(self, field: Field, operator: Operator, value: Operand) -> Iterator[Diagnostic]:
        index = self._index(print_field(field), lambda: self._known.of(field))
        named = (text for text in self._policy.values_of(value) if isinstance(text, Text))
        texts = [text for text in named if not index.has(text.value, operator)]
        noun = NOUNS[field.name]
        whose = f"{noun} `{field.key}` set to" if field.key is not None else noun
        if len(texts) > MOST_FINDINGS:
            shown = ", ".join(f"`{text.value}`" for text in texts[:MOST_FINDINGS])
            message = f"{len(texts)} values are not in this snapshot: {shown} …"
            yield warning("SW401", message, value.span, f"no user has this {noun}", "check the list")
            return
        for text in texts:
            if operator == "like":
                message = f"no {noun} in this snapshot is like `{text.value}`"
                yield warning("SW401", message, text.span, "matches nobody", "`*` stands for any characters")
            else:
                is_user = field.name == "user"
                has = f"is `{text.value}`" if is_user else f"has the {whose} `{text.value}`"
                label = "no such user" if is_user else f"nobody has this {noun if field.key is None else 'value'}"
                yield self._finding(text.value, text.span, index, has, label, operator)

    def _finding(
        self, text: str, span: Span, index: "_Index", has: str, label: str, operator: Operator | None = None
    ) -> Diagnostic:
        cased = index.folded.get(text.casefold())
        if cased is not None:
            what = f"`{operator}` tells" if operator else "names of properties tell"
            or_else = ", or use `=`" if operator and not is_yaml(self._policy) else ""
            message = f"no user in this snapshot {has}; `{cased}` differs only in case"
            return warning("SW402", message, span, f"{what} capitals apart", f"write `{cased}`{or_else}")
        alike = index.looking_like(text)
        if alike is not None:
            message = f"no user in this snapshot {has}; `{alike}` only looks the same"
            return warning("SW403", message, span, _difference(text, alike), "copy it from the QMC")
        message = f"no user in this snapshot {has}"
        return warning("SW401", message, span, label, index.suggestion(text))

    def _index(self, name: str, texts: Callable[[], Iterable[str]]) -> "_Index":
        if name not in self._indexes:
            self._indexes[name] = _Index(texts())
        return self._indexes[name]


class _Index:
    """The texts of one field, found by spelling, by case and by looks."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = frozenset(texts)

    @cached_property
    def folded(self) -> dict[str, str]:
        return {text.casefold(): text for text in sorted(self.texts)}

    @cached_property
    def _looks(self) -> dict[str, str]:
        return {look: text for text in sorted(self.texts) for look in looks(text)}

    def has(self, text: str, operator: Operator) -> bool:
        """Whether some user has a text that is equal to this one, or like it, for the operator."""
        if operator == "like":
            return any(matches(other, text) for other in self.texts)
        return text in self.texts if operator in ("==", "!==") else text.casefold() in self.folded

    def looking_like(self, text: str) -> str | None:
        return next((self._looks[look] for look in looks(text) if look in self._looks), None)

    def suggestion(self, text: str) -> str | None:
        return did_you_mean(text, sorted(self.texts)) if len(self.texts) <= MOST_SUGGESTIONS else None


def _difference(text: str, other: str) -> str:
    """The first character in which two texts differ, as code points."""
    for one, two in zip(text, other, strict=False):
        if one != two and one.casefold() != two.casefold():
            return f"U+{ord(one):04X} here, U+{ord(two):04X} there"
    return f"{len(text)} characters here, {len(other)} there"
