"""The texts of messages: ours, and the user's own in their place; read, checked and tried before any is sent.

A folder of the user's own looks as ours does: a folder a language, in it `subject.txt`, `message.txt` and
`message.html`, beside them what these include. A file takes the place of ours of the same name; a language of which we
have nothing is there as soon as it has `subject.txt` and `message.txt`. Who writes a text without HTML gets plain mail:
the HTML of somebody else would say something else.
"""

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import TracebackType

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from seatwarden.engine.common.text import one_line
from seatwarden.engine.notice.allowed import check_nodes
from seatwarden.engine.notice.facts import NoticeFacts, variables
from seatwarden.engine.notice.languages import LANGUAGES
from seatwarden.engine.notice.recipient import RecipientKind
from seatwarden.engine.site.notice import NoticeSettings
from seatwarden.grammar.suggest import nearest
from seatwarden.policy.errors import InputError
from seatwarden.policy.files import read_text

SUBJECT, TEXT, HTML = "subject.txt", "message.txt", "message.html"
LONGEST_SUBJECT = 200
MAX_TEMPLATE = 65_536
"""Most characters of a file."""
MAX_OUTPUT = 262_144
"""Most characters of what a template makes."""
_TAG = re.compile(r"[a-z]{2,3}")


@dataclass(frozen=True, slots=True)
class NoticeWords:
    """The words of one message; `html` is None for plain mail. The subject is one line."""

    subject: str
    text: str
    html: str | None


@dataclass(frozen=True, slots=True)
class _Parts:
    """The templates of one language."""

    subject: Template
    text: Template
    html: Template | None


class NoticeTemplates:
    """The texts of all languages, checked."""

    def __init__(self, settings: NoticeSettings, parts: dict[str, _Parts]) -> None:
        self._settings = settings
        self._parts = parts

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that there are texts in."""
        return tuple(self._parts)

    def words(self, facts: NoticeFacts, recipient: RecipientKind, language: str) -> NoticeWords:
        """What somebody is told, in one of the languages. Raises InputError, but not for what has been tried."""
        settings, parts = self._settings, self._parts[language]
        given = variables(facts, recipient, language, settings.contact, settings.hub)
        subject = one_line(_made(parts.subject, given), LONGEST_SUBJECT).strip()
        html = _made(parts.html, given) if parts.html else None
        return NoticeWords(subject, _made(parts.text, given).strip() + "\n", html)


def load_templates(settings: NoticeSettings) -> NoticeTemplates:
    """All texts, each tried with users of all kinds.

    Raises InputError with the file, the line and what to do, for a file that cannot be read, holds what it may not,
    or makes no message; also for a default language that there are no texts in.
    """
    shelf = _Shelf(settings.templates)
    found = {tag: shelf.parts(tag) for tag in shelf.languages()}
    if settings.default_language not in found:
        known = ", ".join(found)
        problem = f"`defaultLanguage: {settings.default_language}`: there are no texts in that language"
        raise InputError(problem, f"there are texts in {known}; others need a folder of their own under `templates`")
    shelf.find_mistyped()
    templates = NoticeTemplates(settings, found)
    for tag, parts in found.items():
        _try_out(templates, tag, parts)
    return templates


def check_templates(settings: NoticeSettings) -> None:
    """Raises InputError where `load_templates` does."""
    load_templates(settings)


# Reading -------------------------------------------------------------------------------------------------


class _Shelf:
    """The files that there are, of the user's own and of ours, read once and checked."""

    def __init__(self, own: Path | None) -> None:
        self._own = own
        self._files: dict[str, str] = {}
        """The file of each template that was found, by its name within the folder."""
        self._environment = _Environment(self)

    def languages(self) -> list[str]:
        """Ours, then those that the user's own folder adds."""
        added = []
        for folder in sorted(self._own.iterdir()) if self._own else ():
            has_text = (folder / SUBJECT).is_file() or (folder / TEXT).is_file() or (folder / HTML).is_file()
            if folder.name not in LANGUAGES and has_text:
                if not _TAG.fullmatch(folder.name):
                    help_ = "name it by two small letters: nl"
                    raise InputError(f"template folder `{folder}`: `{folder.name}` is no language", help_)
                added.append(folder.name)
        return [*LANGUAGES, *added]

    def parts(self, tag: str) -> _Parts:
        """The templates of a language. Raises InputError."""
        own_text, own_html = self._own_file(tag, TEXT), self._own_file(tag, HTML)
        if own_html and not own_text:
            help_ = f"write `{own_html.with_name(TEXT)}` too: who reads plain mail would be told something else"
            raise InputError(f"template `{own_html}` has no plain text beside it", help_)
        html = None if own_text and not own_html else self._template(tag, HTML)
        return _Parts(self._template(tag, SUBJECT), self._template(tag, TEXT), html)

    def find_mistyped(self) -> None:
        """Raises InputError for a file that nobody reads and that is almost called as one that is."""
        if self._own is None:
            return
        for folder in (self._own, *(self._own / tag for tag in self.languages())):
            for path in sorted(folder.glob("*.*")):
                known = [name.rpartition("/")[2] for name in self._files] + [SUBJECT, TEXT, HTML]
                # By the names without their ends, which all have: `notes.txt` is not nearly `subject.txt`.
                alike = {Path(name).stem: name for name in known if Path(name).suffix == path.suffix}
                meant = nearest(path.stem, alike)
                if path.name not in known and meant is not None:
                    raise InputError(f"template `{path}` is not read", f"did you mean `{alike[meant]}`?")

    def source(self, name: str) -> tuple[str, str]:
        """The text and the file of `LANGUAGE/NAME`: that of the language first, and the user's own before ours.

        Raises InputError.
        """
        tag, _, file = name.partition("/")
        for own in (self._own_file(tag, file), self._own_file("", file)):
            if own is not None:
                text = read_text(own, "template")
                if len(text) > MAX_TEMPLATE:
                    help_ = f"a message has {MAX_TEMPLATE:,} characters at most; pictures have no place in it"
                    raise InputError(f"template `{own}` is too long", help_)
                return text, str(own)
        for ours in (name, file):
            if (text_of_ours := _ours(ours)) is not None:
                return text_of_ours, ours
        raise InputError(f"template `{self._own or ''}/{name}` does not exist", "write it, or do not name it")

    def _own_file(self, tag: str, file: str) -> Path | None:
        path = self._own / tag / file if self._own else None
        return path if path is not None and path.is_file() else None

    def _template(self, tag: str, file: str) -> Template:
        """A template with all that it includes, checked. Raises InputError."""
        name = f"{tag}/{file}"
        for included in self._check(name):
            deeper = self._check(f"{tag}/{included}")
            if deeper:
                place = self._files[f"{tag}/{included}"]
                help_ = "include both in the message itself"
                raise InputError(f"template `{place}` is included, and includes `{deeper[0]}`", help_)
        return self._environment.get_template(name)

    def _check(self, name: str) -> list[str]:
        """The names of what a template includes. Raises InputError."""
        text, where = self.source(name)
        self._files[name] = where
        try:
            included = check_nodes(self._environment.parse(text, name, where), where)
            self._environment.get_template(name)  # Python refuses what is nested too deeply
        except TemplateSyntaxError as error:
            raise InputError(f"template `{where}`, line {error.lineno}: {error.message}", _SYNTAX_HELP) from None
        except (TemplateError, SyntaxError, RecursionError, MemoryError):
            raise InputError(f"template `{where}`: it is nested too deeply", "make it simpler") from None
        return included


