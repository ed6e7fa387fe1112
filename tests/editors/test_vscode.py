"""The colours of the VS Code extension are those of our own lexer."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from seatwarden.grammar.ast import Policy
from seatwarden.grammar.comments import find_comments
from seatwarden.grammar.printer import print_policy
from tests.editors.textmate import GRAMMAR, Coloured, coloured
from tests.grammar.tokens import tokens_of
from tests.paths import EXAMPLES, ROOT, load_json
from tests.strategies import any_policies

EXTENSION = ROOT / "editors" / "vscode"
SAMPLE = EXTENSION / "test" / "sample.policy"
RECORDED: dict[str, Any] = load_json(EXTENSION / "test" / "recorded-tokens.json")
TEXTS = [SAMPLE, *sorted(EXAMPLES.glob("*.policy"))]

_SCOPES = {
    "keyword.control": (
        "KEEP DOWNGRADE RELEASE WHEN UNTIL LET SET FROM TIMEZONE LIMIT TO OF PER RUN LONGEST FIRST AS KIND REGARDLESS"
        " USE REACH FREE AFTER NOTICE REMINDER BEFORE GUARANTEE ALWAYS BOTH TYPES WITHOUT"
    ),
    "keyword.operator.word": "AND OR NOT LIKE UNUSED FOR NEVER USED IS EMPTY",
    "keyword.operator.logical": "AND OR NOT",
    "keyword.operator.comparison": "OPERATOR EQUAL",
    "keyword.operator.arithmetic": "PLUS MINUS",
    "keyword.other.unit": "UNIT PERCENT",
    "support.constant.license-type": "TYPE PROFESSIONAL",
    "support.function": "DATE_OF NUMBER_OF",
    "constant.language.boolean": "TRUE FALSE",
    "constant.numeric.date": "DATE MONTH_DAY",
    "constant.numeric": "NUMBER",
    "string.quoted.double": "STRING",
    "string.quoted.single": "STRING",
    "variable.other.property": "FIELD",
    "variable.other.constant": "NAME",
    "punctuation": "LSQB RSQB LPAR RPAR COMMA",
    "comment.line.number-sign": "COMMENT",
}
"""Which of our terminals a scope may colour."""


def _as_lexed(text: str) -> Iterator[tuple[int, int, int, str]]:
    """Line, start, end and terminal of every word and comment, by our own lexer."""
    for token in tokens_of(text):
        if token:  # the end of the text is one, and has no letters
            yield (token.line or 1) - 1, (token.column or 1) - 1, (token.end_column or 1) - 1, token.type
    for comment in find_comments(text, "f"):
        span = comment.span
        yield span.line - 1, span.column - 1, span.end_column - 1, "COMMENT"


def _agree(text: str, colours: list[Coloured]) -> None:
    lexed = sorted(_as_lexed(text))
    assert [place[:3] for place in lexed] == [colour[:3] for colour in colours]
    for (*_, terminal), colour in zip(lexed, colours, strict=True):
        assert terminal in _SCOPES[colour.scope.removesuffix(".seatwarden")].split(), colour


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_examples_are_coloured_as_they_are_read(path: Path) -> None:
    _agree(_text(path), coloured(_text(path)))


@given(any_policies())
def test_every_policy_is_coloured_as_it_is_read(policy: Policy) -> None:
    text = print_policy(policy)
    _agree(text, coloured(text))


def test_the_sample_has_every_colour() -> None:
    scopes = {colour.scope.removesuffix(".seatwarden") for colour in coloured(_text(SAMPLE))}
    assert scopes == set(_SCOPES)


def test_a_text_that_is_not_closed_is_marked() -> None:
    (*_, last) = coloured('keep "a" when user.name = "b # c')
    assert last == (0, 26, 32, "invalid.illegal.unclosed.seatwarden")


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_vs_code_colours_the_same(path: Path) -> None:
    """The record of VS Code's own tokenizer, against ours of the same rules."""
    entry = RECORDED["files"].get(path.relative_to(ROOT).as_posix())
    if path != SAMPLE and (entry is None or entry["sha256"] != _digest(path)):
        pytest.skip(f"{path.name} has changed since VS Code's tokenizer was run: npm run record in editors/vscode")
    assert entry["sha256"] == _digest(path), "the sample has changed: npm run record in editors/vscode"
    assert coloured(_text(path)) == [Coloured(*token) for token in entry["tokens"]]


def test_the_record_is_of_this_grammar() -> None:
    assert RECORDED["grammar"] == _digest(GRAMMAR), "the grammar has changed: npm run record in editors/vscode"


def test_the_record_is_what_vs_code_s_tokenizer_says_now() -> None:
    node = shutil.which("node")
    if node is None or not (EXTENSION / "node_modules" / "vscode-textmate").exists():
        pytest.skip("NOT RUN: VS Code's own tokenizer needs Node.js and `npm ci` in editors/vscode")
    ran = subprocess.run([node, "test/tokens.mjs"], cwd=EXTENSION, capture_output=True, check=True, timeout=60)
    fresh = json.loads(ran.stdout)
    assert fresh["files"]["editors/vscode/test/sample.policy"] == RECORDED["files"]["editors/vscode/test/sample.policy"]
    for name, entry in fresh["files"].items():
        assert coloured(_text(ROOT / name)) == [Coloured(*token) for token in entry["tokens"]], name


@pytest.mark.long
def test_the_extension_starts_the_server() -> None:
    """Its own tests, with Node.js: its code against this server, without VS Code."""
    npm = shutil.which("npm")
    if npm is None or not (EXTENSION / "node_modules" / "esbuild").exists():
        pytest.skip("NOT RUN: the extension's own tests need Node.js and `npm ci` in editors/vscode")
    settings = {**os.environ, "SEATWARDEN_PYTHON": sys.executable}
    ran = subprocess.run(
        [npm, "test", "--silent"], cwd=EXTENSION, env=settings, capture_output=True, text=True, check=False, timeout=200
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "# skipped 0" in ran.stdout


def test_the_extension_names_files_that_are_there() -> None:
    package = load_json(EXTENSION / "package.json")
    (language,) = package["contributes"]["languages"]
    (grammar,) = package["contributes"]["grammars"]
    assert language["extensions"] == [".policy"]
    assert grammar["scopeName"] == load_json(GRAMMAR)["scopeName"]
    made = {package["main"].split("/")[1]}  # by `npm run bundle`
    for name in {language["configuration"], grammar["path"], *package["files"]} - made:
        assert (EXTENSION / name).exists(), name
    assert load_json(EXTENSION / "language-configuration.json")["comments"]["lineComment"] == "#"


def _digest(path: Path) -> str:
    return hashlib.sha256(_text(path).encode()).hexdigest()
