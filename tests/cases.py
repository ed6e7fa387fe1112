"""Fixture files: pairs of text, each case with a title. Adding a case needs no Python.

=== the title says what the case shows
the source
--->
what is expected of it
"""

from pathlib import Path
from typing import Any

import pytest


def read_cases(folder: Path, pattern: str) -> list[Any]:
    """Every case of every file as a pytest parameter: source and expectation, both without the final line break."""
    cases = []
    for path in sorted(folder.glob(pattern)):
        for block in path.read_text(encoding="utf-8").removeprefix("=== ").split("\n=== "):
            title, _, body = block.partition("\n")
            source, mark, expected = body.partition("--->\n")
            assert mark, f"{path.name}: the case `{title}` has no `--->`"
            cases.append(pytest.param(source.rstrip("\n"), expected.rstrip("\n"), id=f"{path.stem}: {title}"))
    assert cases, f"no cases in {folder}"
    return cases
