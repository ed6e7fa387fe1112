"""An audit as one page to look at and to print: no script, no network, nothing but this file.

What stands in it comes from outside: it is escaped by the template engine, always. The content security policy admits
this style by its digest, and nothing else.
"""

from functools import cache
from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

from seatwarden.engine.audit.answers import Audit
from seatwarden.engine.common.way_out import REPORT, check_way_out, write_out
from seatwarden.engine.report.render import page_style, page_template, still_security

MOST_ON_PAGE = 2_000
"""Most entries of a list on the page; JSON has them all."""


def write_page(found: Audit, path: Path, *, force: bool = False) -> None:
    """Writes the page to a file, whole or not at all. Raises InputError."""
    check_way_out(path, REPORT, force=force)
    write_out(path, audit_page(found), REPORT, force=force)


def audit_page(found: Audit) -> bytes:
    """The page, UTF-8. The same audit gives the same bytes."""
    style = page_style() + _text("page.css")
    page = page_template(_text("page.html.j2")).render(
        audit=found,
        most=MOST_ON_PAGE,
        security=still_security(style),
        style=Markup(style),  # noqa: S704 - our own file: a style block takes its text as it is
    )
    return page.encode()


@cache
def _text(name: str) -> str:
    return files("seatwarden.engine.audit").joinpath(name).read_text(encoding="utf-8")
