"""YAML as a tree of values with spans.

ruamel.yaml's node graph, unlike its data, knows where everything was written. Here it becomes three small node types,
with duplicate keys and tags that mean nothing refused and `<<` merged.
"""

import re
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace
from ruamel.yaml import YAML
from ruamel.yaml import nodes as ruamel
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from seatwarden.grammar.spans import Span
from seatwarden.policy.diagnostics import MAX_FINDINGS, Diagnostic
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.yaml.masks import is_site, masked, masked_findings
from seatwarden.policy.yaml.scanner import TAB, TabScanner
from seatwarden.policy.yaml.values import UntaggedResolver, is_standard, tag_fits, tag_of, value_of

MAX_CHARACTERS = 1_500_000
"""Longest YAML text; 5,000 users in `neverRelease` make about 300,000."""
MAX_VALUES = 60_000
"""Most lines, commas and opening brackets, a quick measure of how many values there can be."""
MAX_DEPTH = 64
"""Most brackets that one line may leave open."""
MAX_MERGED = 50_000
"""Most keys that `<<` may copy into other maps."""

PLACEHOLDER = "`...` stands here for what an example leaves out"
_FOR_PLACEHOLDER = "remove the line, or write what is meant"
_LEFT_OUT = ("...", "…")
_ESCAPE = re.compile(r"\\(?:x..|u.{4}|U.{8}|\r?\n|.)", re.DOTALL)
_KEPT = re.compile(r"\\[\\\"/uU\r\n]")
"""Escapes that are meant: of signs that would end the text, of letters, and of the end of a line."""
_SIGNS = re.compile(r"[\n,\[\]{}]")
_TAB_FIRST = re.compile(r"[-?: ]*\t")
_LONG_TAG = re.compile(r"![^\s!]{1000}")


class YamlScalar(Struct, frozen=True):
    """One value; `text` is how it was written, `style` the quote or block mark (None when plain).

    `escapes` are those in it that make another character of a backslash and what stands behind it, as in `"C:\\new"`.
    `raw` is a text of several lines, or with a quote in quotes, as it stands in the file.
    `origin` says in words where else the value stands, and is empty for one of this file.
    """

    value: str | int | float | bool | None
    text: str
    style: str | None
    span: Span
    escapes: tuple[str, ...] = ()
    origin: str = ""
    raw: str = ""


class Entry(Struct, frozen=True):
    """A key of a mapping with its value."""

    key: YamlScalar
    value: "Node"


class YamlMap(Struct, frozen=True):
    """A mapping in file order; keys are unique."""

    entries: tuple[Entry, ...]
    span: Span

    def get(self, key: str) -> "Entry | None":
        """The entry of that key, None where nothing stands behind it: null is not set."""
        entry = self.written(key)
        return entry if entry and not is_null(entry.value) else None

    def written(self, key: str) -> "Entry | None":
        """The entry of that key, with a value or without."""
        return next((entry for entry in self.entries if entry.key.text == key), None)

    @property
    def start(self) -> Span:
        """Its first key; the whole of an empty one."""
        return self.entries[0].key.span if self.entries else self.span


class YamlList(Struct, frozen=True):
    """A list."""

    items: tuple["Node", ...]
    span: Span


Node: TypeAlias = YamlScalar | YamlMap | YamlList


def is_null(node: Node) -> bool:
    """Whether nothing stands there: no text at all, `~` or `null`."""
    return isinstance(node, YamlScalar) and node.value is None


def form_of(file: str) -> str:
    """The form of a file as the people call it who write it: JSON is read as the YAML it nearly is."""
    return "JSON" if file.lower().endswith(".json") else "YAML"


def for_backslashes(file: str) -> str:
    """The help where a backslash in double quotes was taken for the beginning of an escape."""
    if form_of(file) == "JSON":
        return r"write each backslash twice: `\\`"
    return r"write paths in single quotes, or with `/` or `\\`"


