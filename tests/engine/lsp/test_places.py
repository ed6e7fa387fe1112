"""Whatever is typed, and wherever: answers come, and what is completed can be read."""

import asyncio
import sys
from datetime import UTC, datetime

import pytest
from lsprotocol import types
from pygls.workspace import PositionCodec

from seatwarden.engine.lsp.background import Background
from seatwarden.engine.lsp.checks import CheckJob, Stage
from seatwarden.engine.lsp.completion import completions
from seatwarden.engine.lsp.documents import Open
from seatwarden.engine.lsp.hover import hover
from seatwarden.engine.lsp.names import declared, name_at
from seatwarden.engine.lsp.outline import outline
from seatwarden.engine.lsp.site_names import SiteNames
from seatwarden.engine.lsp.words import SourceText
from seatwarden.grammar.parser import acceptable, parse_policy
from seatwarden.policy.vocabulary import VOCABULARY
from tests.paths import EXAMPLES

SITE = SiteNames(
    {"user.tags": ['a "b"', "c"], "user.@A": ["x"]}, {"user.@": ["A", "Odd name"], "user.attributes": ["g"]}
)


@pytest.mark.parametrize("name", ["freeze.policy", "vips.policy", "butler.yaml"])
def test_every_place_of_an_example_has_answers(name: str) -> None:
    """Also in a text that ends there."""
    whole = (EXAMPLES / name).read_text(encoding="utf-8")
    for offset in range(0, len(whole), 3):
        for text in (SourceText(whole), SourceText(whole[:offset])):
            for one in completions(text, name, offset, SITE):
                assert one.start <= offset <= one.end
            found = hover(text, name, offset)
            assert found is None or found.word.start <= offset <= found.word.end


def test_the_outline_has_rules_as_people_speak_of_them() -> None:
    whole = (EXAMPLES / "vips.policy").read_text(encoding="utf-8")
    rules = parse_policy(whole, "vips.policy").rules
    found = [one.name for one in outline(SourceText(whole)) if one.kind in ("keep", "release")]
    assert found == [rule.title for rule in rules]


def test_every_field_and_every_name_of_the_site_can_be_read_where_it_is_completed() -> None:
    start = "keep when not "
    labels = [one.label for one in completions(SourceText(start), "a.policy", len(start), SITE) if one.kind == "field"]
    assert {'user.@"Odd name"', "user.attributes.g"} <= set(labels)
    assert {name for name, entry in VOCABULARY.items() if not entry.keyed} <= set(labels)
    for label in labels:
        if not label.endswith((".", "@")):  # there one goes on
            assert acceptable(f"{start}{label} ", "policy"), label


@pytest.mark.parametrize("mark", ['"', "'"])
def test_a_text_is_quoted_as_it_was_begun(mark: str) -> None:
    start = f"keep when user.tags = [{mark}c{mark}, {mark}a"
    labels = [one.label for one in completions(SourceText(start), "a.policy", len(start), SITE)]
    assert labels == (['"a ""b"""', '"c"'] if mark == '"' else ["'a \"b\"'", "'c'"])


def test_no_name_is_found_in_a_text_or_a_comment() -> None:
    text = SourceText('let a = ["let b"] # let c\nset d from "e.txt"\nkeep when user.name = a and user.id.a = "a"\n')
    assert [word.text for word in declared(text, "a.policy")] == ["a", "d"]
    assert name_at(text, "a.policy", text.text.index("user.id.a") + 9) is None


def test_places_are_counted_as_editors_count() -> None:
    """In units of UTF-16, and lines by what ends lines: a form feed does not."""
    document = Open("file:///a.policy", "# 🎫\fx\nkeep", None, PositionCodec())
    assert document.offset(types.Position(0, 4)) == 3
    assert document.offset(types.Position(1, 2)) == 8
    assert document.range(3, 8) == types.Range(types.Position(0, 4), types.Position(1, 2))
    assert document.offset(types.Position(9, 0)) == len(document.text)


def test_a_text_that_was_never_saved_has_a_name() -> None:
    assert Open("untitled:Untitled-1", "", None, PositionCodec()).path.endswith("Untitled-1")


def test_a_text_whose_check_has_died_does_not_look_right(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Stage] = []

    async def died() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-c", "pass", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )

    async def check() -> None:
        background = Background(lambda _, stage: told.append(stage))
        background.check(CheckJob("a.policy", "", datetime(2026, 11, 21, tzinfo=UTC)))
        while not told:
            await asyncio.sleep(0.01)
        await background.close()

    monkeypatch.setattr("seatwarden.engine.lsp.background._start", died)
    asyncio.run(check())
    (stage,) = told
    assert [one.severity for one in stage.findings] == ["error"]
    assert "could not be checked" in stage.findings[0].message
