"""The examples are right, and the cookbook shows each of them as it is, with what it does on the example site."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seatwarden.engine.decide.decide import decide_all
from seatwarden.engine.facts.day import day_for
from seatwarden.engine.snapshot.reader import load_snapshot
from seatwarden.policy.guarantees.proof import broken, prove
from seatwarden.policy.loading import check_text, load_policy
from tests.docs.blocks import BLOCK, pages
from tests.engine.cli.conftest import Run
from tests.paths import EXAMPLES, ROOT

COOKBOOK = (ROOT / "docs" / "cookbook.md").read_text(encoding="utf-8")
POLICIES = sorted(EXAMPLES.glob("*.policy"))
RECIPES = [path for path in POLICIES if path.name != "butler.policy"]  # that one is a Butler config in our words
FOUND_ON_THE_SITE = {
    "ad-group.policy": ["SW401"] * 2,
    "butler.policy": ["SW401"] * 3,
    "season.policy": ["SW401"],
    "semesters.policy": ["SW401"] * 3,
    "service-accounts.policy": ["SW401"],
    "countries.policy": ["SW401"] * 2,
    "contract-end.policy": ["SW401"] * 3,
    "own-threshold.policy": ["SW401"],
}
"""What the example site finds: an example may name values that nobody there has."""
_ADMINISTRATORS = 'never release when user.roles = "RootAdmin"'
_NOW = datetime(2026, 11, 21, 2, tzinfo=UTC)

_each_policy = pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
_each_recipe = pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)


@_each_policy
def test_an_example_is_right(run: Run, path: Path) -> None:
    assert run("fmt", "--check", path).code == 0
    assert run("lint", "--strict", path, "--now", "2026-11-21").code == 0
    found = run("lint", path, "--snapshot", EXAMPLES / "site.json").out
    assert re.findall(r"^\w+\[(\w+)\]", found, re.MULTILINE) == FOUND_ON_THE_SITE.get(path.name, [])


@_each_recipe
def test_its_test_passes_and_leaves_no_rule_out(run: Run, path: Path) -> None:
    ran = run("test", path.with_suffix(".test.yaml"), "--require-all-rules")
    assert (ran.code, ran.err) == (0, "")


@_each_recipe
def test_it_guarantees_that_administrators_keep_theirs(path: Path) -> None:
    """People copy an example, and find out last whose license it takes."""
    promises = [one for one in load_policy(path).guarantees if one.title.startswith('guarantee "')]
    protects = check_text(f"{path.read_text(encoding='utf-8')}\nguarantee {_ADMINISTRATORS}\n", path.name, path.parent)
    assert promises
    assert broken(prove(protects)) == []


@_each_recipe
def test_it_says_for_whom_it_is(path: Path) -> None:
    head = re.match(r"(# .*\n)+", path.read_text(encoding="utf-8"))
    assert head is not None
    assert re.search(r"\b[Ff]or (every site|sites|managers|whoever)\b", head[0].replace("\n# ", " "))


def test_examples_on_pages_are_the_files() -> None:
    shown = [block for page in pages() for block in BLOCK.finditer(page.read_text(encoding="utf-8"))]
    examples = [block for block in shown if (block["file"] or "").startswith("examples/")]
    for block in examples:
        assert block["text"] == (ROOT / block["file"]).read_text(encoding="utf-8"), block["file"]
    in_cookbook = re.findall(r"^```policy examples/(\S+)$", COOKBOOK, re.MULTILINE)
    assert sorted(in_cookbook) == [path.name for path in RECIPES]


@_each_recipe
def test_who_is_released_is_who_the_page_says(path: Path) -> None:
    section = COOKBOOK.partition(f"examples/{path.name}\n")[2].partition("\n## ")[0]
    told = re.search(r"^Released on the example site: (nobody|(`[^`]+`,?\s)*`[^`]+`)", section, re.MULTILINE)
    assert told is not None
    policy = load_policy(path)
    decisions = decide_all(policy, load_snapshot(EXAMPLES / "site.json"), day_for(policy, _NOW, None))
    released = [decision.user for decision in decisions if decision.verdict == "release"]
    assert re.findall(r"`([^`]+)`", told[1]) == released


def test_what_init_writes_is_what_the_page_shows(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    command = re.search(r"^\$ seatwarden (init qlik .*)$", COOKBOOK, re.MULTILINE)
    assert command is not None
    run(*command[1].split())
    policy = Path("qlik/license.policy").read_text(encoding="utf-8")
    assert f"\nThe policy it wrote:\n\n```policy\n{policy}```\n" in COOKBOOK


def test_links_lead_somewhere() -> None:
    titles = re.findall(r"^## (.+)$", COOKBOOK, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    assert set(re.findall(r"\(#([\w-]+)\)", COOKBOOK)) == anchors
    for link in re.findall(r"\]\(([^#)]+)\)", COOKBOOK):
        assert (ROOT / "docs" / link).exists(), link
