"""Guarantees in YAML, a setting of ours: `guarantees: {root admins: never release when user.roles == "RootAdmin"}`.

They stand beside `neverRelease`, which decides: a guarantee decides nothing, it says what all of the rules together
must come to. A map of names and sentences, since each is one sentence, and reports call it by its name.
"""

from seatwarden.grammar.ast import Guarantee
from seatwarden.grammar.errors import PolicySyntaxError
from seatwarden.grammar.parser import parse_promise
from seatwarden.policy.diagnostics import from_syntax
from seatwarden.policy.yaml.nodes import Entry, YamlMap, YamlScalar
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.settings import Kind
from seatwarden.policy.yaml.text import locate_in

_LIKE = 'like: never release when user.roles == "RootAdmin"'
_EXAMPLE = {"root admins": 'never release when user.roles == "RootAdmin"'}


def _guarantees(reader: YamlReader, entry: Entry, what: str) -> list[Guarantee]:
    if not isinstance(entry.value, YamlMap):
        reader.mapping(entry.value, what, known=())
        return []
    found = (_guarantee(reader, named, f"{what}.{named.key.text}") for named in entry.value.entries)
    return [guarantee for guarantee in found if guarantee is not None]


def _guarantee(reader: YamlReader, named: Entry, what: str) -> Guarantee | None:
    node = named.value
    if not isinstance(node, YamlScalar) or not isinstance(node.value, str):
        reader.unlike(node, what, "a guarantee", _LIKE)
        return None
    try:
        said = parse_promise(node.value, locate_in(node))
    except PolicySyntaxError as error:
        reader.findings += [from_syntax(problem) for problem in error.problems]
        return None
    return said.but(name=named.key.text, span=named.key.span, name_span=named.key.span)


GUARANTEES = Kind(
    _guarantees,
    {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}, "examples": [_EXAMPLE]},
)
"""The guarantees of the map `guarantees`, in file order."""
