"""The Python on docs/api.md: its blocks run in order, in one program, each prints what the block below it shows.

Run as a module, this writes what they print now into the page:

python -m tests.docs.python_blocks
"""

import contextlib
import io
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.docs.same_hand import same_hand
from tests.paths import EXAMPLES, ROOT

PAGE = ROOT / "docs" / "api.md"
PAIR = re.compile(r"^```python\n(?P<code>.*?)^```\n\n^```text\n(?P<shown>.*?)^```$", re.DOTALL | re.MULTILINE)


def run_page(page: str, folder: Path, see: Callable[[re.Match[str], str], None]) -> None:
    """Runs the page's blocks in a folder that has the examples; `see` gets each pair of blocks and what was printed."""
    shutil.copytree(EXAMPLES, folder / "examples")
    names: dict[str, Any] = {}
    with contextlib.chdir(folder), same_hand():
        for pair in PAIR.finditer(page):
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(pair["code"], "docs/api.md", "exec"), names)  # noqa: S102 - our own page
            see(pair, printed.getvalue())


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    fresh: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name:
        run_page(text, Path(name), lambda pair, printed: fresh.update({pair[0]: printed}))
    for pair, printed in fresh.items():
        text = text.replace(pair, pair[: pair.rindex("```text\n")] + f"```text\n{printed}```")
    PAGE.write_text(text, encoding="utf-8")
