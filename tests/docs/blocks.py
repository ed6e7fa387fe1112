"""The documentation's pages: console blocks are commands with what they print, in one folder from top to bottom.

A block like ```` ```yaml policy.yaml ```` writes that file on its way, ```` ```yaml +policy.yaml ```` adds to it; one
below examples/ shows that example. A page that speaks of `--site site.yaml` has the live site of tests.docs.live_site,
one of `--fleet fleet.yaml` several.
There ```` ```console 2026-11-26 ```` is what commands print on that day, and with `used by anna` behind it the same
when she has just opened Qlik Sense. What is typed at a prompt stands behind it, as in a terminal. Run as a module, this
writes what the commands print now, and what the examples say, into the pages:

python -m tests.docs.blocks [PAGE…]
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
from datetime import date
from pathlib import Path

import pytest

from seatwarden.engine.cli.main import main
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.docs.live_site import FLEET_HOSTS, HOST, MAIL_HOST, TypedAnswers, come_to, live_site
from tests.docs.same_hand import same_hand
from tests.paths import EXAMPLES, ROOT

BLOCK = re.compile(
    r"^```(?:console(?: (?P<day>\d{4}-\d\d-\d\d)(?: used by (?P<used>\w+))?)?"
    r"|\w+ (?P<more>\+)?(?P<file>[\w./-]+))\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
COMMAND = re.compile(r"^\$ ", re.MULTILINE)
ANSWER = re.compile(r"(?<=\]: )\S+$", re.MULTILINE)


def pages() -> list[Path]:
    """Every page of the documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@contextlib.contextmanager
def in_folder_of(page: str, folder: Path) -> Iterator[SimulatedQrs | None]:
    """The working folder is `folder`, with what a reader of the page has before the first command.

    The site is there where the page asks one, and a mail server where it sends something by that.
    """
    shutil.copytree(EXAMPLES, folder / "examples")
    mail = f"host: {MAIL_HOST}" in page
    fleet, site = "--fleet fleet.yaml" in page, "--site site.yaml" in page
    hosts = FLEET_HOSTS if fleet else (HOST,)
    there = live_site(folder, mail=mail, hosts=hosts) if fleet or site else contextlib.nullcontext()
    with contextlib.chdir(folder), same_hand(), there as qrs:
        yield qrs


def write_file(block: re.Match[str]) -> None:
    """Writes the file of a block, or adds to it."""
    Path(block["file"]).parent.mkdir(parents=True, exist_ok=True)
    with open(block["file"], "a" if block["more"] else "w", encoding="utf-8") as file:
        file.write(block["text"])


def come_to_day_of(block: re.Match[str], qrs: SimulatedQrs | None) -> None:
    """Lets it be the day of a block, where that names one."""
    if block["day"] is not None:
        assert qrs is not None, "only a page with a site has days"
        come_to(qrs, date.fromisoformat(block["day"]), block["used"])


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


def _refreshed(page: str, qrs: SimulatedQrs | None) -> str:
    def fresh(block: re.Match[str]) -> str:
        if block["file"] and block["file"].startswith("examples/"):
            head = block[0][: block.start("text") - block.start()]
            return f"{head}{(ROOT / block['file']).read_text(encoding='utf-8')}```"
        if block["file"]:
            write_file(block)
            return block[0]
        come_to_day_of(block, qrs)
        head, parts = block[0].partition("\n")[0], []
        for command, shown in commands(block["text"]):
            parts.append("\n".join([f"$ {command}", *lines(printed_by(command, shown))]) + "\n")
        return f"{head}\n{''.join(parts)}```"

    return BLOCK.sub(fresh, page)


if __name__ == "__main__":
    asked = [Path(name).resolve() for name in sys.argv[1:]]
    for path in asked or pages():
        text = path.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as name, in_folder_of(text, Path(name)) as site_of_page:
            text = _refreshed(text, site_of_page)
        path.write_text(text, encoding="utf-8")
