"""`seatwarden fields`: what a rule can speak of."""

from typing import Annotated, Any, Literal

import typer

from seatwarden.engine.cli.completion import complete_fields
from seatwarden.engine.cli.terminal.output import print_result
from seatwarden.engine.cli.terminal.tables import print_rows
from seatwarden.engine.common.tables import Column
from seatwarden.policy.errors import InputError
from seatwarden.policy.operators import OPERATORS, OperatorEntry
from seatwarden.policy.vocabulary import VOCABULARY, FieldEntry, field_help

_FIELDS = (
    Column("Field"),
    Column("Type", leaves=3),
    Column("What it is", folds=True),
    Column("In QRS", folds=True, leaves=4),
    Column("In the QMC", folds=True, leaves=2),
    Column("Example", folds=True, leaves=1),
)
_OPERATORS = (
    Column("Operator"),
    Column("Compares", folds=True, leaves=2),
    Column("What it means", folds=True),
    Column("Example", folds=True, leaves=1),
)


def fields(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME...", help="Only these, like user.tags.", autocompletion=complete_fields),
    ] = None,
    format: Annotated[Literal["table", "json"], typer.Option("--format", help="How to print.")] = "table",
) -> None:
    """List the fields a rule can speak of, and the operators.

    Example: seatwarden fields --format json
    """
    entries = [_entry(name) for name in dict.fromkeys(names or ())] or list(VOCABULARY.values())
    operators = () if names else OPERATORS
    if format == "json":
        listed = {"operators": [_operator(operator) for operator in operators]} if operators else {}
        print_result({"fields": [_field(entry) for entry in entries], **listed})
        return
    print_rows(_FIELDS, [_field_row(entry) for entry in entries])
    if operators:
        print_rows(_OPERATORS, [_operator_row(operator) for operator in operators])


def _entry(name: str) -> FieldEntry:
    """The field of that name; that of `user.@Department` is `user.@`."""
    keyed = next((entry.name for entry in VOCABULARY.values() if entry.keyed and name.startswith(entry.name)), name)
    if keyed not in VOCABULARY:
        raise InputError(f"there is no field `{name}`", field_help(name) or "list all: seatwarden fields")
    return VOCABULARY[keyed]


def _field(entry: FieldEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "type": entry.type.name.lower(),
        "many": entry.many,
        "keyed": entry.keyed,
        "values": list(entry.values),
        "doc": entry.doc,
        "source": {"qrs": entry.source, "qmc": entry.qmc or None},
        "example": entry.example,
    }


def _operator(operator: OperatorEntry) -> dict[str, Any]:
    return {
        "operator": operator.spelling,
        "also": list(operator.also),
        "types": [type_.name.lower() for type_ in operator.types],
        "doc": operator.doc,
        "example": operator.example,
    }


def _field_row(entry: FieldEntry) -> tuple[str, ...]:
    type_ = f"{entry.type.value}, several" if entry.many else entry.type.value
    meaning = f"{entry.doc}: {', '.join(entry.values)}" if entry.values else entry.doc
    name = entry.name + ("Name" if entry.name.endswith("@") else ".name" if entry.keyed else "")
    return name, type_, meaning, entry.source, entry.qmc, entry.example


def _operator_row(operator: OperatorEntry) -> tuple[str, ...]:
    spellings = " ".join((operator.spelling, *operator.also))
    return spellings, ", ".join(type_.value for type_ in operator.types), operator.doc, operator.example
