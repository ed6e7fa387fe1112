"""Values as they are written: twice, nearly twice, with what cannot be seen, or not used at all."""

import re
import unicodedata
from collections.abc import Iterator

from seatwarden.grammar.ast import (
    LICENSE_TYPES,
    Comparison,
    Field,
    Let,
    ListOf,
    Literal_,
    Name,
    Operand,
    ReadAs,
    Shifted,
    Text,
    UnusedFor,
    walk,
)
from seatwarden.grammar.printer import print_field, quote
from seatwarden.grammar.spans import Span
from seatwarden.grammar.suggest import no_value
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.lint.findings import is_yaml, warning
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.names import is_condition
from seatwarden.policy.vocabulary import entry_of

_OTHER_PATTERNS = re.compile(r"^%|%$|\.[*+]|^\^|\$$|^\?|\?$")
"""How patterns of SQL, of regular expressions and of file names look."""
_EXACT = ("==", "!==")
_EQUAL = ("=", "!=", *_EXACT)


def find_values(policy: CheckedPolicy) -> Iterator[Diagnostic]:
    """SW314 unused name, SW315 listed twice, SW316 differs in case only, SW317 unseen character, SW318 a stray `*`,
    SW321 no value written as a value, SW323 a doubled backslash, SW324 a rule named like a license type,
    SW325 a user without a directory."""
    used: dict[str, list[Comparison]] = {}
    lets = [statement for statement in policy.written.statements if isinstance(statement, Let)]
    for rule in policy.written.rules:
        if rule.name is not None and rule.name.casefold() in LICENSE_TYPES and not rule.license_types:
            message = f"{quote(rule.name)} is the rule's name here: it speaks of both license types"
            help_ = f"a type stands without quotes: {rule.kind} {rule.name.casefold()}"
            yield warning("SW324", message, rule.name_span, "a name", help_)
    conditions = list(policy.written.conditions)
    conditions += [let.value for let in lets if isinstance(let.value, Shifted) or is_condition(let.value)]
    for node in (node for condition in conditions for node, _ in walk(condition)):
        if isinstance(node, Comparison):
            yield from _no_value(node)
            for operand in (node.left, node.right):
                if isinstance(operand, Name):
                    used.setdefault(operand.name, []).append(node)
                elif not isinstance(operand, Field | ReadAs | Shifted):
                    yield from _operand(operand, [node], policy)
        elif isinstance(node, Name):
            used.setdefault(node.name, [])
        elif isinstance(node, UnusedFor | Shifted) and isinstance(node.length, Name):
            used.setdefault(node.length.name, [])
    for notice in (rule.notice for rule in policy.written.rules if rule.notice is not None):
        named = (length.name for length in (notice.length, notice.reminder) if isinstance(length, Name))
        used |= {name: used.get(name, []) for name in named}
    before = (guarantee.before for guarantee in policy.written.guarantees)
    used |= {length.name: used.get(length.name, []) for length in before if isinstance(length, Name)}
    for let in lets:
        if let.name not in used:
            message = f"`{let.name}` is never used"
            yield warning("SW314", message, let.name_span, "no rule speaks of it", "remove it")
        if let.name in policy.names:
            yield from _operand(policy.names[let.name], used.get(let.name, []), policy)


def _no_value(comparison: Comparison) -> Iterator[Diagnostic]:
    """The empty text or list, compared with a field of which users have any number: who has none has no empty one."""
    for field, value in ((comparison.left, comparison.right), (comparison.right, comparison.left)):
        entry = entry_of(field) if isinstance(field, Field) else None
        if not entry or not entry.many or not isinstance(field, Field) or comparison.operator not in _EQUAL:
            continue
        items = value.items if isinstance(value, ListOf) else (value,)
        places = [item.span for item in items if item == Text("")] or ([value.span] if not items else [])
        for span in places:
            who = f"without a value of `{print_field(field)}`"
            finds = comparison.operator in ("=", "==")
            message = f"nobody {who} is found by this" if finds else f"users {who} are not left out by this"
            label = "no value is not the empty text" if items else "no value is not an empty list"
            yield warning("SW321", message, span, label, no_value(print_field(field)))


