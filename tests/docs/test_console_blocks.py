"""Every command shown in the documentation is run, and prints what the page shows."""

import shlex
import shutil
from pathlib import Path

import pytest

from tests.docs.blocks import BLOCK, commands, lines, pages
from tests.engine.cli.conftest import Run
from tests.paths import EXAMPLES, ROOT

_SHOWN = [
    (str(page.relative_to(ROOT)), command, output)
    for page in pages()
    for block in BLOCK.findall(page.read_text(encoding="utf-8"))
    for command, output in commands(block)
]


@pytest.mark.parametrize(("page", "command", "output"), _SHOWN)
def test_output_is_what_the_page_shows(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str, command: str, output: str
) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    program, *arguments = shlex.split(command)
    assert program == "seatwarden"
    ran = run(*arguments)
    assert lines(ran.out + ran.err) == lines(output), page
