"""Loading a policy: reading the file, choosing the surface, resolving names, the type check.

What comes out is a `CheckedPolicy`; nothing else is ever evaluated.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from msgspec import Struct

from seatwarden.grammar.ast import (
    AnyLimit,
    Date,
    Field,
    Guarantee,
    IsEmpty,
    Let,
    ListOf,
    Literal_,
    Name,
    Number,
    Operand,
    Policy,
    Rule,
    SetFrom,
    Statement,
    Text,
    walk,
)
from seatwarden.grammar.calendar_names import date_from
from seatwarden.grammar.errors import PolicySyntaxError, shown
from seatwarden.grammar.parser import parse_policy
from seatwarden.grammar.printer import print_policy
from seatwarden.grammar.spans import Span
from seatwarden.policy.check import check
from seatwarden.policy.diagnostics import MAX_FINDINGS, Diagnostic, from_syntax, in_order
from seatwarden.policy.errors import InputError, PolicyError
from seatwarden.policy.files import read_source
from seatwarden.policy.names import NamedValue, PolicyNames, circles, resolved, too_large, uses
from seatwarden.policy.vocabulary import IN_USE

DEFAULT_TIMEZONE = "UTC"
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
MAX_LISTED = 50_000
"""Most values in all list files of a policy together."""
YAML_SUFFIXES = (".yaml", ".yml", ".json")


class SourceFile(Struct, frozen=True):
    """A file that a policy was read from, byte for byte; `name` is its place in the policy's folder, with `/`."""

    name: str
    data: bytes

    @property
    def digest(self) -> str:
        """Its SHA-256, as `sha256sum` prints it."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class CheckedPolicy:
    """A policy whose names and types are right.

    `tree` stands on its own: lists read from files (`set … from`) have become `let`, and names of conditions and of
    lengths what they stand for. `names` holds the values of all other names. `written` is the tree as the file has it,
    `uses_of_conditions` are the places in it where a rule names a condition. `timezone` is the IANA name of the zone
    in which days are counted, `list_files` the files that lists were read from, whose content is part of the policy.
    `source` is the file's own text, comments and all. `warnings` are what was found while reading that stops nothing:
    an older form, what is wrong in what is switched off. `files` are the files that all of it was read from.
    """

    file: str
    tree: Policy
    names: Mapping[str, NamedValue]
    timezone: str
    list_files: tuple[Path, ...] = ()
    source: str = field(default="", repr=False, compare=False)
    warnings: tuple[Diagnostic, ...] = field(default=(), repr=False, compare=False)
    files: tuple[SourceFile, ...] = field(default=(), repr=False, compare=False)
    written: Policy = field(default=Policy(()), repr=False, compare=False)
    uses_of_conditions: frozenset[Span] = field(default=frozenset(), repr=False, compare=False)

    @property
    def kept_files(self) -> tuple[SourceFile, ...]:
        """The files to keep with what was decided by them, the policy's own first.

        A policy that stands in a site file is kept with that file's secrets masked, line by line.
        """
        name = Path(self.file).name
        own, *lists = self.files or (SourceFile(name, self.source.encode()),)
        shown = shown_source(self.source, self.file)
        return (SourceFile(own.name, shown.encode()) if shown != self.source else own, *lists)

    @property
    def is_concealed(self) -> bool:
        """Whether the file that is kept is not byte for byte the policy's, since that has secrets."""
        return shown_source(self.source, self.file) != self.source

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules in file order."""
        return self.tree.rules

    @property
    def downgrades(self) -> bool:
        """Whether a rule downgrades licenses."""
        return any(rule.kind == "downgrade" for rule in self.rules)

    @property
    def gives_notice(self) -> bool:
        """Whether a rule tells its users before."""
        return any(rule.notice is not None for rule in self.rules)

    @property
    def guarantees(self) -> tuple[Guarantee, ...]:
        """The guarantees in file order."""
        return self.tree.guarantees

    @property
    def limits(self) -> tuple[AnyLimit, ...]:
        """The limits that the policy sets."""
        return self.tree.limits

    def values_of(self, operand: Operand) -> tuple[Operand, ...]:
        """The values that an operand names or lists; of a single value or a field, itself."""
        value = self.names[operand.name] if isinstance(operand, Name) else operand
        return value.items if isinstance(value, ListOf) else (value,)

    def reads(self, name: str) -> bool:
        """Whether a rule reads the field, or one of the family, with that name in the vocabulary."""
        nodes = (node for rule in self.rules for node, _ in walk(rule.condition))
        return any(isinstance(node, Field) and node.name == name for node in nodes)

    @property
    def asked_of_site(self) -> frozenset[Field]:
        """The properties and attributes of which a rule asks whether they are empty: it matters who else has them."""
        nodes = (node for rule in self.rules for node, _ in walk(rule.condition))
        return frozenset(node.field for node in nodes if isinstance(node, IsEmpty) and node.field.name in IN_USE)

    @property
    def text(self) -> str:
        """The canonical text: what the policy says, with the content of list files in it."""
        return print_policy(self.tree)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def load_policy(path: Path) -> CheckedPolicy:
    """The policy in a file, on whichever surface its name and content say (see `parse_surface`).

    Raises InputError when the file cannot be read, PolicyError with every problem in it.
    """
    data, text = read_source(path, "policy")
    checked = load_text(text, path)
    return replace(checked, files=(SourceFile(path.name, data), *checked.files))


def load_text(text: str, path: Path) -> CheckedPolicy:
    """The policy that a text says as the content of a file, which may have another one: an editor's, a fix not saved.

    Raises PolicyError with every problem in it.
    """
    tree, warnings = _read_surface(text, str(path))
    return replace(_checked(str(path), text, tree, path.parent), warnings=warnings)


def parse_surface(text: str, file: str) -> Policy:
    """The tree that the text of a file says: its names are not resolved yet, its types not checked.

    A name ending in .yaml or .yml means Butler YAML, .json the JSON form or else Butler's settings in JSON, any
    other policy text. Raises PolicyError with every problem found.
    """
    return _read_surface(text, file)[0]


def _read_surface(text: str, file: str) -> tuple[Policy, tuple[Diagnostic, ...]]:
    """The tree, and what was found that stops nothing."""
    suffix = Path(file).suffix.lower()
    if suffix not in YAML_SUFFIXES:
        return _parse_text(text, file), ()
    # Reading YAML takes a while to import, and a policy in its own language needs none of it.
    from seatwarden.policy.butler.front_end import read_butler
    from seatwarden.policy.json_form.writer import is_json_form, json_policy, read_json
    from seatwarden.policy.yaml.nodes import read_yaml

    root = read_json(text, file) if suffix == ".json" else read_yaml(text, file)
    if suffix == ".json" and is_json_form(root):
        return json_policy(root, text, file), ()
    return read_butler(root, text, file)


def shown_source(text: str, file: str) -> str:
    """The text of a policy as findings may quote it."""
    if Path(file).suffix.lower() not in YAML_SUFFIXES:
        return text
    from seatwarden.policy.yaml.masks import shown_source as without_secrets

    return without_secrets(text)


def check_text(text: str, file: str, folder: Path | None = None) -> CheckedPolicy:
    """The policy that a text says; `folder` is where its list files stand (None: there are none).

    Raises PolicyError with every problem found.
    """
    return _checked(file, text, _parse_text(text, file), folder)


def lists_left_behind(tree: Policy, folder: Path, other: Path) -> list[str]:
    """The list files that would be missing or different if a policy in `folder` stood in the folder `other`."""
    if folder.absolute() == other.absolute():  # whether or not they can be read
        return []
    names = dict.fromkeys(s.path.value for s in tree.statements if isinstance(s, SetFrom))
    return [name for name in names if not _same_list(name, folder, other)]


def _same_list(name: str, folder: Path, other: Path) -> bool:
    try:
        return _read_list(name, folder, {}) == _read_list(name, other, {})
    except InputError:
        return False


def _parse_text(text: str, file: str) -> Policy:
    try:
        return parse_policy(text, file)
    except PolicySyntaxError as error:
        problems = [from_syntax(problem) for problem in error.problems]
        raise PolicyError(in_order(problems), {file: text}) from None


def _checked(file: str, text: str, tree: Policy, folder: Path | None) -> CheckedPolicy:
    findings: list[Diagnostic] = []
    list_files = tuple(folder / s.path.value for s in tree.statements if isinstance(s, SetFrom)) if folder else ()
    files: dict[str, SourceFile] = {}
    tree = tree.but(statements=_with_lists(tree.statements, folder, findings, files))
    # Of a name that is given twice the first value counts: the second one is the error (SW108).
    lets = {s.name: s for s in reversed(tree.statements) if isinstance(s, Let)}
    names = PolicyNames.of(lets)
    findings += [*check(tree, names), *circles(lets)]
    findings += [] if findings else too_large(tree, names)
    if findings:
        raise PolicyError(in_order(findings), {file: shown_source(text, file)})
    timezone = tree.timezone.name if tree.timezone else DEFAULT_TIMEZONE
    return CheckedPolicy(
        file,
        resolved(tree, names),
        names.values,
        timezone,
        list_files,
        text,
        files=tuple(files.values()),
        written=tree,
        uses_of_conditions=uses(tree.conditions, names),
    )


def _with_lists(
    statements: tuple[Statement, ...], folder: Path | None, findings: list[Diagnostic], files: dict[str, SourceFile]
) -> tuple[Statement, ...]:
    """The statements with a `let` for each `set … from`. One whose file cannot be read stays, with a finding.

    The files that were read are added to `files`.
    """
    read: list[Statement] = []
    left = MAX_LISTED
    for statement in statements:
        if isinstance(statement, SetFrom) and len(findings) < MAX_FINDINGS and left >= 0:
            try:
                lines = _read_list(statement.path.value, folder, files)
                values = _values(lines, statement)
                left -= len(values)
                if left < 0:
                    raise InputError(f"the list files of a policy have at most {MAX_LISTED:,} values together")
            except InputError as error:
                place = statement.path.span
                findings.append(Diagnostic("SW207", "error", error.message, place, "read from here", error.help))
            else:
                place = statement.path.span
                listed = ListOf(values, place)
                statement = Let(statement.name, listed, statement.span, statement.name_span)
        read.append(statement)
    return tuple(read)


def _values(lines: list[str], listed: SetFrom) -> tuple[Literal_, ...]:
    """The values of a list file, of the kind that the policy says. Raises InputError for a line that is none."""
    place = listed.path.span
    if listed.kind == "text":
        return tuple(Text(line, place) for line in lines)
    found: list[Literal_] = []
    for line in lines:
        day = date_from(line) if listed.kind == "dates" else None
        if day is None and not (listed.kind == "numbers" and _NUMBER.fullmatch(line)):
            what, like = ("date", "2027-02-28") if listed.kind == "dates" else ("number", "45")
            help_ = f"one {what} a line, like {like}; without `as {listed.kind}` lines are text"
            raise InputError(f"list file `{listed.path.value}` has a line that is no {what}: `{shown(line)}`", help_)
        found.append(Date(day, place) if day is not None else Number(int(line), place))
    return tuple(dict.fromkeys(found))


def _read_list(name: str, folder: Path | None, files: dict[str, SourceFile]) -> list[str]:
    """One value a line, trimmed, empty lines dropped. Only files in the policy's folder or below are read."""
    if folder is None:
        raise InputError(f"list file `{name}` cannot be read: this policy is not in a folder")
    path = folder / name
    # By the resolved paths: a policy from somebody else must not read the machine's files by `..`, an absolute name or
    # a link, and quote them in messages.
    try:
        place, root = path.resolve(), folder.resolve()
        inside = place.is_relative_to(root)
    except (ValueError, RuntimeError, OSError):  # a null character; links in a circle
        raise InputError(f"list file `{name}` cannot be read: no file can have this name") from None
    if not inside:
        raise InputError(
            f"list file `{name}` is outside the policy's folder", "move it next to the policy or into a folder below"
        )
    data, text = read_source(path, "list file")
    within = place.relative_to(root).as_posix()
    files[within] = SourceFile(within, data)
    lines = (line.strip() for line in text.replace("\r", "\n").split("\n"))
    return list(dict.fromkeys(line for line in lines if line))