def read_yaml(text: str, file: str) -> Node:
    """The one document of a YAML text.

    Raises PolicyError (SW201 not YAML, SW202 a key given twice, SW204 `<<` that is given no map, SW205 too long,
    nested too deep or within itself) with every such key.
    """
    refused = _too_much(text, file)
    if refused:
        raise _refusal([refused], text, file)
    converter = _Converter(file)
    try:
        root = _yaml().compose(text)
        node = converter.convert(root) if root is not None else YamlScalar(None, "", None, Span(file, 1, 1, 1, 1))
    except (YAMLError, RecursionError, ValueError, OverflowError) as error:
        raise _refusal([_unreadable(error, text, file)], text, file) from None
    if converter.findings:
        raise _refusal(converter.findings, text, file)
    return node


def _refusal(findings: list[Diagnostic], text: str, file: str) -> PolicyError:
    """The error with these findings; whoever asks, nothing is shown of what may be a secret."""
    shown = masked(text) if is_site(text) else text
    return PolicyError(masked_findings(findings, text, shown), {file: shown})


def _unreadable(error: Exception, text: str, file: str) -> Diagnostic:
    """Why a text is not read, in words."""
    form, start = form_of(file), Span(file, 1, 1, 1, 2)
    match error:
        case MarkedYAMLError():
            return _not_yaml(error, text, file)
        case ReaderError():
            line = text.count("\n", 0, error.position) + 1
            character = error.character if isinstance(error.character, int) else ord(str(error.character)[:1] or chr(0))
            message = f"character U+{character:04X} is not allowed in {form}"
            return Diagnostic("SW201", "error", message, Span(file, line, 1, line, 1), "on this line")
        case YAMLError():
            return Diagnostic("SW201", "error", f"this is not {form}: {error}", start)
        case RecursionError():
            return Diagnostic("SW205", "error", f"this {form} is nested too deep", start)
        case _:  # an escape such as "\UFFFFFFFF", which ruamel takes for a character
            message = f"this is not {form}: an escape in a quoted text is no character"
            return Diagnostic("SW201", "error", message, start, help=for_backslashes(file))


