"""docs/schemas/: the JSON Schemas of lines and of what commands print, made from docs/formats.md. Run as a module, this
writes them anew:

python -m tests.docs.schemas
"""

import json
from collections.abc import Iterator
from pathlib import Path

from tests.docs.formats import DRAFT, FieldRow, Schema, object_schema, tables, with_definitions
from tests.paths import ROOT

FOLDER = ROOT / "docs" / "schemas"

PLAN = {
    "plan": ("plan", "circumstances"),
    "policy": ("policy", None),
    "finding": ("finding line", "finding part"),
    "decision": ("decision", "decision part"),
    "summary": ("summary line", None),
}
JOURNAL = {
    "apply": ("apply", "circumstances"),
    "giving": ("giving", "giving part"),
    "given": ("given", "given part"),
    "intent": ("intent", "intent part"),
    "outcome": ("outcome", "outcome part"),
    "resume": ("resume", "circumstances"),
    "closed": ("closed", None),
}
REGISTER = {
    **{
        kind: (kind, "register part")
        for kind in ("register", "planned", "begun", "attempt", "override", "settings", "erased", "pruned")
    },
    "restore": ("planned restore", "register part"),
    "closed": ("closed run", None),
    "heads": ("heads", None),
    "signed": ("signed", None),
    "approved": ("approved", None),
    "key": ("key", "register part"),
}
RESTORE = {"restore": ("restore", "circumstances"), "back": ("back", "back part")}
HOLDS = {"holds": ("holds", None), "hold": ("hold", "hold part"), "ended": ("ended", "hold part")}
NOTICES = {
    "notices": ("notices", None),
    "intent": ("notice intent", "notice intent part"),
    "outcome": ("notice outcome", "notice outcome part"),
    "ended": ("notice ended", "notice ended part"),
    "seen": ("seen", None),
    "damage-accepted": ("damage accepted", "damage part"),
}
SEAL = {"seal": ("seal", None)}
LINES = {
    "plan": {**PLAN, **SEAL},
    "journal": {**JOURNAL, **SEAL},
    "restore": {**RESTORE, **SEAL},
    "register": REGISTER,
    "register of holds": HOLDS,
    "register of notices": NOTICES,
}
"""By file and kind of line the tables of its fields and of its personal part."""

OUTPUTS = (
    "plan",
    "explain",
    "run",
    "monitor",
    "lint",
    "fields",
    "test",
    "diff",
    "frequency",
    "site check",
    "fleet check",
    "fleet plan",
    "fleet run",
    "fleet report",
    "fleet history",
    "fleet backtest",
    "log verify",
    "log replay",
    "log list",
    "log keys",
    "approve",
    "log show",
    "log audit",
    "log forget",
    "log prune",
    "hold list",
    "notice list",
    "notice send",
    "history list",
    "backtest",
)
"""The commands that print JSON."""


def schemas() -> Iterator[tuple[Path, Schema]]:
    """Every schema with its file."""
    for file in LINES:
        yield FOLDER / f"{file.replace(' ', '-')}-line.schema.json", line_schema(file)
    for command in OUTPUTS:
        yield FOLDER / f"{command.replace(' ', '-')}.schema.json", output_schema(command)
    rows = object_schema(tables()["snapshot file"], closed=False)
    yield FOLDER / "snapshot.schema.json", with_definitions(_titled("A snapshot", rows), closed=False)


def line_schema(file: str) -> Schema:
    """The schema of one line of one of these files. It has the keys of its kind and no others."""
    known, grows = tables(), file not in ("plan", "restore")
    kinds = [_kind(kind, known[own], part, grows) for kind, (own, part) in LINES[file].items()]
    return with_definitions(_titled(f"A line of a {file}, format 2", {"oneOf": kinds}), closed=True)


def _kind(kind: str, rows: list[FieldRow], part: str | None, grows: bool) -> Schema:
    """One kind of line: number and kind, its own fields, the link; its personal part, or what is left of it."""
    before = object_schema([FieldRow("n", "number", "the number of the line, from 1")], closed=False)
    behind = [FieldRow("prev", "digest", "the leaf of the line before")]
    behind += [FieldRow("sum", "digest", "its own leaf")] if grows else []
    own, link = object_schema(rows, closed=False), object_schema(behind, closed=False)
    link_first, *link_last = link["properties"].items()
    personal = (
        object_schema(
            [
                FieldRow("person", f"optional {part}", "what is about a person"),
                FieldRow("of", "optional digest", "in place of an erased person: the SHA-256 of its bytes"),
            ],
            closed=False,
        )["properties"]
        if part
        else {}
    )
    properties = {
        **before["properties"],
        "kind": {"const": kind},
        **own["properties"],
        **dict([link_first]),
        **personal,
        **dict(link_last),
    }
    required = ["n", "kind", *own["required"], *link["required"]]
    found: Schema = {"title": kind, "type": "object", "properties": properties, "required": required}
    if part:
        found["oneOf"] = [{"required": ["person"]}, {"required": ["of"]}]
    return {**found, "additionalProperties": False}


def table_of(command: str) -> str:
    """The table of what a command prints; most commands of a fleet print the same."""
    same = ("fleet check", "fleet plan", "fleet run", "fleet report")
    return "fleet output" if command in same else f"{command} output"


def output_schema(command: str) -> Schema:
    """The schema of what a command prints; later versions may print more."""
    schema = object_schema(tables()[table_of(command)], closed=False)
    if command == "explain":
        definitions = with_definitions(schema, closed=False)["$defs"]
        ref = {"$ref": "#/$defs/explain-output"}
        one_or_several = {"anyOf": [ref, {"type": "array", "items": ref}]}
        titled = _titled("What `seatwarden explain --format json` prints", one_or_several)
        return {**titled, "$defs": {"explain-output": schema, **definitions}}
    return with_definitions(_titled(f"What `seatwarden {command} --format json` prints", schema), closed=False)


def _titled(title: str, schema: Schema) -> Schema:
    return {"$schema": DRAFT, "title": title, **schema}


def text_of(schema: Schema) -> str:
    """A schema as its file has it."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path, schema in schemas():
        path.write_text(text_of(schema), encoding="utf-8")
