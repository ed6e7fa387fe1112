"""A receipt as a page for the person it is about: no script, no network, nothing but this file.

What stands in it comes from outside: it is escaped by the template engine, always.
"""

import base64
from functools import cache
from importlib.resources import files
from textwrap import wrap

from markupsafe import Markup

from seatwarden.engine.log.receipt import VerifiedReceipt, receipt_bytes
from seatwarden.engine.log.receipt_words import (
    BEGIN,
    END,
    decision_words,
    fact_rows,
    person_of,
    proof_words,
    what_was_decided,
)
from seatwarden.engine.report.render import page_style, page_template, still_security


def receipt_page(found: VerifiedReceipt) -> bytes:
    """The page, UTF-8, with the receipt itself in it. The same receipt gives the same bytes."""
    style = page_style() + _text("receipt.css")
    licenses = [
        {
            "title": f"{line.license_type.capitalize()} license",
            "words": decision_words(found, line),
            "facts": fact_rows(line),
        }
        for line in found.decisions
    ]
    block = base64.b64encode(receipt_bytes(found.receipt)).decode()
    page = page_template(_text("receipt.html.j2")).render(
        person=person_of(found),
        decided=what_was_decided(found),
        licenses=licenses,
        proof=proof_words(found),
        block=Markup("\n").join([BEGIN, *wrap(block, 76), END]),
        security=still_security(style),
        # Our own file, not escaped: a style block takes its text as it is.
        style=Markup(style),  # noqa: S704
    )
    return page.encode()


@cache
def _text(name: str) -> str:
    return files("seatwarden.engine.report").joinpath(name).read_text(encoding="utf-8")
