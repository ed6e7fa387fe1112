"""The documentation's pages: console blocks are commands with what they print, in one folder from top to bottom.

A block like ```` ```yaml policy.yaml ```` writes that file on its way; one below examples/ shows that example. Run as a
module, this writes what the commands print now, and what the examples say, into the pages:

python -m tests.docs.blocks
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.paths import EXAMPLES, ROOT

BLOCK = re.compile(r"^```(?:console|\w+ (?P<file>[\w./-]+))\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^\$ ", re.MULTILINE)


def pages() -> list[Path]:
    """Every page of the documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def prepare(folder: Path) -> None:
    """What a reader has before the first command."""
    shutil.copytree(EXAMPLES, folder / "examples")


def commands(block: str) -> Iterator[tuple[str, str]]:
    """Command and output of each command in a block."""
    for part in COMMAND.split(block)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def lines(text: str) -> list[str]:
    """Lines without the spaces at their ends, which no reader sees."""
    return [line.rstrip() for line in text.rstrip().splitlines()]


def _refreshed(page: str, folder: Path) -> str:
    def fresh(block: re.Match[str]) -> str:
        if block["file"] and block["file"].startswith("examples/"):
            head = block[0][: block.start("text") - block.start()]
            return f"{head}{(ROOT / block['file']).read_text(encoding='utf-8')}```"
        if block["file"]:
            (folder / block["file"]).write_text(block["text"], encoding="utf-8")
            return block[0]
        parts = []
        for command, _ in commands(block["text"]):
            arguments = [sys.executable, "-m", "engine.cli.main", *shlex.split(command)[1:]]
            here = {**os.environ, "PYTHONPATH": str(ROOT)}
            ran = subprocess.run(arguments, cwd=folder, env=here, capture_output=True, text=True, check=False)
            parts.append("\n".join([f"$ {command}", *lines(ran.stdout + ran.stderr)]) + "\n")
        return f"```console\n{''.join(parts)}```"

    return BLOCK.sub(fresh, page)


if __name__ == "__main__":
    for page in pages():
        text = page.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as name:
            prepare(Path(name))
            page.write_text(_refreshed(text, Path(name)), encoding="utf-8")
