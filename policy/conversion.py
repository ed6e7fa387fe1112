"""From one surface to another: policy text, Butler YAML, the JSON form. Every conversion proves itself."""

from typing import Literal, TypeAlias, get_args

from seatwarden.grammar.ast import Policy
from seatwarden.grammar.errors import Defect
from seatwarden.grammar.printer import print_policy
from seatwarden.policy.butler.writer import in_yaml_order, print_butler
from seatwarden.policy.json_form.writer import print_json_form
from seatwarden.policy.loading import parse_surface

Surface: TypeAlias = Literal["policy", "yaml", "json"]
SUFFIXES: dict[Surface, tuple[str, ...]] = {"policy": (".policy",), "yaml": (".yaml", ".yml"), "json": (".json",)}
"""The endings of file names on each surface; the first is the usual one."""


def convert(policy: Policy, to: Surface, file: str, source: str) -> str:
    """The policy on another surface; `file` and its text `source` are shown beside problems.

    Raises PolicyError when YAML cannot say the same (SW210), Defect when the proof fails.
    """
    match to:
        case "policy":
            text, expected = print_policy(policy), policy
        case "yaml":
            text, expected = print_butler(policy, file, source), in_yaml_order(policy)
        case "json":
            text, expected = print_json_form(policy), policy
    if parse_surface(text, f"converted{SUFFIXES[to][0]}") != expected:
        raise Defect("what was written would be read as something else")
    return text


def surface_of(suffix: str) -> Surface:
    """The surface of a file by how its name ends; Butler's settings in JSON count as JSON."""
    return next((surface for surface in get_args(Surface) if suffix.lower() in SUFFIXES[surface]), "policy")
