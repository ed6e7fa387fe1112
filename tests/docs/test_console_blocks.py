"""Every command shown in the documentation is run, and prints what the page shows."""

import shlex
from pathlib import Path

import pytest

from tests.docs.blocks import BLOCK, commands, lines, pages, prepare
from tests.engine.cli.conftest import Run
from tests.paths import ROOT

_PAGES = [page for page in pages() if BLOCK.search(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_output_is_what_the_page_shows(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: Path) -> None:
    prepare(tmp_path)
    monkeypatch.chdir(tmp_path)
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if block["file"]:
            (tmp_path / block["file"]).write_text(block["text"], encoding="utf-8")
            continue
        for command, output in commands(block["text"]):
            program, *arguments = shlex.split(command)
            assert program == "seatwarden"
            ran = run(*arguments)
            assert lines(ran.out + ran.err) == lines(output), f"{page.name}: {command}"
