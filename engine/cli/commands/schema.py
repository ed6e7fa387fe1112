"""`seatwarden schema`: JSON Schemas for editors and programs."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from seatwarden.engine.cli.terminal.output import write_or_print
from seatwarden.engine.common.way_out import SCHEMA


def schema(
    of: Annotated[
        Literal["yaml", "json"], typer.Option("--of", help="The schema of Butler's YAML, or of the JSON form.")
    ] = "yaml",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file, not to the terminal.")
    ] = None,
) -> None:
    """Print the JSON Schema of a policy in YAML.

    Editors complete and check by it. Also that of the JSON form. A schema that is there is written anew.

    Example: seatwarden schema -o seatwarden.schema.json
    """
    if of == "yaml":
        from seatwarden.policy.butler.schema import butler_schema as schema_of
    else:
        from seatwarden.policy.json_form.tables import json_form_schema as schema_of
    write_or_print(json.dumps(schema_of(), indent=2, ensure_ascii=False) + "\n", output, SCHEMA)