_SYNTAX_HELP = "variables stand in {{ }}, `if` and `include` in {% %}; docs/notice.md has examples"


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox over the files of a shelf. In HTML all that a variable says is escaped."""

    def __init__(self, shelf: _Shelf) -> None:
        super().__init__(
            autoescape=lambda name: name is not None and name.endswith(".html"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=lambda value: "" if value is None else value,
        )
        self._shelf = shelf
        self._made: dict[str, Template] = {}

    def join_path(self, template: str, parent: str) -> str:
        """What a template of a language includes is of that language."""
        return f"{parent.partition('/')[0]}/{template}"

    def _load_template(self, name: str, globals: object) -> Template:
        if name not in self._made:
            text, where = self._shelf.source(name)
            code = self.compile(text, name, where)
            self._made[name] = Template.from_code(self, code, {})
            self._made[name].filename = where
        return self._made[name]


@cache
def _ours(name: str) -> str | None:
    place = files("seatwarden.engine.notice").joinpath("texts", *name.split("/"))
    return place.read_text(encoding="utf-8") if place.is_file() else None


# Making --------------------------------------------------------------------------------------------------


def _made(template: Template, given: dict[str, object]) -> str:
    """What a template makes. Raises InputError."""
    parts: list[str] = []
    size = 0
    try:
        for part in template.generate(given):
            size += len(part)
            if size > MAX_OUTPUT:
                help_ = f"a message has {MAX_OUTPUT:,} characters at most"
                raise InputError(f"template `{template.filename}` makes too long a text", help_)
            parts.append(part)
    except (TemplateError, TypeError, ValueError) as error:
        line = _line_in(error.__traceback__, template.filename)
        said = one_line(str(error), 120)
        help_ = "is a variable compared with what it is not? Some are nothing at times: docs/notice.md"
        raise InputError(f"template `{template.filename}`{line}: {said}", help_) from None
    return "".join(parts)


def _line_in(trace: TracebackType | None, filename: str | None) -> str:
    """The line of a template at which it failed, which Jinja writes into the traceback."""
    found = ""
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == filename:
            found = f", line {trace.tb_lineno}"
        trace = trace.tb_next
    return found


_DAY = date(2026, 12, 9)
_SAMPLES = tuple(
    NoticeFacts("CORP\\anna", name, "analyzer", last_used, days, _DAY, _DAY, "qlik.example.com", "unused", *told)
    for name, last_used, days in (("Anna Berg", _DAY, 45), (None, None, None), ("Anna", _DAY, 1))
    for told in ((False, False), (True, False), (False, True), (True, True))
)


def _try_out(templates: NoticeTemplates, tag: str, parts: _Parts) -> None:
    """Makes messages of all kinds. Raises InputError for an error, and for a message without subject or text."""
    for facts in _SAMPLES:
        for recipient in ("own", "manager", "fallback"):
            words = templates.words(facts, recipient, tag)
            if not words.subject:
                help_ = "write what the message is about, for whomever it goes to"
                raise InputError(f"template `{parts.subject.filename}` makes an empty subject", help_)
            if not words.text.strip():
                help_ = "write something in every branch of its `if`"
                raise InputError(f"template `{parts.text.filename}` makes an empty message", help_)
