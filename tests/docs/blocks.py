"""The documentation's pages: console blocks are commands with what they print, in one folder from top to bottom.

A block like ```` ```yaml policy.yaml ```` writes that file on its way, ```` ```yaml +policy.yaml ```` adds to it; one
below examples/ shows that example. A page that speaks of `--site site.yaml` has the live site of tests.docs.live_site;
what is typed at a prompt stands behind it, as in a terminal. Run as a module, this writes what the commands print now,
and what the examples say, into the pages:

python -m tests.docs.blocks
"""

import contextlib
import io
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatwarden.engine.cli.main import main
from tests.docs.live_site import TypedAnswers, live_site
from tests.docs.same_hand import same_hand
from tests.paths import EXAMPLES, ROOT

BLOCK = re.compile(r"^```(?:console|\w+ (?P<more>\+)?(?P<file>[\w./-]+))\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^\$ ", re.MULTILINE)
ANSWER = re.compile(r"(?<=\]: )\S+$", re.MULTILINE)


def pages() -> list[Path]:
    """Every page of the documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@contextlib.contextmanager
def in_folder_of(page: str, folder: Path) -> Iterator[None]:
    """The working folder is `folder`, with what a reader of the page has before the first command."""
    shutil.copytree(EXAMPLES, folder / "examples")
    site = live_site(folder) if "--site site.yaml" in page else contextlib.nullcontext()
    with contextlib.chdir(folder), same_hand(), site:
        yield


def write_file(block: re.Match[str]) -> None:
    """Writes the file of a block, or adds to it."""
    Path(block["file"]).parent.mkdir(parents=True, exist_ok=True)
    with open(block["file"], "a" if block["more"] else "w", encoding="utf-8") as file:
        file.write(block["text"])


def commands(block: str) -> Iterator[tuple[str, str]]:
    """Command and output of each command in a block."""
    for part in COMMAND.split(block)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def lines(text: str) -> list[str]:
    """Lines without the spaces at their ends, which no reader sees."""
    return [line.rstrip() for line in text.rstrip().splitlines()]


def printed_by(command: str, shown: str) -> str:
    """What a terminal shows of a command; the answers to its questions are those in `shown`."""
    program, *arguments = shlex.split(command)
    assert program == "seatwarden", command
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="", write_through=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [program, *arguments])
        patch.setattr(sys, "stdin", TypedAnswers("".join(f"{answer}\n" for answer in ANSWER.findall(shown))))
        patch.setattr(sys, "stdout", terminal)
        patch.setattr(sys, "stderr", terminal)
        with pytest.raises(SystemExit):
            main()
    assert isinstance(terminal.buffer, io.BytesIO)
    return terminal.buffer.getvalue().decode().replace(os.linesep, "\n")


def _refreshed(page: str) -> str:
    def fresh(block: re.Match[str]) -> str:
        if block["file"] and block["file"].startswith("examples/"):
            head = block[0][: block.start("text") - block.start()]
            return f"{head}{(ROOT / block['file']).read_text(encoding='utf-8')}```"
        if block["file"]:
            write_file(block)
            return block[0]
        parts = []
        for command, shown in commands(block["text"]):
            parts.append("\n".join([f"$ {command}", *lines(printed_by(command, shown))]) + "\n")
        return f"```console\n{''.join(parts)}```"

    return BLOCK.sub(fresh, page)


if __name__ == "__main__":
    for path in pages():
        text = path.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as name, in_folder_of(text, Path(name)):
            text = _refreshed(text)
        path.write_text(text, encoding="utf-8")
