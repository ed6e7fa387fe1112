"""The pictures in README and on the site: of a terminal, a real command on the examples, with its colours; and the
curves of the backtest that docs/backtest.md shows, taken from its page.

Run as a module, this draws what the commands show now:

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

from tests.docs.blocks import in_folder_of, lines, printed_by
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


# The curves of a backtest --------------------------------------------------------------------------------

CURVES = ROOT / "docs" / "images" / "backtest.svg"
_MAKING = "seatwarden demo --history --quiet"
_FIGURE = re.compile(r'<figcaption><h3>(.*?)</h3>.*?<svg class="curve"[^>]*>(.*?)</svg>', re.DOTALL)
_CURVES_FORMAT = """\
<svg viewBox="0 0 980 272" xmlns="http://www.w3.org/2000/svg" role="img">
<title>Who was back, and how many seats were free, over the threshold</title>
<style>
{style}
.paper {{ fill: var(--ground); }}
svg text.head {{ font: 600 14px var(--sans); fill: var(--text); }}
</style>
{patterns}
<rect class="paper" width="980" height="272"/>
{figures}
<rect class="kept" x="520" y="250" width="12" height="12"/>
<text x="538" y="260">released later</text>
<rect class="quarantined" x="630" y="250" width="12" height="12"/>
<text x="648" y="260">the backlog of the first day</text>
</svg>
"""


def draw_curves() -> str:
    """What a backtest costs and frees, as SVG: the first two pictures of its page, side by side."""
    with tempfile.TemporaryDirectory() as name, in_folder_of("", Path(name)):
        printed_by(_MAKING, "")
        page = Path("seatwarden-demo", "backtest.html").read_text(encoding="utf-8")
    figures = [
        f'<g transform="translate({x}, 0)"><text class="head" x="0" y="20">{head}</text>'
        f'<g transform="translate(0, 32)">{"".join(lines(picture))}</g></g>'
        for x, (head, picture) in zip((20, 520), _FIGURE.findall(page)[:2], strict=True)
    ]
    style = re.sub(r"/\*.*?\*/|^@page.*?^}$", "", page.partition("<style>")[2].partition("</style>")[0], flags=_LONG)
    patterns = page.partition('<svg class="defs"')[2].partition("<defs>")[2].partition("</defs>")[0]
    made = _CURVES_FORMAT.format(
        style="\n".join(line for line in lines(style) if line),
        patterns=f"<defs>{patterns}</defs>",
        figures="\n".join(figures),
    )
    return re.sub(r"\s*\n\s*", "\n", made)


_LONG = re.DOTALL | re.MULTILINE


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(re.sub(r"[ \t]+$", "", draw(), flags=re.MULTILINE), encoding="utf-8")
    CURVES.write_text(draw_curves(), encoding="utf-8")
