"""The picture of a terminal in README and on the site: a real command on the examples, with its colours.

Run as a module, this draws what the command prints now:

python -m tests.docs.picture
"""

import io
import re
import tempfile
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from tests.docs.blocks import in_folder_of, printed_by
from tests.paths import ROOT

PICTURE = ROOT / "docs" / "images" / "plan.svg"
COMMAND = "seatwarden plan --policy examples/season.policy --snapshot examples/site.json --show all"
COLUMNS = 128

# As rich draws a terminal, without its web fonts: the picture loads nothing.
_FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<title>What seatwarden plan shows in a terminal</title>
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Consolas, Menlo, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def in_colour() -> Text:
    """What a terminal of that width shows of the command, below the command itself."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        for variable in ("NO_COLOR", "TERM", "COLORTERM"):
            patch.delenv(variable, raising=False)
        patch.setenv("FORCE_COLOR", "1")
        patch.setenv("TERM", "xterm-256color")
        patch.setenv("COLUMNS", str(COLUMNS))
        with in_folder_of("", Path(name)):
            printed = printed_by(COMMAND, "")
    return Text.assemble(("$ ", "dim"), (COMMAND, "bold"), "\n", Text.from_ansi(printed))


def draw() -> str:
    """The picture, as SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), color_system="truecolor", force_terminal=True)
    console.print(in_colour(), soft_wrap=True)
    return console.export_svg(title="seatwarden plan", code_format=_FORMAT, unique_id="plan")


def words_in(picture: str) -> list[str]:
    """The lines in a picture, without their spaces: an SVG places every piece of text for itself."""
    rows: dict[float, dict[float, str]] = defaultdict(dict)
    for element in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}text"):  # noqa: S314 - our own file
        if "-title" not in element.get("class", ""):
            rows[float(element.get("y", 0))][float(element.get("x", 0))] = element.text or ""
    return words("".join(text for _, text in sorted(row.items())) for _, row in sorted(rows.items()))


def words(lines: Iterable[str]) -> list[str]:
    """Lines without their spaces, empty ones left out."""
    return [line for line in ("".join(line.split()) for line in lines) if line]


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(re.sub(r"[ \t]+$", "", draw(), flags=re.MULTILINE), encoding="utf-8")
