"""What CONTRIBUTING.md and SECURITY.md tell somebody to open or to run exists."""

import json
import re
from importlib.util import find_spec

import pytest

from tests.docs.test_architecture import named_places
from tests.paths import ROOT

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PLACES = named_places(CONTRIBUTING) | named_places(SECURITY)
MODULES = sorted(set(re.findall(r"(?:python3?|py) -m ([\w.]+)", CONTRIBUTING)))


def test_the_page_names_files() -> None:
    assert {"policy/codes.py", "engine/cli/commands/", ".ci/run", "tests/docs/test_codes.py"} <= set(PLACES)


@pytest.mark.parametrize("name", PLACES)
def test_what_is_named_exists(name: str) -> None:
    assert PLACES[name].exists()
    _, _, test = name.partition("::")
    assert not test or f"\ndef {test}(" in PLACES[name].read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("FOUND", "tests/policy/lint/test_meaning.py"),
        ("NOT_FOUND", "tests/policy/lint/test_meaning.py"),
        ("READERS", "engine/facts/facts.py"),
        ("COMMANDS", "engine/cli/lazy.py"),
    ],
)
def test_tables_that_a_recipe_speaks_of_are_there(name: str, file: str) -> None:
    assert re.search(rf"`{file}`(?:(?!\n\d\. ).)*`{name}`", CONTRIBUTING, re.DOTALL)
    assert re.search(rf"^{name}\b.* = ", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("module", MODULES)
def test_modules_can_be_run(module: str) -> None:
    spec = find_spec(module)
    assert spec is not None
    if module.startswith(("tests.", "seatwarden.")):
        assert spec.origin is not None
        with open(spec.origin, encoding="utf-8") as source:
            assert 'if __name__ == "__main__":' in source.read()


def test_make_has_the_targets() -> None:
    named = set(re.findall(r"`?make (\w+)", CONTRIBUTING))
    assert named == {"test", "lint", "lowest", "constraints", "man", "demo", "docs", "pictures"}
    for target in named:
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


def test_the_checks_are_those_of_make_lint() -> None:
    recipe = MAKEFILE.split("\nlint:", 1)[1].split("\n\n", 1)[0]
    for check in re.findall(r"\$\(BIN\)/(.+)", recipe):
        assert f"`{check}`" in CONTRIBUTING, check


def test_ci_runs_what_the_page_says() -> None:
    run = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.findall(r"^make \S+ (\w+)$", run, re.MULTILINE) == ["lint", "test", "lowest", "demo", "docs"]
    assert "-m long" in run


def test_npm_has_the_scripts() -> None:
    scripts = json.loads((ROOT / "editors" / "vscode" / "package.json").read_text(encoding="utf-8"))["scripts"]
    assert set(re.findall(r"`npm run (\w+)`", CONTRIBUTING)) <= set(scripts)


def test_links_lead_somewhere() -> None:
    for page in (CONTRIBUTING, SECURITY):
        for target in re.findall(r"\]\(([^)#\s]+)", page):
            assert target.startswith("https://") or (ROOT / target).exists(), target


@pytest.mark.parametrize("page", [CONTRIBUTING, SECURITY])
def test_lines_fit(page: str) -> None:
    assert max(map(len, page.splitlines())) <= 120
