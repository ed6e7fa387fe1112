"""The page on the Python API says what is true, and all of it."""

import re
from pathlib import Path

import seatwarden
from tests.docs.python_blocks import PAGE, run_page


def test_every_block_prints_what_the_page_shows(tmp_path: Path) -> None:
    seen = []

    def see(pair: re.Match[str], printed: str) -> None:
        assert printed == pair["shown"]
        seen.append(pair)

    page = PAGE.read_text(encoding="utf-8")
    run_page(page, tmp_path, see)
    assert len(seen) == page.count("```python\n") > 4


def test_the_page_names_the_whole_face() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in seatwarden.__all__:
        assert name == "__version__" or re.search(rf"`{name}\b", page), name
        assert getattr(seatwarden, name) is not None
