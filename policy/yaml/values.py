"""What a YAML value is: a table of the forms of YAML 1.2's core schema, which js-yaml has, and its tags.

Forms of YAML 1.1 (`yes`, `1_000`, `0b11`, `1:30`) are text, whatever a file says of its version.
"""

import math
import re
from collections.abc import Callable
from typing import Any

from ruamel.yaml import nodes as ruamel
from ruamel.yaml.resolver import BaseResolver
from ruamel.yaml.tag import Tag

ScalarValue = str | int | float | bool | None

_TAG = "tag:yaml.org,2002:"
_UNTAGGED = "untagged"
_FORMS = {
    "null": r"~|null|Null|NULL|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+",
    "float": r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
    # No type of the core schema, but of js-yaml 4; nothing here takes one but what says so, and it is not text either.
    "timestamp": r"\d{4}-\d\d-\d\d|\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?"
    r"(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?",
}
_READ = {kind: re.compile(form) for kind, form in _FORMS.items()}
_COLLECTIONS = {"seq": ruamel.SequenceNode, "map": ruamel.MappingNode}


class UntaggedResolver(BaseResolver):
    """Leaves what has no tag without one: what a value is, is decided by its form alone."""

    def __init__(self, version: object = None, loader: Any = None) -> None:
        super().__init__(loader)

    @property
    def processing_version(self) -> tuple[int, int]:
        """The version by which tokens are told apart."""
        return 1, 2

    def resolve(self, kind: object, value: object, implicit: object) -> Tag:
        """The tag of a node that has none."""
        return Tag(suffix=_UNTAGGED)


def tag_of(node: ruamel.Node) -> str | None:
    """The tag that stands at a node, as it is written where it is a standard one; None for one without."""
    tag = str(node.tag)
    return None if tag == _UNTAGGED else tag.replace(_TAG, "!!", 1)


def is_standard(tag: str) -> bool:
    """Whether a tag is of the core schema."""
    return tag.removeprefix("!!") in (*_FORMS, *_COLLECTIONS, "str") and tag != "!!timestamp"


def tag_fits(node: ruamel.Node, tag: str) -> bool:
    """Whether a tag says what the node is anyway: one of the core schema, and of its form."""
    kind = tag.removeprefix("!!") if tag.startswith("!!") else ""
    if not isinstance(node, ruamel.ScalarNode):
        return isinstance(node, _COLLECTIONS.get(kind, ())) or kind == _UNTAGGED
    return kind == "str" or (kind != "timestamp" and _matches(kind, node.value))


def value_of(node: ruamel.ScalarNode) -> ScalarValue:
    """The value: by its tag, or without one and without quotes by its form. What has no form is text."""
    text: str = node.value
    tag = tag_of(node)
    if tag is not None:
        return _read(tag.removeprefix("!!"), text) if tag_fits(node, tag) else text
    if node.style or node.start_mark.buffer[node.start_mark.pointer] == "!":  # in quotes, a block, or said to be text
        return text
    return read_plain(text)


def read_plain(text: str) -> ScalarValue:
    """The value of a text that stands in a file without tag and quotes: by its form."""
    return next((_read(kind, text) for kind in _READ if _matches(kind, text)), text)


def _matches(kind: str, text: str) -> bool:
    return kind in _READ and _READ[kind].fullmatch(text) is not None


def _read(kind: str, text: str) -> ScalarValue:
    match kind:
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return _number(text, lambda digits: int(digits, 0 if digits[:2] in ("0o", "0x") else 10))
        case "float":
            return _number(text.lower().replace(".inf", "inf").replace(".nan", "nan"), float)
        case "timestamp":
            return math.nan
        case _:
            return text


def _number(text: str, read: Callable[[str], float]) -> ScalarValue:
    try:
        return read(text)
    except ValueError:  # Python reads no whole number of more than 4,300 digits
        return text
