"""Stand-ins: marks in the place of the names of people whom no rule speaks of.

Nearly everybody is a stranger to a policy: no rule has their name. What is said of one stranger is said of every other
with the same facts, but for the name. So their names are replaced by marks before anything is decided or explained
again, one explanation serves them all, and who shows it puts the name where the mark stands.

Whether somebody is a stranger is not guessed. Every test of names decides on the name and on the mark, in every user
directory that a change could put somebody into; only where all truths are the same the mark may stand in.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import and_, is_

from seatwarden.engine.decide.column_tests import FactBatch
from seatwarden.engine.decide.compiled import CompiledCondition, CompiledRules
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.explain.what_if import directories_tried
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import Comparison, Field, Name
from seatwarden.policy.loading import CheckedPolicy

_USER, _ID, _NAME = Field("user"), Field("user.userId"), Field("user.name")
_PERSONAL = (_USER, _ID, _NAME)
"""Fields of which everybody has a value of their own."""
_DIRECTORY = Field("user.userDirectory")


@dataclass(frozen=True, slots=True)
class Marks:
    """What stands in for a user's id, a user's name, the reason of a decision and the state in a run."""

    user: str
    name: str
    reason: str
    state: str


def marks_of(seal: str) -> Marks:
    """Marks that no text of a plan can have: they are made of its seal, which is a digest of all its texts.

    They have no character that a policy compares with: noncharacters of Unicode.
    """
    digits = hashlib.sha256(seal.encode()).hexdigest()
    digest = "".join(chr(0xFDD0 + int(digit, 16)) for digit in digits)
    return Marks(*(f"{chr(0xFDE0 + n)}{digest}" for n in range(4)))


class StandIns:
    """Puts marks in the place of strangers' names, for the rules of one license type."""

    def __init__(self, policy: CheckedPolicy, rules: CompiledRules, marks: Marks) -> None:
        self._marks = marks
        tests = [leaf for condition in rules.conditions for leaf in leaves_of(condition)]
        self._tests = tuple(leaf for leaf in tests if any(field in _PERSONAL for field, _ in leaf.reads))
        self._of_user = tuple(leaf for leaf in self._tests if any(field == _USER for field, _ in leaf.reads))
        read = {field for leaf in tests for field, _ in leaf.reads}
        self._places = {field: rules.place_of(field) for field in (*_PERSONAL, _DIRECTORY) if field in read}
        of_directory = [leaf.condition for leaf in tests if any(field == _DIRECTORY for field, _ in leaf.reads)]
        compared = [condition for condition in of_directory if isinstance(condition, Comparison)]
        self._directories = directories_tried(compared, policy.names) if compared else ()
        self.are_used = bool(self._tests) and _compare_with_constants(self._tests, tests)
        """Whether any name has a mark."""

    def place(self, decisions: Sequence[Decision], batch: FactBatch) -> FactBatch:
        """The facts of these decisions, with marks for the names of strangers."""
        if not self.are_used:
            return batch
        marked = self._marked(decisions, batch)
        strangers = self._strangers(decisions, batch, marked)
        columns = list(batch.columns)
        for place in self._name_places():
            pairs = zip(strangers, columns[place], marked.columns[place], strict=True)
            columns[place] = [mark if is_stranger else own for is_stranger, own, mark in pairs]
        return FactBatch(batch.size, columns)

    def _name_places(self) -> list[int]:
        return [place for field, place in self._places.items() if field in _PERSONAL]

    def _marked(self, decisions: Sequence[Decision], batch: FactBatch) -> FactBatch:
        """The facts with marks for all names that are known."""
        marks, columns = self._marks, list(batch.columns)
        of_all = {
            _USER: [_in(decision.user_directory, marks.user) for decision in decisions],
            _ID: [marks.user] * batch.size,
            _NAME: [marks.name] * batch.size,
        }
        for field, place in self._places.items():
            if field in of_all:
                pairs = zip(columns[place], of_all[field], strict=True)
                columns[place] = [own if isinstance(own, Unknown) else mark for own, mark in pairs]
        return FactBatch(batch.size, columns)

    def _strangers(self, decisions: Sequence[Decision], batch: FactBatch, marked: FactBatch) -> list[bool]:
        """Who may have marks for names: who decides everywhere as the marks do."""
        found = self._plainly_named(decisions, batch)
        for leaf in self._tests:
            found = list(map(and_, found, map(is_, leaf.test(batch), leaf.test(marked))))
        for one, other in self._elsewhere(decisions, batch):
            for leaf in self._of_user:
                found = list(map(and_, found, map(is_, leaf.test(one), leaf.test(other))))
        return found

    def _plainly_named(self, decisions: Sequence[Decision], batch: FactBatch) -> list[bool]:
        """Who is named by the facts as by the decision, by names that are not each other's."""
        ids = [decision.user_id or "" for decision in decisions]
        directories = [decision.user_directory for decision in decisions]
        names = [decision.user_name or "" for decision in decisions]
        users = list(map(_in, directories, ids))
        own: dict[Field, Sequence[str | None]] = {_USER: users, _ID: ids, _NAME: names, _DIRECTORY: directories}
        found = list(map(bool, ids))
        for field, place in self._places.items():
            pairs = zip(found, batch.columns[place], own[field], strict=True)
            found = [plain and (fact == name or isinstance(fact, Unknown)) for plain, fact, name in pairs]
        if _NAME not in self._places:
            return found
        # A list may be one of ids and of names: who is called as an id is, is explained alone.
        called = zip(found, names, ids, users, strict=True)
        return [plain and name.casefold() not in (i.casefold(), u.casefold()) for plain, name, i, u in called]

    def _elsewhere(self, decisions: Sequence[Decision], batch: FactBatch) -> Iterator[tuple[FactBatch, FactBatch]]:
        """Names and marks as they were if everybody were in another user directory, for each that is thought of."""
        if not self._of_user:
            return
        place, ids = self._places[_USER], [decision.user_id or "" for decision in decisions]
        for directory in self._directories:
            columns, marked = list(batch.columns), list(batch.columns)
            columns[place] = [_in(directory, id_) for id_ in ids]
            marked[place] = [_in(directory, self._marks.user)] * batch.size
            yield FactBatch(batch.size, columns), FactBatch(batch.size, marked)


def _in(directory: str | None, id_: str) -> str:
    return f"{directory}\\{id_}"


def leaves_of(condition: CompiledCondition) -> Iterator[CompiledCondition]:
    """The parts of a condition that have no parts themselves."""
    if not condition.parts:
        yield condition
    for part in condition.parts:
        yield from leaves_of(part)


def _compare_with_constants(personal: Sequence[CompiledCondition], tests: Sequence[CompiledCondition]) -> bool:
    """Whether no test compares a name with another fact, and no list that names people is read by tests of others."""
    if any(len(leaf.reads) > 1 for leaf in personal):
        return False
    # "If you were on that list": what else is compared with the list is decided again, with the name in it.
    lists = {side for leaf in personal for side in _named_lists(leaf)}
    others = [leaf for leaf in tests if lists & set(_named_lists(leaf))]
    return all(leaf in personal and not _is_pattern(leaf) for leaf in others)


def _named_lists(leaf: CompiledCondition) -> list[Name]:
    condition = leaf.condition
    if not isinstance(condition, Comparison):
        return []
    return [side for side in (condition.left, condition.right) if isinstance(side, Name)]


def _is_pattern(leaf: CompiledCondition) -> bool:
    return isinstance(leaf.condition, Comparison) and leaf.condition.operator == "like"
