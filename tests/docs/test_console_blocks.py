"""Every command shown in the documentation is run, and prints what the page shows."""

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.cli.conftest import Run
from tests.paths import EXAMPLES, ROOT

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def _shown() -> Iterator[tuple[str, str, str]]:
    """Page, command and output of each command shown."""
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                yield str(page.relative_to(ROOT)), command, output


@pytest.mark.parametrize(("page", "command", "output"), list(_shown()))
def test_output_is_what_the_page_shows(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str, command: str, output: str
) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    program, *arguments = shlex.split(command)
    assert program == "seatwarden"
    ran = run(*arguments)
    assert _lines(ran.out + ran.err) == _lines(output), page


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().splitlines()]
