"""Every command shown in the documentation is run, and prints what the page shows."""

from pathlib import Path

import pytest

from tests.docs.blocks import BLOCK, come_to_day_of, commands, in_folder_of, lines, pages, printed_by, write_file
from tests.paths import ROOT

_PAGES = [page for page in pages() if BLOCK.search(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_output_is_what_the_page_shows(tmp_path: Path, page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    with in_folder_of(text, tmp_path) as qrs:
        for block in BLOCK.finditer(text):
            if block["file"]:
                write_file(block)
                continue
            come_to_day_of(block, qrs)
            for command, output in commands(block["text"]):
                assert lines(printed_by(command, output)) == lines(output), f"{page.name}: {command}"
