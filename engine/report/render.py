"""The page as bytes: template, style, script and data in one file that needs nothing else.

Names of users are hostile input. In HTML they are escaped by the template engine, always; in the data block nothing
can end the block; the script puts them on the page as text only. The content security policy admits this style and
this script by their digests, and nothing else: no network, no inline handler, no evaluated text.
"""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from seatwarden.engine.report.model import Page
from seatwarden.engine.report.visible import shown

_PAGE, _STYLE, _SCRIPT = "page.html.j2", "page.css", "page.js"

_ESCAPES = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})
"""Characters by which JSON could end its script block, or be read otherwise than as JSON."""


def render(report: Page) -> bytes:
    """The page, UTF-8. The same report gives the same bytes."""
    style, script = page_style(), _text(_SCRIPT)
    page = page_template(_text(_PAGE)).render(
        report=report,
        security=_security(style, script),
        # Our own files, not escaped: a style or script block takes its text as it is.
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        table=Markup(script_json(report.table)),  # noqa: S704
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
    )
    environment.filters["count"] = lambda number: f"{number:,}"
    environment.filters["code"] = _code
    return environment.from_string(text)


def page_style() -> str:
    """The style of our pages."""
    return _text(_STYLE)


def script_json(value: Any) -> str:
    """JSON that can stand in a script block: nothing in it can end the block."""
    return msgspec.json.encode(value).decode().translate(_ESCAPES)


def _security(style: str, script: str) -> str:
    return (
        f"default-src 'none'; script-src '{block_digest(script)}'; style-src '{block_digest(style)}'; "
        "base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _code(text: str) -> Markup:
    """A text of ours in which what stands between backticks is code."""
    parts = [Markup("<code>{}</code>" if n % 2 else "{}").format(shown(p)) for n, p in enumerate(text.split("`"))]  # noqa: S704
    return Markup("").join(parts)


def block_digest(text: str) -> str:
    """The digest of an inline block, as a content security policy names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _finalize(value: Any) -> Any:
    """Every text that the template places, as readers may see it; markup of our own stays."""
    return shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _text(name: str) -> str:
    return files("seatwarden.engine.report").joinpath(name).read_text(encoding="utf-8")