def _operand(value: Operand, uses: list[Comparison], policy: CheckedPolicy) -> Iterator[Diagnostic]:
    """Findings in a value, which these comparisons use."""
    operators = {use.operator for use in uses}
    items = value.items if isinstance(value, ListOf) else (value,)
    literals = [item for item in items if isinstance(item, Literal_)]
    if isinstance(value, ListOf):
        exact = not operators.isdisjoint(_EXACT) if operators else None
        yield from _doubled(literals, exact=exact, yaml=is_yaml(policy))
        yield from _without_directory(literals, uses)
    for item in literals:
        if isinstance(item, Text):
            yield from _unseen(item)
            if "\\\\" in item.value and not is_yaml(policy):
                said = quote(item.value.replace("\\\\", "\\"))
                message = f"{quote(item.value)} has two backslashes in a row"
                yield warning(
                    "SW323", message, item.span, "both count: a backslash is an ordinary character", f"write {said}"
                )
            if operators == {"like"} and "*" not in item.value and _OTHER_PATTERNS.search(item.value):
                message = f"{quote(item.value)} is no pattern: only `*` stands for anything"
                yield warning("SW318", message, item.span, "every character stands for itself", "write `*`")
            if "*" in item.value and operators and operators.issubset(_EQUAL):
                message = f"`*` in {quote(item.value)} stands for itself"
                operator = next(iter(sorted(operators)))
                label = f"`{operator}` knows no pattern"
                yield warning("SW318", message, item.span, label, "write `like` where `*` is to stand for anything")


def _without_directory(items: list[Literal_], uses: list[Comparison]) -> Iterator[Diagnostic]:
    """Users in a list that lack the directory that others have. A list in which all lack it matches nobody: SW301."""
    of_users = any(Field("user") in (use.left, use.right) and use.operator in _EQUAL for use in uses)
    alone = [item for item in items if isinstance(item, Text) and "\\" not in item.value]
    if not of_users or len(alone) == len(items):
        return
    for item in alone:
        message = f"no user is {quote(item.value)}: the directory is missing"
        help_ = f"write {quote('DIRECTORY' + chr(92) + item.value)}"
        yield warning("SW325", message, item.span, "`user` is DIRECTORY\\userId", help_)


def _doubled(items: list[Literal_], *, exact: bool | None, yaml: bool) -> Iterator[Diagnostic]:
    """Values that are in a list already. `exact` says whether some use tells case apart, None when there is no use."""
    first: dict[object, Literal_] = {}
    folded: dict[str, Text] = {}
    for item in items:
        key = (type(item), item.value)
        near = folded.get(item.value.casefold()) if isinstance(item, Text) else None
        if key in first:
            yield _again("SW315", f"{_shown(item)} is listed twice", item.span, first[key].span, "remove one of them")
        elif near is not None and isinstance(item, Text) and exact is not None:
            both = f"{_shown(near)} and {_shown(item)}"
            if not exact:
                message = f"{both} are the same for `=`, which ignores case"
                yield _again("SW315", message, item.span, near.span, "remove one of them")
            elif not yaml:  # there, a second spelling is how one ignores case
                message = f"{both} differ only in case"
                yield _again("SW316", message, item.span, near.span, "write `=` instead of `==`: it ignores case")
        first.setdefault(key, item)
        if isinstance(item, Text):
            folded.setdefault(item.value.casefold(), item)


def _again(code: str, message: str, span: Span, before: Span, help_: str) -> Diagnostic:
    related = ((before, "first here"),) if before != span else ()
    return warning(code, message, span, "again here", help_, related)


def _unseen(text: Text) -> Iterator[Diagnostic]:
    unseen = next((c for c in text.value if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")), None)
    spaces = next((c for c in text.value if c != " " and unicodedata.category(c) == "Zs"), None)
    if unseen is not None or spaces is not None:
        character = unseen or spaces or ""
        name = unicodedata.name(character, "a control character").lower()
        message = f"{_shown(text)} contains a character that cannot be seen"
        yield warning("SW317", message, text.span, f"U+{ord(character):04X}, {name}", "type the text anew")
    elif text.value != text.value.strip():
        message = f"{_shown(text)} starts or ends with a space"
        yield warning("SW317", message, text.span, "the space is part of the text", "remove the space")


def _shown(item: Literal_) -> str:
    return f"`{item.value}`" if isinstance(item, Text) else f"`{str(item.value).lower()}`"
