"""The page and its few other pages as bytes: the report with the form in it, and pages of some words.

The form needs no script, and its style is admitted by its digest, like all that the report has. Who may send it where
stands in the security policy: to where the page is from, and nowhere else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from markupsafe import Markup

from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.report.model import Page
from seatwarden.engine.report.render import (
    AskedBeside,
    page_security,
    page_style,
    page_template,
    render,
    render_damaged,
    still_security,
)
from seatwarden.engine.web.form import TypedAnswer
from seatwarden.engine.web.reply import PageReply

WordsLook = Literal["well", "attention", "wrong"]
_SIGNS: dict[WordsLook, tuple[str, str]] = {"well": ("✓", "Done"), "attention": ("!", "Not now"), "wrong": ("✗", "No")}


@dataclass(frozen=True, slots=True)
class HoldBox:
    """The second box of a license: whether it is ticked, what stands beside it, and what is wrong with that."""

    ticked: bool
    reason: str
    until: str
    problem: str | None = None
    field: str | None = None
    """Which of its fields is wrong: `reason` or `until`."""


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """A license that is due, as the form lists it; `hold` is None where nobody can be held by name."""

    line: int
    license: str
    user: str
    name: str
    days: int | None
    why: str
    ticked: bool
    hold: HoldBox | None


@dataclass(frozen=True, slots=True)
class FormProblem:
    """Why nothing was signed, what to do, and the id of the field that it is about."""

    message: str
    help: str | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class AboutAnswer:
    """What the form says of the plan: how many approvals it needs and has, until when; each answer so far. `key` is
    the name of the key that signs, None on a page that is only to be read; `holding`: people can be held."""

    needs: str
    has: str
    expires: str
    said: tuple[str, ...]
    key: str | None
    holding: bool


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """The form. `proof` shows that it is from our page, about the plan with that root."""

    about: AboutAnswer
    rows: Sequence[ReleaseRow]
    typed: TypedAnswer
    problems: Sequence[FormProblem]
    root: str
    proof: str


def form_page(report: Page, form: AnswerForm) -> PageReply:
    """The report with the form."""
    bad = {problem.field for problem in form.problems}
    last = page_template(_text("form.html.j2")).render(
        about=form.about, rows=form.rows, typed=form.typed, bad=bad, root=form.root, proof=form.proof
    )
    first = page_template(_text("problems.html.j2")).render(problems=form.problems)
    asked = AskedBeside(
        # Made by our templates just now; the style is our own file.
        first=Markup(first),  # noqa: S704
        last=Markup(last),  # noqa: S704
        style=Markup(_text("review.css")),  # noqa: S704
        step=(
            "Approve or reject the plan below: without enough approvals nothing is released."
            if form.about.key
            else "The plan waits for approvals: without enough of them nothing is released."
        ),
        mark="Nothing was signed: " if form.problems else "",
    )
    # With `no-referrer` a browser calls the origin of a form `null`, which ours could not be told by.
    headers = {"Referrer-Policy": "same-origin"}
    status = 422 if form.problems else 200
    return PageReply(status, render(report, asked), page_security(report, asked), headers)


def words_page(
    status: int, look: WordsLook, title: str, sentences: Iterable[str] = (), *, again: str = "", **more: Any
) -> PageReply:
    """A page of a few sentences; `again` is a link to the plan."""
    style = page_style()
    security = still_security(style)
    sign, word = _SIGNS[look]
    content = page_template(_text("words.html.j2")).render(
        look=look,
        sign=sign,
        word=word,
        title=title,
        sentences=list(sentences),
        again=again,
        onwards=bool(more.pop("onwards", False)),
        security=security,
        style=Markup(style),  # noqa: S704 - our own file
    )
    return PageReply(status, content.encode(), security, **more)


def damaged_page(damage: DamagedLog) -> PageReply:
    """The page of a plan that is not as it was written."""
    return PageReply(409, render_damaged(damage), still_security(page_style()))


@cache
def _text(name: str) -> str:
    return files("seatwarden.engine.web").joinpath(name).read_text(encoding="utf-8")
