"""`seatwarden schema`: JSON Schemas for editors and programs."""

from importlib.resources import files
from typing import Annotated, Literal

import typer


def schema(
    of: Annotated[
        Literal["yaml", "json"], typer.Option("--of", help="The schema of Butler's YAML, or of the JSON form.")
    ] = "yaml",
) -> None:
    """Print the JSON Schema of a policy in YAML.

    Editors complete and check by it. Also that of the JSON form.

    Example: seatwarden schema > seatwarden.schema.json
    """
    name = {"yaml": "butler.schema.json", "json": "json-form.schema.json"}[of]
    typer.echo(files("policy").joinpath(name).read_text(encoding="utf-8"), nl=False)
