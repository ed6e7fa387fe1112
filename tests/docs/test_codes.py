"""The codes of diagnostics: table, source, pages and index agree, and the pages' examples are run as they stand."""

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatwarden.policy.code_pages import page_of
from seatwarden.policy.codes import CODES
from seatwarden.policy.errors import InputError
from tests.engine.cli.conftest import Run
from tests.paths import EXAMPLES, ROOT

PAGES = ROOT / "docs" / "codes"
_CODE = re.compile(r"SW\d{3}")
_BLOCK = re.compile(r"^```(\w+) (failing|passing|output|file=\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"^`seatwarden ((?:lint|convert|plan --policy) example\.\w+.*)` says:$", re.MULTILINE)
_BESIDE = {"SW320": {"SW306"}}
"""What a page must show beside its own code: a comment that allows nothing leaves the finding that it speaks of."""


def _emitted() -> Iterator[tuple[str, str]]:
    """Every code that the source makes a finding of, with the severity that it gives."""
    table = ROOT / "policy" / "codes.py"
    sources = [path for floor in ("grammar", "policy", "engine") for path in (ROOT / floor).rglob("*.py")]
    for path in set(sources) - {table}:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            literals = [_text(argument) for argument in node.args] if isinstance(node, ast.Call) else []
            for number, literal in enumerate(literals):
                if isinstance(node, ast.Call) and _CODE.fullmatch(literal):
                    yield literal, _severity(ast.unparse(node.func), literals[number + 1 :])


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _severity(function: str, others: list[str]) -> str:
    """What `warning(…)` and its like make is a warning, a `Diagnostic` says it, and all the others make errors."""
    if function == "Diagnostic":
        return others[0]
    return "warning" if function.rpartition(".")[2] in ("warning", "_warning", "_again") else "error"


def test_the_source_finds_what_the_table_says() -> None:
    assert sorted(set(_emitted())) == [(code.name, code.severity) for code in CODES.values()]


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    pages = {path.stem: path.read_text(encoding="utf-8") for path in PAGES.glob("SW*.md")}
    headings = {code: text.partition("\n")[0] for code, text in pages.items()}
    assert headings == {code.name: f"# {code.name}: {code.title}" for code in CODES.values()}


def test_a_page_shows_the_severity_of_its_code() -> None:
    for code in CODES.values():
        shown = re.findall(rf"^(\w+)\[{code.name}\]: ", page_of(code.name), re.MULTILINE)
        assert set(shown) == {code.severity}, code


def test_the_index_lists_every_page() -> None:
    index = (PAGES / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \[(SW\d{3})\]\(\1\.md\) \| (.*) \|$", index, re.MULTILINE) == [
        (code.name, code.title) for code in CODES.values()
    ]


def test_codes_that_need_a_snapshot_are_shown_with_one() -> None:
    shown = {code for code in CODES if (found := _COMMAND.search(page_of(code))) and "--snapshot" in found[1]}
    assert shown == {code.name for code in CODES.values() if code.needs_snapshot}


# The pages of schedules show the command `frequency`: test_console_blocks runs what they show.
@pytest.mark.parametrize(
    "code",
    [name for name, code in CODES.items() if "$ seatwarden frequency" not in page_of(name) and not code.of_plans],
)
def test_the_command_prints_what_the_page_shows(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    page = page_of(code)
    blocks = {kind: (language, text) for language, kind, text in _BLOCK.findall(page)}
    command = _COMMAND.search(page)
    assert command is not None
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    for kind, (_, text) in blocks.items():
        if kind.startswith("file="):
            Path(kind.removeprefix("file=")).write_text(text, encoding="utf-8")
    arguments = command[1].split()
    lint = arguments[0] == "lint"
    moment = ("--now", "2026-11-21") if lint and not {"--now", "--snapshot"} & set(arguments) else ()

    Path(arguments[1]).write_text(blocks["failing"][1], encoding="utf-8")
    failing = run(*arguments, *moment)
    said = failing.out if lint else failing.err
    assert said.rstrip() == blocks["output"][1].rstrip()
    assert failing.code == (1 if CODES[code].severity == "error" else 0)
    assert set(re.findall(r"^\w+\[(SW\d+)\]", said, re.MULTILINE)) == {code, *_BESIDE.get(code, ())}

    Path(arguments[1]).write_text(blocks["passing"][1], encoding="utf-8")
    passing = run(*arguments, *moment, *(["--strict"] if lint else []))
    assert (passing.code, passing.err) == (0, "")
    assert not lint or passing.out.startswith("no findings in ")


def _found_by_plan(run: Run, code: str, *more: object) -> list[str]:
    """The lines of the finding that the command of a code's page prints."""
    page = page_of(code)
    command = _COMMAND.search(page)
    assert command is not None
    Path("example.policy").write_text(_blocks(page)["failing"], encoding="utf-8")
    said = run(*command[1].split(), *more).out.splitlines()
    first = [n for n, line in enumerate(said) if line.startswith(f"warning[{code}]: ")]
    return [line for n in first for line in said[n : n + 2]]


def _blocks(page: str) -> dict[str, str]:
    return {kind: text for _, kind, text in _BLOCK.findall(page)}


@pytest.fixture
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "examples"


@pytest.mark.usefixtures("examples")
@pytest.mark.parametrize("code", ["SW405", "SW406"])
def test_a_plan_finds_what_the_page_shows(run: Run, code: str) -> None:
    blocks = _blocks(page_of(code))
    assert _found_by_plan(run, code) == blocks["output"].splitlines()
    if "passing" in blocks:
        Path("example.policy").write_text(blocks["passing"], encoding="utf-8")
        assert code not in run("plan", "--policy", "example.policy", "--snapshot", "examples/site.json").out


def test_a_change_as_the_page_shows_it(run: Run, examples: Path) -> None:
    page = page_of("SW407")
    Path("example.policy").write_text(_blocks(page)["failing"], encoding="utf-8")
    before = ("plan", "--policy", "example.policy", "--snapshot", "examples/site.json")
    assert run(*before, "--now", "2026-11-20T02:00:00Z", "-o", "plans/1").code == 0
    site = examples / "site.json"
    marked = site.read_text(encoding="utf-8").replace('"removedExternally": false', '"removedExternally": true')
    site.write_text(marked, encoding="utf-8")
    assert _found_by_plan(run, "SW407") == _blocks(page)["output"].splitlines()


def test_explain_prints_the_page(run: Run) -> None:
    assert run("lint", "--explain", "sw301").out == page_of("SW301")


def test_no_such_page(run: Run) -> None:
    ran = run("lint", "--explain", "SW3011")
    assert ran.code == 2
    assert "did you mean" in ran.err
    with pytest.raises(InputError):
        page_of("../README")


def test_pages_are_packed_into_the_wheel() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert (
        project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]["docs/codes"]
        == "seatwarden/policy/pages"
    )
