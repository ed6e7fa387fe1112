"""The texts that are enough: for each field those that a policy can tell apart, and some that it cannot.

What a policy says of texts is the same of all that it does not name; so a question about endless texts becomes
one about a handful. Nothing here knows how anybody answers it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice

from seatwarden.grammar.ast import (
    Comparison,
    Condition,
    Field,
    ListOf,
    Name,
    Operand,
    ReadAs,
    Text,
    read_in,
    unmoved,
    walk,
)
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.names import NamedValue
from seatwarden.policy.vocabulary import OF_POOL, VOCABULARY, Type
from seatwarden.policy.worlds.spellings import spellings

DIRECTORY, USER_ID = Field("user.userDirectory"), Field("user.userId")
MOST_TEXTS = 5_000
"""Most texts of all fields together: to write the question down takes as long as to answer it."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """The texts that each field may have; of what is read as a date or a number how many more that say one."""

    texts: Mapping[Field, tuple[str, ...]]
    read: Mapping[tuple[Field, str], int]
    named_users: tuple[str, ...]

    @classmethod
    def of(cls, policy: CheckedPolicy) -> "Candidates | None":
        """The candidates of a policy; None where it says of texts what no handful of them can tell."""
        nodes = [node for said in policy.tree.conditions for node, _ in walk(said)]
        fields = dict.fromkeys(node for node in nodes if isinstance(node, Field))
        if not all(_is_finite(node, policy.names) for node in nodes):
            return None
        comparisons = dict.fromkeys(node for node in nodes if isinstance(node, Comparison))
        written = (field for field in fields if VOCABULARY[field.name].type is Type.TEXT)
        named: dict[Field, dict[str, None]] = {DIRECTORY: {}, USER_ID: {}, **{field: {} for field in written}}
        for one in comparisons:
            for field, other in ((one.left, one.right), (one.right, one.left)):
                if isinstance(field, Field) and field in named and not isinstance(other, Field):
                    named[field].update(dict.fromkeys(_texts(other, policy.names)))
        links = [one for one in comparisons if _is_between_texts(one)]
        linked = dict.fromkeys(side for one in links for side in (one.left, one.right) if isinstance(side, Field))
        read = _readings(comparisons, nodes)
        if Field("user") in linked or any(field in linked for field, _ in read):
            return None
        users = tuple(named.pop(Field("user"), {}))
        for directory, user_id in chain.from_iterable(map(ways_to_divide, users)):
            named[DIRECTORY][directory] = named[USER_ID][user_id] = None
        pool = dict.fromkeys(chain.from_iterable(chain(named[one], VOCABULARY[one.name].values) for one in linked))
        texts = {field: tuple(_told_apart(own, 1, 1)) for field, own in named.items() if field not in linked}
        # Each comparison of two fields that holds needs a text in both, and each field one that no other has.
        texts |= {field: tuple(_told_apart(pool, 2 * len(links) + len(linked), 2 * len(links) + 1)) for field in linked}
        return cls(texts, read, users) if sum(map(len, texts.values())) <= MOST_TEXTS else None


def ways_to_divide(user: str) -> Iterator[tuple[str, str]]:
    r"""The directories and user IDs that `DIRECTORY\userId` can be made of."""
    for place, character in enumerate(user):
        if character == "\\":
            yield user[:place], user[place + 1 :]


def _told_apart(named: Iterable[str], others: int, spelled: int) -> Iterator[str]:
    """The named texts, so many other spellings of each, a blank one, and so many others."""
    by_fold: dict[str, dict[str, None]] = {}
    for text in named:
        by_fold.setdefault(text.casefold(), {})[text] = None
    unnamed = (f"somebody's {number}" for number in range(len(by_fold) + others))
    by_fold |= {text: {} for text in islice((text for text in unnamed if text not in by_fold), others)}
    for folded, own in by_fold.items():
        yield from own
        yield from islice((text for text in spellings(folded) if text not in own), spelled)
    yield next(blank for blank in (" " * length for length in range(len(by_fold) + 1)) if blank not in by_fold)


def _readings(comparisons: Iterable[Comparison], nodes: Iterable[Condition]) -> dict[tuple[Field, str], int]:
    """How many texts that say a date or a number each field needs: one for each comparison, and one more."""
    needed: dict[tuple[Field, str], int]
    needed = {(node.field, node.kind): 1 for node in nodes if isinstance(node, ReadAs)}
    for one in comparisons:
        for read in map(read_in, (one.left, one.right)):
            if read is not None:
                needed[read.field, read.kind] += 1
    return needed


def _is_finite(node: Condition, names: Mapping[str, NamedValue]) -> bool:
    match node:
        case Field(name):
            return name not in OF_POOL
        case Comparison("like", left, right):
            return isinstance(left, Field) and not isinstance(right, Field) and "*" not in "".join(_texts(right, names))
        case _:
            return True


def _is_between_texts(one: Comparison) -> bool:
    return all(isinstance(side, Field) and VOCABULARY[side.name].type is Type.TEXT for side in (one.left, one.right))


def _texts(operand: Operand, names: Mapping[str, NamedValue]) -> Iterator[str]:
    value = names[operand.name] if isinstance(operand, Name) else unmoved(operand)
    items = value.items if isinstance(value, ListOf) else (value,)
    yield from (item.value for item in items if isinstance(item, Text))
