"""The policy as it was written: the lines of its files, and which rule stands where."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from seatwarden.engine.log.run_folder import CANONICAL_FILE
from seatwarden.grammar.ast import Rule
from seatwarden.policy.loading import check_text

_LONG = 400
"""A file with more lines is shown from a little before its first rule to a little behind the last: a Butler config
file has hundreds of lines that are about something else."""
_BEFORE, _BEHIND = 10, 25


@dataclass(frozen=True, slots=True)
class ListedLine:
    """A line of a file: its number there, its name on the page, and the rules that begin on it, by their index."""

    number: int
    anchor: str
    text: str
    rules: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file of the policy. `lines` are those shown of `whole` in all; `is_canonical`: not the file, but what it
    means, in the layout that all policies have."""

    name: str
    lines: tuple[ListedLine, ...]
    whole: int
    is_canonical: bool = False


@dataclass(frozen=True, slots=True)
class PolicyListing:
    """The files in which rules stand, and the name on the page of the line of each rule, in the order of the rules."""

    files: tuple[ListedFile, ...]
    anchors: tuple[str, ...]


def listing_of(rules: Sequence[Rule], canonical: str, sources: Mapping[str, str]) -> PolicyListing:
    """The listing of a policy; `sources` are its files by their names. Without those that rules stand in, its canonical
    text is shown."""
    places = [_place(rule) for rule in rules]
    lines = {name: text.splitlines() for name, text in sources.items()}
    if not all(name in lines and 0 < line <= len(lines[name]) for name, line in places):
        return _canonical(canonical)
    names = list(dict.fromkeys(name for name, _ in places)) or list(sources)[:1]
    begins: dict[tuple[str, int], list[int]] = defaultdict(list)
    for n, place in enumerate(places):
        begins[place].append(n)
    files = tuple(
        ListedFile(name, tuple(_lines(n, name, lines[name], begins)), len(lines[name])) for n, name in enumerate(names)
    )
    return PolicyListing(files, tuple(_anchor(names.index(name), line) for name, line in places))


def _canonical(text: str) -> PolicyListing:
    lines = text.splitlines()
    places = [rule.span.line for rule in check_text(text, CANONICAL_FILE).rules]
    begins = {(CANONICAL_FILE, line): [n] for n, line in enumerate(places)}
    shown = tuple(_lines(0, CANONICAL_FILE, lines, begins))
    listed = ListedFile(CANONICAL_FILE, shown, len(lines), is_canonical=True)
    return PolicyListing((listed,), tuple(_anchor(0, line) for line in places))


def _lines(
    file: int, name: str, lines: Sequence[str], begins: Mapping[tuple[str, int], list[int]]
) -> Iterator[ListedLine]:
    first, last = 1, len(lines)
    if len(lines) > _LONG and (of_rules := [line for where, line in begins if where == name]):
        first, last = max(min(of_rules) - _BEFORE, 1), min(max(of_rules) + _BEHIND, len(lines))
    for number in range(first, last + 1):
        yield ListedLine(number, _anchor(file, number), lines[number - 1], tuple(begins.get((name, number), ())))


def _place(rule: Rule) -> tuple[str, int]:
    """The file that a rule stands in, and its line."""
    file, line, _ = rule.place.rsplit(":", 2)
    return file, int(line)


def _anchor(file: int, line: int) -> str:
    return f"file{file + 1}-{line}"
