"""The page as bytes: template, style, script and data in one file that needs nothing else.

Names of users are hostile input. In HTML they are escaped by the template engine, always; in the data block nothing
can end the block; the script puts them on the page as text only. The content security policy admits this style and
this script by their digests, and nothing else: no network, no inline handler, no evaluated text.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from jinja2 import DictLoader, Environment, StrictUndefined, Template
from markupsafe import Markup

from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.plan.summary_text import MODES
from seatwarden.engine.report.band import damaged_band
from seatwarden.engine.report.model import Page
from seatwarden.engine.report.visible import shown

_PAGE, _DAMAGED, _PARTS, _STYLE = "page.html.j2", "damaged.html.j2", "parts.html.j2", "page.css"
_SCRIPTS = ("rows.js", "page.js")
"""Joined in this order: what the rows are, and how they are shown."""

_MOST_DAMAGES = 50
"""Most damages that a page lists."""

_ESCAPES = {c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}
"""Characters by which JSON could end its script block, or be read otherwise than as JSON."""


@dataclass(frozen=True, slots=True)
class AskedBeside:
    """What a page has beside the report where somebody is asked for an answer: HTML that comes first and last, a style
    of its own, the next step in place of the report's, and a mark in front of the title. Its form is sent to where the
    page is from."""

    first: Markup
    last: Markup
    style: Markup
    step: str
    mark: str = ""


def render(report: Page, asked: AskedBeside | None = None) -> bytes:
    """The page, UTF-8. The same report gives the same bytes."""
    page = page_template(_text(_PAGE)).render(
        report=report,
        asked=asked,
        kinds=MODES,
        security=page_security(report, asked),
        # Our own files, not escaped: a style or script block takes its text as it is.
        style=Markup(page_style()),  # noqa: S704
        paper=Markup(paper_style(report)),  # noqa: S704
        script=Markup(_script()),  # noqa: S704
        table=Markup(script_json(report.table)),  # noqa: S704
    )
    return page.encode()


def render_damaged(damage: DamagedLog) -> bytes:
    """The page of a run whose record is not as it was written: nothing that it says is shown."""
    style = page_style()
    page = page_template(_text(_DAMAGED)).render(
        band=damaged_band(),
        file=damage.path.name,
        damages=damage.damage[:_MOST_DAMAGES],
        more=max(len(damage.damage) - _MOST_DAMAGES, 0),
        security=still_security(style),
        style=Markup(style),  # noqa: S704
    )
    return page.encode()


def page_template(text: str) -> Template:
    """A template of ours, in which all that it places is escaped, and nothing that is hidden stays so."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=DictLoader({"parts": _text(_PARTS)}),
    )
    environment.filters["count"] = lambda number: f"{number:,}"
    environment.filters["code"] = _code
    environment.filters["breakable"] = _breakable
    return environment.from_string(text)


def page_style() -> str:
    """The style of our pages."""
    return _text(_STYLE)


def script_json(value: Any) -> str:
    """JSON that can stand in a script block: nothing in it can end the block."""
    text = msgspec.json.encode(value).decode()
    for (
        character,
        escape,
    ) in _ESCAPES.items():  # a translation looks at each of ten million characters, and takes a second
        text = text.replace(character, escape)
    return text


def paper_style(report: Page) -> str:
    """The line at the foot of each sheet of paper: which run it is of, and that run's seal."""
    line = f"Run {shown(report.header.run_id)} · seal {shown(report.seal)}"
    # Whatever a log says: each character as CSS writes it by its number, with a space that belongs to it.
    text = "".join(c if (c.isalnum() and c.isascii()) or c in " -" else f"\\{ord(c):06x} " for c in line)
    return f'@page {{ @bottom-left {{ content: "{text}"; }} }}'


def page_security(report: Page, asked: AskedBeside | None = None) -> str:
    """The content security policy of a run's page."""
    own = (page_style(), paper_style(report), *([asked.style] if asked else []))
    styles = " ".join(f"'{block_digest(style)}'" for style in own)
    return (
        f"default-src 'none'; script-src '{block_digest(_script())}'; style-src {styles}; "
        "base-uri 'none'; "
        f"form-action '{'self' if asked else 'none'}'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def still_security(style: str) -> str:
    """The content security policy of a page without a script, of which this is the style."""
    return f"default-src 'none'; style-src '{block_digest(style)}'; base-uri 'none'; form-action 'none'"


def _code(text: str) -> Markup:
    """A text of ours in which what stands between backticks is code."""
    parts = [Markup("<code>{}</code>" if n % 2 else "{}").format(shown(p)) for n, p in enumerate(text.split("`"))]  # noqa: S704
    return Markup("").join(parts)


def _breakable(text: str) -> Markup:
    """A name that may be broken behind its signs."""
    return Markup("<wbr>").join(re.split(r"(?<=[\\.@_-])", shown(text)))


def block_digest(text: str) -> str:
    """The digest of an inline block, as a content security policy names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _finalize(value: Any) -> Any:
    """Every text that the template places, as readers may see it; markup of our own stays."""
    return shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _script() -> str:
    return "".join(map(_text, _SCRIPTS))


@cache
def _text(name: str) -> str:
    return files("seatwarden.engine.report").joinpath(name).read_text(encoding="utf-8")