def _yaml() -> YAML:
    """ruamel's reader. An anchor may be given anew, as YAML has it, without a warning."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner, yaml.Resolver = TabScanner, UntaggedResolver
    yaml.composer.warn_double_anchors = False
    return yaml


def _too_much(text: str, file: str) -> Diagnostic | None:
    """Reading YAML takes time for every character and value: what would take too long is not begun."""
    if len(text) > MAX_CHARACTERS:
        message = f"this {form_of(file)} is too long: {len(text):,} characters, {MAX_CHARACTERS:,} are read"
        return _refused(message, text, 0, file, "split it into several files")
    tag = _LONG_TAG.search(text)
    if tag:
        return _refused(
            "this YAML has a tag that is too long", text, tag.start(), file, "text with a ! is put in quotes"
        )
    values = depth = 0
    for match in _SIGNS.finditer(text):
        sign = match[0]
        values += sign in "\n,[{"
        depth = 0 if sign == "\n" else depth + (sign in "[{") - (sign in "]}")
        if values > MAX_VALUES:
            message = f"this {form_of(file)} is too long: more than {MAX_VALUES:,} lines, commas and brackets"
            return _refused(message, text, match.start(), file, "split it into several files")
        if depth > MAX_DEPTH:
            return _refused(f"this {form_of(file)} is nested too deep", text, match.start(), file, None)
    return None


def _refused(message: str, text: str, offset: int, file: str, help_: str | None) -> Diagnostic:
    line, column = text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
    return Diagnostic("SW205", "error", message, Span(file, line, column, line, column + 1), "too much", help_)


class _Converter:
    """From ruamel's nodes to ours. An anchor's node is converted once, however often aliases name it."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._done: dict[int, Node] = {}
        self._open: set[int] = set()
        self._merged = 0
        self.findings: list[Diagnostic] = []

    def convert(self, node: ruamel.Node) -> Node:
        found = self._done.get(id(node))
        if found is None and id(node) in self._open:
            # Told once; further aliases inside find this, and a merge of it has nothing more to say.
            found = self._done[id(node)] = YamlMap((), self._span(node))
            self._within_itself(node)
        elif found is None:
            self._open.add(id(node))
            found = self._done[id(node)] = self._converted(node)
        return found

    def _within_itself(self, node: ruamel.Node) -> None:
        """A node that contains itself, `&a [*a]`. An alias keeps no place of its own, so the anchor is marked."""
        anchor = node.anchor or ""
        start = self._span(node)
        span = Span(start.file, start.line, start.column, start.line, start.column + 1 + len(anchor))
        help_ = f"write in place of `*{anchor}` what is meant there"
        self._note("SW205", f"`&{anchor}` contains itself", span, f"`*{anchor}` stands inside of it", help_)

    def _tag_means_nothing(self, node: ruamel.Node) -> None:
        """A tag of another program is no text: what it stands for would be lost without a word."""
        tag = tag_of(node)
        if tag is None or tag_fits(node, tag):
            return
        start = self._span(node)
        at = node.start_mark.buffer.find("!", node.start_mark.pointer) - node.start_mark.pointer  # behind an anchor
        column = start.column + max(at, 0)
        place = Span(self._file, start.line, column, start.line, column + len(tag))
        if isinstance(node, ruamel.ScalarNode) and tag.startswith("!!") and is_standard(tag):
            self._note("SW205", f"this is not what the tag `{tag}` says", place, "of another form", "remove the tag")
            return
        help_ = "a value from the environment is written ${NAME} (site file); text that starts with ! is put in quotes"
        self._note("SW205", f"the tag `{tag}` means nothing here", place, "not known", help_)

    def _converted(self, node: ruamel.Node) -> Node:
        self._tag_means_nothing(node)
        match node:
            case ruamel.ScalarNode():
                self._join_surrogates(node)
                self._leaves_nothing_out(node)
                raw = _raw(node)
                is_apart = isinstance(node.value, str) and ("\n" in raw or "''" in raw)
                found = YamlScalar(value_of(node), node.value, node.style or None, self._span(node), _escapes(node))
                return replace(found, raw=raw) if is_apart else found
            case ruamel.SequenceNode():
                return YamlList(tuple(self.convert(item) for item in node.value), self._span(node))
            case _:
                return self._mapping(node)

    def _leaves_nothing_out(self, node: ruamel.ScalarNode) -> None:
        """A line `...` of documentation would become a part of the value above it."""
        if not node.style and node.start_mark.line < node.end_mark.line:
            lines = _raw(node).split("\n")
            number = next((number for number, line in enumerate(lines) if line.strip() in _LEFT_OUT), None)
            if number is not None:
                at = lines[number].index(lines[number].strip()) + 1
                line = node.start_mark.line + 1 + number
                span = Span(self._file, line, at, line, at + len(lines[number].strip()))
                self._note("SW201", f"this is not YAML: {PLACEHOLDER}", span, "here", _FOR_PLACEHOLDER)

    def _join_surrogates(self, node: ruamel.ScalarNode) -> None:
        """JSON writes a character beyond U+FFFF as two escapes; half of one is no text and cannot be written again."""
        try:
            node.value = node.value.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            message = "this text has half of a character: a surrogate alone"
            self.findings.append(Diagnostic("SW205", "error", message, self._span(node), "in here"))

    def _mapping(self, node: ruamel.Node) -> YamlMap:
        entries: dict[str, Entry] = {}
        merged: dict[str, Entry] = {}
        for key_node, value_node in node.value:
            key, value = self.convert(key_node), self.convert(value_node)
            if isinstance(key, YamlScalar) and (key.text, key.style, tag_of(key_node)) == ("<<", None, None):
                self._merge(value, merged, key.span)
                continue
            if not isinstance(key, YamlScalar):
                self._note("SW203", "a key is a word, not a list or a map", key.span)
                continue
            if isinstance(value, YamlScalar) and is_null(value) and not value.text:
                # An empty value has no place of its own; ruamel puts it at the next token.
                value = YamlScalar(None, "", None, key.span)
            first = entries.get(key.text)
            if first is not None:
                help_ = f"remove one of them; {form_of(self._file)} does not say which would count"
                self._note("SW202", f"key `{key.text}` is given twice", key.span, "again here", help_, first.key.span)
                continue
            entries[key.text] = Entry(key, value)
        for name, entry in merged.items():
            entries.setdefault(name, entry)
        return YamlMap(tuple(entries.values()), self._span(node))

    def _merge(self, value: Node, merged: dict[str, Entry], place: Span) -> None:
        """`<<: *other`, or a list of them, the first of which counts. Merged maps merged again grow without end.

        Anything else is refused, by js-yaml, with which Butler reads, too: rules would be lost without a word.
        """
        for source in value.items if isinstance(value, YamlList) else (value,):
            if not isinstance(source, YamlMap):
                # What stands empty has no place of its own.
                span = place if isinstance(source, YamlScalar) and not source.text else source.span
                self._note(
                    "SW204", "`<<` takes a map, or a list of maps", span, "not a map", "write an alias: <<: *name"
                )
                continue
            self._merged += len(source.entries)
            if self._merged > MAX_MERGED:
                self._note("SW205", f"`<<` copies more than {MAX_MERGED:,} keys", place, "too many")
                return
            for entry in source.entries:
                merged.setdefault(entry.key.text, entry)

    def _note(
        self, code: str, message: str, span: Span, label: str = "", help_: str | None = None, first: Span | None = None
    ) -> None:
        if len(self.findings) < MAX_FINDINGS:
            related = ((first, "first here"),) if first else ()
            self.findings.append(Diagnostic(code, "error", message, span, label, help_, related))

    def _span(self, node: ruamel.Node) -> Span:
        start, end = node.start_mark, node.end_mark
        return Span(self._file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def _raw(node: ruamel.Node) -> str:
    """A node as it stands in the file."""
    start, end = node.start_mark, node.end_mark
    return str(start.buffer[start.pointer : end.pointer])


def _escapes(node: ruamel.ScalarNode) -> tuple[str, ...]:
    """The escapes that make another character of a backslash in double quotes."""
    found = _ESCAPE.findall(_raw(node)) if node.style == '"' else []
    if r"\\" in found:  # who doubles one backslash means the others too
        return ()
    return tuple(escape for escape in found if not _KEPT.match(escape))


def _left_out(text: str, line: int) -> int:
    """The line of a `...` at or right above a line that cannot be read; 0 without one."""
    lines = text.split("\n")
    return next(
        (number for number in (line, line - 1) if lines[number - 1 : number] and _is_left_out(lines, number)), 0
    )


def _is_left_out(lines: list[str], number: int) -> bool:
    return number > 0 and lines[number - 1].strip() in _LEFT_OUT


def _not_yaml(error: MarkedYAMLError, text: str, file: str) -> Diagnostic:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    source = text.split("\n")[line - 1] if line <= text.count("\n") + 1 else ""
    problem = error.problem or "it cannot be read"
    label, help_ = "here", None
    if problem == TAB or ("not allowed here" in problem and _TAB_FIRST.match(source)):
        problem, help_ = TAB, "indent with spaces"
    elif _left_out(text, line):
        line = _left_out(text, line)
        source = text.split("\n")[line - 1]
        column = len(source) - len(source.lstrip()) + 1
        problem, help_ = PLACEHOLDER, _FOR_PLACEHOLDER
    elif "escape" in problem:
        help_ = for_backslashes(file)
    elif "cannot start any token" in problem and "'\\t'" not in problem:
        help_ = "put it in single quotes"
    elif "'\\t'" in problem:
        problem, help_ = "a tab stands where none can", "put a space there"
    elif "mapping values are not allowed" in problem:
        problem = "a `:` stands where no map can start"
        help_ = "put text that contains `: ` in quotes, and check the indentation"
    elif "expected '<document start>'" in problem:
        problem = "this line does not go on with what stands above it"
        help_ = "each line is `key: value`; rules in the policy language stand in a .policy file"
    elif "undefined alias" in problem:
        help_ = "text that starts with * is put in quotes"
    elif error.context:
        label = str(error.context)
    message = f"this is not {form_of(file)}: {problem}"
    return Diagnostic("SW201", "error", message, Span(file, line, column, line, column + 1), label, help_)
