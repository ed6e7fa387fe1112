"""The stored parse tables are those of the grammars."""

import shutil
from pathlib import Path

import pytest

from seatwarden.grammar import tables
from seatwarden.grammar.tables import STARTS, build_parser, digest, load_parser, write_tables
from tests.paths import EXAMPLES

FOLDER = Path(tables.__file__).parent


@pytest.mark.parametrize("name", STARTS)
def test_stored_tables_fit_their_grammar(name: str) -> None:
    """When this fails a grammar has changed: `python -m seatwarden.grammar.tables`. Another Lark builds its own."""
    grammar_digest = digest(name, (FOLDER / f"{name}.lark").read_text(encoding="utf-8"))
    assert (FOLDER / f"{name}.tables").read_bytes().startswith(grammar_digest + b" ")


@pytest.mark.parametrize("name", STARTS)
def test_a_loaded_parser_is_the_built_one(name: str) -> None:
    built = build_parser(name, (FOLDER / f"{name}.lark").read_text(encoding="utf-8"))
    loaded = load_parser(name)
    assert sorted(terminal.name for terminal in loaded.terminals) == sorted(t.name for t in built.terminals)
    texts = {"policy": (EXAMPLES / "season.policy").read_text(encoding="utf-8"), "schedule": "every 6 hours"}
    texts["license_rule"] = '((user.roles="RootAdmin")) and !(user.name like "x*")'
    assert loaded.parse(texts[name], start=STARTS[name][0]) == built.parse(texts[name], start=STARTS[name][0])


def test_without_tables_the_parser_is_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copy(FOLDER / "policy.lark", tmp_path)
    monkeypatch.setattr("seatwarden.grammar.tables._FOLDER", tmp_path)
    text = (EXAMPLES / "season.policy").read_text(encoding="utf-8")
    assert load_parser("policy").parse(text, start="policy")
    (tmp_path / "policy.tables").write_bytes(b"0" * 64 + b" 1.0\nnot of this grammar")
    assert load_parser("policy").parse(text, start="policy")


def test_tables_are_written_for_every_grammar(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for file in FOLDER.glob("*.lark"):
        shutil.copy(file, tmp_path)
    write_tables(tmp_path)
    assert {path.stem for path in tmp_path.glob("*.tables")} == set(STARTS) == {p.stem for p in FOLDER.glob("*.lark")}
    monkeypatch.setattr("seatwarden.grammar.tables._FOLDER", tmp_path)
    monkeypatch.setattr("seatwarden.grammar.tables.build_parser", None)
    assert load_parser("schedule").parse("every 6 hours")
