"""Reading settings out of YAML nodes: every wrong one is noted with its place, and reading goes on."""

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from seatwarden.grammar.spans import Span
from seatwarden.grammar.suggest import did_you_mean, nearest
from seatwarden.policy.diagnostics import MAX_FINDINGS, Diagnostic
from seatwarden.policy.yaml.masks import SECRETS, without_logins
from seatwarden.policy.yaml.nodes import Entry, Node, YamlList, YamlMap, YamlScalar, for_backslashes, form_of, is_null
from seatwarden.policy.yaml.values import read_plain

VARIABLE = re.compile(r"\$\{(\w+)\}")
"""A variable of the environment, in a site file."""
_SECRETS = (*SECRETS, "value")
"""Keys of site files whose values are secrets."""


FOR_NOTHING = "remove it, or write what is meant"
"""The help where nothing stands in the place of a value."""


class YamlReader:
    """Collects findings while values are read. Each reading method returns None when the value is wrong.

    `environment` has what is written `${NAME}`; without one, that is text like any other. Relative paths are within
    `folder`. What stops nothing is among the `warnings`. A `strict` reader takes errors for errors in what is switched
    off, too. `secret_files` are those that secrets were read from, with the key of each.
    """

    def __init__(
        self, environment: Mapping[str, str] | None = None, folder: Path = Path(), *, strict: bool = False
    ) -> None:
        self.environment = environment or {}
        self._takes_variables = environment is not None
        self.folder = folder
        self.strict = strict
        self.findings: list[Diagnostic] = []
        self.warnings: list[Diagnostic] = []
        self.secret_files: list[tuple[str, Path]] = []
        self._origins: dict[Span, str] = {}
        self._concealed: list[Span] = []
        self._meant: set[tuple[Span, str | None]] = set()

    def conceal(self, node: Node) -> None:
        """Note that a value is or may be a secret: no finding shows it, see `concealed`."""
        if not is_null(node):  # where nothing stands, the key is marked
            self._concealed.append(node.span)

    def conceal_all(self, node: Node) -> None:
        """The same of every value in it."""
        match node:
            case YamlMap():
                for entry in node.entries:
                    self.conceal_all(entry.value)
            case YamlList():
                for item in node.items:
                    self.conceal_all(item)
            case _:
                self.conceal(node)

    def concealed(self, text: str) -> str:
        """The file's text with every secret in it as dots, each character in its place: what findings may quote."""
        lines = text.split("\n")
        for span in self._concealed:
            for number in range(span.line, min(span.end_line, len(lines)) + 1):
                line = lines[number - 1]
                start = span.column - 1 if number == span.line else 0
                end = min(span.end_column - 1 if number == span.end_line else len(line), len(line))
                lines[number - 1] = line[:start] + "•" * (end - start) + line[end:]
        return without_logins("\n".join(lines))

    def error(self, code: str, message: str, span: Span, label: str, help_: str | None = None) -> None:
        """Note a finding."""
        origin = self._origins.get(span, "")
        if origin and origin not in f"{message} {label}":
            label = f"{label}, from {origin}"
        self.findings.append(Diagnostic(code, "error", message, span, label, help_))

    def warning(self, code: str, message: str, span: Span, label: str, help_: str | None = None) -> None:
        """Note a finding that stops nothing."""
        self.warnings.append(Diagnostic(code, "warning", message, span, label, help_))

    def let_be(self, first: int, places: Iterable[Span]) -> None:
        """Make warnings (SW213) of the findings from the `first` on that stand in one of the places: it is switched
        off, and its values may be made up."""
        if self.strict:
            return
        places, found = tuple(places), self.findings[first:]
        off = [finding for finding in found if any(finding.span.within(place) for place in places)]
        self.findings[first:] = [finding for finding in found if finding not in off]
        for finding in off:
            self.warning(
                "SW213",
                finding.message,
                finding.span,
                finding.label,
                "it is switched off: mend it before you enable it",
            )

    def unlike(self, node: Node, what: str, expected: str, help_: str | None = None) -> None:
        """Note that a value is something else than it must be."""
        help_ = FOR_NOTHING if is_null(node) else help_
        self.error("SW204", f"`{what}` must be {expected}", node.span, f"this is {describe(node)}", help_)

    def mapping(self, node: Node, what: str, *, known: Iterable[str], required: Iterable[str] = ()) -> YamlMap | None:
        """A map with keys among `known`; a missing required key and an unknown one are findings.

        One that is missing since it is mistyped is one finding, not two.
        """
        if not isinstance(node, YamlMap):
            self.unlike(node, what, "a map")
            return None
        known = tuple(known)
        for entry in node.entries:
            key = entry.key.text
            if key not in known and len(self.findings) < MAX_FINDINGS:
                self._conceal_mistyped(entry)
                meant = nearest(key, known)
                help_ = f"did you mean `{meant}`?" if meant else f"`{what}` has the keys {', '.join(known)}"
                self.error("SW203", f"unknown key `{key}` in `{what}`", entry.key.span, "not a setting", help_)
                self._meant.add((node.span, meant))
        for key in required:
            if self.lacks(node, key):
                self.lacking(node, what, key)
        return node

    def lacking(self, mapping: YamlMap, what: str, key: str, help_: str | None = None) -> None:
        """Note that a map lacks a key, or has it without a value, which is the same."""
        empty = mapping.written(key)
        place, label = (empty.key.span, "nothing stands behind it") if empty else (mapping.start, "in this map")
        self.error("SW206", f"`{what}` lacks the key `{key}`", place, label, help_)

    def lacks(self, mapping: YamlMap, key: str) -> bool:
        """Whether a map has no such key, nor one that was found to be this one mistyped."""
        return mapping.get(key) is None and (mapping.span, key) not in self._meant

    def near_misses(self, mapping: YamlMap, what: str, needed: Iterable[str], others: Iterable[str] = ()) -> None:
        """Notes each key that almost is a needed one, which is absent, in a map where other programs have keys too."""
        needed, others = tuple(needed), frozenset(others)
        present = [entry.key.text for entry in mapping.entries]
        for entry in mapping.entries:
            key = entry.key.text
            meant = nearest(key, needed) if key not in needed and key not in others else None
            if meant and meant not in present:
                self._conceal_mistyped(entry)
                help_ = f"did you mean `{meant}`?"
                self.error("SW203", f"unknown key `{key}` in `{what}`", entry.key.span, "not a setting", help_)
                self._meant.add((mapping.span, meant))

    def unread(self, mapping: YamlMap, what: str, known: Iterable[str]) -> None:
        """Warns of each key that is not known, as far as nothing is said of it yet."""
        known, said = frozenset(known), {finding.span for finding in self.findings}
        for entry in mapping.entries:
            key = entry.key
            if key.text not in known and key.span not in said and len(self.warnings) < MAX_FINDINGS:
                self.warning("SW212", f"`{key.text}` in `{what}` is not read", key.span, "no setting that is known")

    def _conceal_mistyped(self, entry: Entry) -> None:
        """Hides what stands under a key that is almost one of a secret."""
        if nearest(entry.key.text, _SECRETS):
            self.conceal_all(entry.value)

    def items(self, node: Node, what: str) -> tuple[Node, ...]:
        """The items of a list; null is an empty list, as in Butler."""
        if isinstance(node, YamlList):
            return node.items
        if not is_null(node):
            help_ = "start each item with `- `" if form_of(node.span.file) == "YAML" else "put it in brackets: […]"
            self.unlike(node, what, "a list", help_)
        return ()

    def came_from(self, span: Span, origin: str) -> None:
        """Note where the value of a place was read; findings about it say so, and show none of it."""
        self._origins[span] = origin

    def variable(self, name: str, span: Span) -> str | None:
        """What a variable of the environment has, which can be printed and is not empty; None is noted (SW205)."""
        value = self.environment.get(name)
        if not value:
            message = f"environment variable `{name}` is not set"
            self.error("SW205", message, span, "taken from there", "set it where the command runs")
            return None
        if not value.isprintable():
            message = f"environment variable `{name}` has a line break or another character that is not printable"
            self.error("SW205", message, span, "taken from there", "set it without a line break at its end")
            return None
        return value

    def resolved(self, node: Node) -> Node | None:
        """The node; for `${NAME}` in a site file the variable's text, with what it is as a plain value of YAML.

        None where there is no such variable, which is noted.
        """
        match = VARIABLE.fullmatch(node.value) if isinstance(node, YamlScalar) and isinstance(node.value, str) else None
        if match is None or not self._takes_variables:
            return node
        text = self.variable(match[1], node.span)
        if text is None:
            return None
        origin = f"environment variable `{match[1]}`"
        self.came_from(node.span, origin)
        return YamlScalar(read_plain(text.strip(" ")), text, None, node.span, origin=origin)

    def expanded(self, text: str, span: Span) -> str | None:
        """A path with each `${NAME}` in it replaced by the variable; None where there is no such variable."""
        if not self._takes_variables:
            return text
        values = {name: self.variable(name, span) for name in dict.fromkeys(VARIABLE.findall(text))}
        return None if None in values.values() else VARIABLE.sub(lambda match: values[match[1]] or "", text)

    def text(self, node: Node, what: str) -> str | None:
        """A text, as it is; line breaks cannot be part of one."""
        given = self.resolved(node)
        if given is None or (isinstance(given, YamlScalar) and given.origin):
            return given.text if isinstance(given, YamlScalar) else None
        if not isinstance(node, YamlScalar) or not isinstance(node.value, str):
            help_ = f"put it in quotes: {_quoted(node)}" if isinstance(node, YamlScalar) and node.text else None
            self.unlike(node, what, "text", help_)
            return None
        if "\n" in node.value or "\r" in node.value:
            message = f"`{what}` contains a line break"
            help_ = for_backslashes(node.span.file) if node.escapes else "write it on one line, in quotes"
            self.error("SW205", message, node.span, "one line only", help_)
            return None
        return node.value

    def boolean(self, node: Node, what: str) -> bool | None:
        """True or false; YAML 1.2 reads `yes`, `no`, `on` and `off` as text."""
        given = self.resolved(node)
        if isinstance(given, YamlScalar) and isinstance(given.value, bool):
            return given.value
        if given is not None:
            self.unlike(given, what, "true or false", "write true or false")
        return None

    def whole(self, node: Node, what: str, unit: str | None = None) -> int | None:
        """A whole number, not negative, of `unit` where it counts something."""
        given = self.resolved(node)
        return None if given is None else self._whole(given, what, unit)

    def _whole(self, node: Node, what: str, unit: str | None) -> int | None:
        if not isinstance(node, YamlScalar) or isinstance(node.value, bool) or not isinstance(node.value, int | float):
            help_ = _as_number(node.text) if isinstance(node, YamlScalar) and not node.origin else None
            self.unlike(node, what, f"a number{f' of {unit}' if unit else ''}", help_)
        elif isinstance(node.value, float) and not node.value.is_integer():
            self.error("SW205", f"`{what}` must be a whole number", node.span, "fractions are not counted")
        elif node.value < 0:
            self.error("SW205", f"`{what}` must not be negative", node.span, "less than 0")
        elif node.value > 999_999_999:
            self.error("SW205", f"`{what}` is too large", node.span, "at most 9 digits")
        else:
            return int(node.value)
        return None

    def one_of(self, node: Node, what: str, values: tuple[str, ...]) -> str | None:
        """One of a few words, in any case and with any space around it, as Butler reads them."""
        given = self.resolved(node)
        if given is None:
            return None
        said = f"`{what}` is one of {', '.join(values)}"
        elsewhere = isinstance(given, YamlScalar) and bool(given.origin)
        text = (given.text if elsewhere else given.value) if isinstance(given, YamlScalar) else None
        if not isinstance(text, str):
            help_if_null = FOR_NOTHING if is_null(node) else None
            self.error("SW204", said, node.span, f"this is {describe(node)}", help_if_null)
            return None
        word = next((value for value in values if value.lower() == text.strip().lower()), None)
        if word is None and elsewhere:
            self.error("SW205", said, node.span, "none of them")
        elif word is None:
            help_ = did_you_mean(text, values) or f"write one of {', '.join(values)}"
            self.error("SW205", said, node.span, f"this is `{text}`", help_)
        return word


def _quoted(node: YamlScalar) -> str:
    """A value that is no text yet, as text."""
    return f"'{node.text}'" if form_of(node.span.file) == "YAML" else f'"{node.text}"'


def _as_number(text: str) -> str | None:
    """How a text that looks like a number becomes one."""
    digits = text.replace("_", "")
    if not digits.isdigit():
        return None
    return "remove the quotes" if digits == text else f"write {digits}: YAML 1.2 has no _ in numbers"


def describe(node: Node) -> str:
    """A node in words: `the number 5`, `a list`, `empty`; what stands elsewhere is not shown."""
    match node:
        case YamlScalar(value=value, origin=origin) if origin:
            kind = {str: "text", bool: "a truth value", type(None): "empty"}.get(type(value), "a number")
            return f"{kind}, from {origin}"
        case YamlMap():
            return "a map"
        case YamlList():
            return "a list"
        case YamlScalar(value=None):
            return "empty"
        case YamlScalar(value=bool(), text=text):
            return f"the truth value {text}"
        case YamlScalar(value=str(), text=text):
            return f"the text `{text}`"
        case YamlScalar(value=float() as number, text=text) if math.isnan(number) and "nan" not in text.lower():
            return f"the date {text}"
        case _:
            return f"the number {node.text}"
