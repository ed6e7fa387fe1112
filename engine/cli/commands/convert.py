"""`seatwarden convert`: a policy on another surface."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.inputs import ForceOption
from seatwarden.engine.cli.terminal.output import complain, note, write_or_print
from seatwarden.engine.common.text import plural
from seatwarden.engine.common.way_out import POLICY_JSON, POLICY_TEXT, POLICY_YAML, Output, check_way_out
from seatwarden.grammar.comments import find_comments
from seatwarden.grammar.errors import Defect
from seatwarden.grammar.formatter import format_policy
from seatwarden.policy.conversion import SUFFIXES, Surface, convert, surface_of
from seatwarden.policy.errors import InputError, PolicyError
from seatwarden.policy.files import read_text
from seatwarden.policy.loading import lists_left_behind, parse_surface

_OUTPUTS: Mapping[Surface, Output] = {"policy": POLICY_TEXT, "yaml": POLICY_YAML, "json": POLICY_JSON}


def convert_command(
    policy: Annotated[Path, typer.Argument(metavar="FILE", help="Policy: a .policy file, Butler's YAML, or JSON.")],
    to: Annotated[Surface, typer.Option("--to", help="The surface to write.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file, not to the terminal.")
    ] = None,
    force: ForceOption = False,
) -> None:
    """Write a policy as policy text, Butler YAML or JSON.

    It says the same there, which is checked before anything is written. A policy that is there is overwritten with
    --force only.

    Example: seatwarden convert butler.yaml --to policy -o site.policy
    """
    if output is not None:
        if surface_of(output.suffix) != to and not output.is_dir():
            raise InputError(f"`{output}` would be read as something else", f"name it *{SUFFIXES[to][0]}")
        check_way_out(output, _OUTPUTS[to], force=force)
    source = read_text(policy, "policy")
    tree = parse_surface(source, str(policy))
    if output is not None and (lists := lists_left_behind(tree, policy.parent, output.parent)):
        help_ = f"copy them from `{policy.parent}` to `{output.parent}` first, or write beside `{policy.name}`"
        message = (
            f"lists that the policy reads from beside itself are not the same in `{output.parent}`: {', '.join(lists)}"
        )
        raise InputError(message, help_)
    is_text = surface_of(policy.suffix) == "policy"
    try:
        # Policy text as policy text: there the comments can stay.
        text = (
            format_policy(source, str(policy)) if is_text and to == "policy" else convert(tree, to, str(policy), source)
        )
    except PolicyError as error:
        for diagnostic in error.diagnostics:
            complain(diagnostic, error.sources)
        raise typer.Exit(ExitCode.NO) from None
    except Defect as defect:
        help_ = "this is a defect of seatwarden: please report it"
        raise InputError(f"policy `{policy}` cannot be converted: {defect}", help_) from None
    write_or_print(text, output, _OUTPUTS[to], force=force)
    comments = len(find_comments(source, str(policy))) if is_text and to != "policy" else 0
    if comments:
        note(f"{plural(comments, 'comment')} stayed behind: {to} has no place for them")
