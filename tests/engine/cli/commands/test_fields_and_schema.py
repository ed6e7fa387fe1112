"""`seatwarden fields` and `seatwarden schema` from the outside."""

import json
from pathlib import Path

import pytest

from seatwarden.policy.butler.schema import butler_schema
from seatwarden.policy.json_form.tables import json_form_schema
from seatwarden.policy.loading import check_text
from seatwarden.policy.operators import OPERATORS, OperatorEntry
from seatwarden.policy.vocabulary import VOCABULARY
from tests.engine.cli.conftest import Run


def test_every_field_is_listed(run: Run) -> None:
    table = run("fields").out
    listed = json.loads(run("fields", "--format", "json").out)
    assert [field["name"] for field in listed["fields"]] == list(VOCABULARY)
    for field in listed["fields"]:
        assert field["name"] in table
        assert field["type"] in ("text", "number", "date", "boolean")
        assert field["doc"]
        assert field["source"]["qrs"]
    tags = next(field for field in listed["fields"] if field["name"] == "user.tags")
    assert tags == {
        "name": "user.tags",
        "type": "text",
        "many": True,
        "keyed": False,
        "values": [],
        "doc": "the tags",
        "source": {"qrs": "user.tags", "qmc": "Users: Tags"},
        "example": 'user.tags = "License do not release"',
    }


def test_every_operator_is_listed(run: Run) -> None:
    listed = json.loads(run("fields", "--format", "json").out)["operators"]
    assert [operator["operator"] for operator in listed] == [operator.spelling for operator in OPERATORS]


EXAMPLES = [*(entry.example for entry in VOCABULARY.values()), *(operator.example for operator in OPERATORS)]


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_conditions(example: str) -> None:
    check_text(f"release when {example}", "example")


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.spelling)
def test_other_spellings_mean_the_same(operator: OperatorEntry) -> None:
    for also in operator.also:
        assert _condition(operator.example.replace(operator.spelling, also)) == _condition(operator.example)


def _condition(text: str) -> object:
    return check_text(f"release when {text}", "p").rules[0].condition


def test_schemas_are_printed(run: Run) -> None:
    assert json.loads(run("schema", "--of", "json").out) == json_form_schema()
    assert json.loads(run("schema").out) == butler_schema()
    for of in ("yaml", "json"):
        schema = json.loads(run("schema", "--of", of).out)
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_a_schema_as_a_file(run: Run, tmp_path: Path) -> None:
    """PowerShell's `>` would make UTF-16 of it, which no program reads as JSON."""
    path = tmp_path / "seatwarden.schema.json"
    assert run("schema", "-o", path).out == ""
    assert path.read_text(encoding="utf-8") == run("schema").out
    ran = run("schema", "-o", tmp_path / "none" / "x.json")
    assert (ran.code, "cannot be written" in ran.err) == (2, True)
