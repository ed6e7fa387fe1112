"""The pages on diagnostics: there is one for every code, its examples are run, and lint prints what it shows."""

import re
import shutil
from pathlib import Path

import pytest

from seatwarden.policy.codes import known_codes, page_of, title_of
from seatwarden.policy.errors import InputError
from tests.engine.cli.conftest import Run
from tests.paths import EXAMPLES, ROOT

_CODE = re.compile(r"""["'](SW\d{3})["']""")
_BLOCK = re.compile(r"^```(\w+) (failing|passing|output|file=\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"^`seatwarden ((?:lint|convert) example\.\w+.*)` says:$", re.MULTILINE)
_BESIDE = {"SW320": {"SW306"}}
"""What a page must show beside its own code: a comment that allows nothing leaves the finding that it speaks of."""


def _emitted() -> set[str]:
    """Every code that stands as a text of its own in the source."""
    sources = [path for floor in ("grammar", "policy", "engine") for path in (ROOT / floor).rglob("*.py")]
    return {code for path in sources for code in _CODE.findall(path.read_text(encoding="utf-8"))}


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert set(known_codes()) == _emitted()


def test_the_index_lists_every_page() -> None:
    index = (ROOT / "docs" / "codes" / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \[(SW\d{3})\]\(\1\.md\) \| (.*) \|$", index, re.MULTILINE) == [
        (code, title_of(code)) for code in known_codes()
    ]


# The pages of schedules show the command `frequency`: test_console_blocks runs what they show.
@pytest.mark.parametrize("code", [code for code in known_codes() if code < "SW5"])
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
    assert failing.code == (1 if code < "SW3" else 0)
    assert set(re.findall(r"^\w+\[(SW\d+)\]", said, re.MULTILINE)) == {code, *_BESIDE.get(code, ())}

    Path(arguments[1]).write_text(blocks["passing"][1], encoding="utf-8")
    passing = run(*arguments, *moment, *(["--strict"] if lint else []))
    assert (passing.code, passing.err) == (0, "")
    assert not lint or passing.out.startswith("no findings in ")


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
