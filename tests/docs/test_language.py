"""What the language pages show is true: examples, tables, and pairs that mean the same."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from jsonschema import Draft202012Validator

from seatwarden.grammar.bounds import MAX_CHARACTERS, MAX_DEPTH
from seatwarden.grammar.formatter import format_policy
from seatwarden.policy.butler.schema import butler_schema
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.loading import check_text, load_policy, parse_surface
from seatwarden.policy.operators import OPERATORS
from seatwarden.policy.vocabulary import VOCABULARY
from tests.paths import ROOT

PAGES = [ROOT / "docs" / name for name in ("language.md", "ast-json.md", "faq.md")]
LANGUAGE = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(policy|yaml|json)( [^\n]*)?\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """An example: its surface, what the page says of it, its text, and the example before it."""

    place: str
    surface: str
    mark: str
    text: str
    before: str


def _blocks() -> Iterator[Block]:
    for page in PAGES:
        text, before = page.read_text(encoding="utf-8"), ""
        for match in _BLOCK.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            surface, mark, content = match.groups()
            yield Block(f"{page.relative_to(ROOT)}:{line}", surface, (mark or "").strip(), content, before)
            before = content


BLOCKS = list(_blocks())


def _named(blocks: list[Block]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", blocks, ids=[block.place for block in blocks])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the examples stand, with the list file they speak of."""
    (tmp_path / "vips.txt").write_text("ADMIN\\jdoe\n  # CFO\n\nADMIN\\jdoe\n", encoding="utf-8")
    return tmp_path


@_named([block for block in BLOCKS if not block.mark.startswith("wrong")])
def test_examples_are_policies(block: Block, folder: Path) -> None:
    path = folder / f"example.{block.surface}"
    path.write_text(block.text, encoding="utf-8")
    load_policy(path)


@_named([block for block in BLOCKS if block.mark.startswith("wrong")])
def test_wrong_examples_are_refused(block: Block, folder: Path) -> None:
    with pytest.raises(PolicyError) as caught:
        check_text(block.text, "example.policy", folder)
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == [block.mark.removeprefix("wrong ")]


@_named([block for block in BLOCKS if block.surface == "policy" and block.mark in ("", "same")])
def test_examples_are_in_the_one_layout(block: Block) -> None:
    assert format_policy(block.text, "example.policy") == block.text


@_named([block for block in BLOCKS if block.mark == "same"])
def test_pairs_mean_the_same(block: Block) -> None:
    assert parse_surface(block.before, "p.yaml") == parse_surface(block.text, "p.policy")


def test_pages_have_examples_of_every_kind() -> None:
    assert {block.mark for block in BLOCKS} >= {"", "same", "wrong SW103"}


def test_yaml_examples_fit_the_schema() -> None:
    schema = butler_schema()
    for block in BLOCKS:
        if block.surface == "yaml":
            text = re.sub(r"(\d{4}-\d\d-\d\d)", r"'\1'", block.text)  # editors have no dates in YAML
            Draft202012Validator(schema).validate(_plain(text))


def _plain(text: str) -> object:
    from ruamel.yaml import YAML

    return YAML(typ="safe", pure=True).load(text)


def test_the_json_example_says_what_the_policy_before_it_says() -> None:
    (block,) = (block for block in BLOCKS if block.surface == "json")
    assert parse_surface(block.text, "p.json") == parse_surface(block.before, "p.policy")


def _rows(heading: str) -> list[list[str]]:
    """The cells of the first table behind a heading, its head left out."""
    section = LANGUAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.split("\n") if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def test_the_table_of_fields_is_the_vocabulary() -> None:
    shown = {cells[0].strip("`"): cells[1] for cells in _rows("Fields")}
    families = {"user.@Name": "user.@", "user.attributes.name": "user.attributes"}
    assert [families.get(name, name) for name in shown] == list(VOCABULARY)
    for name, type_ in shown.items():
        entry = VOCABULARY[families.get(name, name)]
        assert type_ == entry.type.value + (", several" if entry.many else ""), name


def test_the_table_of_operators_is_complete() -> None:
    shown = [tuple(re.findall(r"`([^`]+)`", cells[0].replace("\\|", "|"))) for cells in _rows("Conditions")]
    assert shown == [(operator.spelling, *operator.also) for operator in OPERATORS]
    for cells in _rows("Conditions"):
        check_text(f"release when {cells[3].strip('`')}", "p")


def test_bounds_are_the_parser_s() -> None:
    assert f"{MAX_CHARACTERS:,} characters" in LANGUAGE
    assert f"{MAX_DEPTH} deep" in LANGUAGE


def test_list_files_are_read_as_the_page_says(folder: Path) -> None:
    policy = check_text('set vips from "vips.txt" release when user = vips', "p", folder)
    assert policy.text == 'let vips = ["ADMIN\\jdoe", "# CFO"]\nrelease when user = vips\n'


def test_links_within_the_page() -> None:
    titles = re.findall(r"^## (.+)$", LANGUAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    assert set(re.findall(r"\(#([\w-]+)\)", LANGUAGE)) <= anchors
