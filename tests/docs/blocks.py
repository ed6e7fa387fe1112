"""The console blocks of the documentation. Run as a module, it writes what the commands print now into the pages.

python -m tests.docs.blocks
"""

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.paths import EXAMPLES, ROOT

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^\$ ", re.MULTILINE)


def pages() -> list[Path]:
    """Every page of the documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands(block: str) -> Iterator[tuple[str, str]]:
    """Command and output of each command in a block."""
    for part in COMMAND.split(block)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def lines(text: str) -> list[str]:
    """Lines without the spaces at their ends, which no reader sees."""
    return [line.rstrip() for line in text.rstrip().splitlines()]


def _refreshed(block: str) -> str:
    parts = []
    for command, _ in commands(block):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(EXAMPLES, Path(folder) / "examples")
            arguments = [sys.executable, "-m", "engine.cli.main", *shlex.split(command)[1:]]
            ran = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)
        parts.append("\n".join([f"$ {command}", *lines(ran.stdout + ran.stderr)]) + "\n")
    return "".join(parts)


if __name__ == "__main__":
    for page in pages():
        text = page.read_text(encoding="utf-8")
        page.write_text(BLOCK.sub(lambda m: f"```console\n{_refreshed(m[1])}```", text), encoding="utf-8")
