"""The user's own templates: what they can say, and what is wrong with them, by file and line, before any is sent."""

import tempfile
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.notice.facts import VARIABLES
from seatwarden.engine.notice.templates import MAX_OUTPUT, MAX_TEMPLATE, check_templates, load_templates
from seatwarden.engine.site.notice import NoticeSettings
from seatwarden.policy.errors import InputError
from tests.engine.notice.people import HOSTILE, facts


def settings(folder: Path, default: str = "en", **texts: str) -> NoticeSettings:
    """A folder with these templates: `en_message_txt`."""
    for name, text in texts.items():
        language, _, file = name.partition("_")
        path = folder / language / file.replace("_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return NoticeSettings(templates=folder, default_language=default)


def refusal(of: NoticeSettings) -> str:
    with pytest.raises(InputError) as raised:
        check_templates(of)
    return f"{raised.value.message}\n{raised.value.help}"


def test_ours_are_right() -> None:
    assert load_templates(NoticeSettings()).languages == ("en", "de", "fr", "sv")


def test_own_ones_take_the_place_of_ours(tmp_path: Path) -> None:
    own = settings(tmp_path, en_message_txt="Hi {{ name }}, open it before {{ announced }}.\n")
    words = load_templates(own).words(facts(), "own", "en")
    assert words.text == "Hi Anna Berg, open it before 10 December 2026.\n"
    assert words.subject.startswith("Your Analyzer license"), "the subject is ours still"
    assert words.html is None, "our HTML would say something else"
    assert load_templates(own).words(facts(), "own", "de").html is not None


def test_every_variable(tmp_path: Path) -> None:
    text = "".join(f"{name}={{{{ {name} }}}}\n" for name in VARIABLES)
    said = load_templates(settings(tmp_path, en_message_txt=text)).words(facts(), "own", "en").text
    assert said.splitlines() == [
        "name=Anna Berg",
        "user=CORP\\anna",
        "license=Analyzer license",
        "license_type=analyzer",
        "becomes=",
        "last_used=12 October 2026",
        "days_unused=45",
        "unused_for=45 days",
        "announced=10 December 2026",
        "announced_iso=2026-12-10",
        "told=26 November 2026",
        "told_iso=2026-11-26",
        "reason=it has not been used for 45 days",
        "rule=unused",
        "site=qlik.example.com",
        "hub=",
        "contact=",
        "reminder=False",
        "given_back=False",
        "recipient=own",
        "language=en",
    ]


@pytest.mark.parametrize("language", load_templates(NoticeSettings()).languages)
def test_who_gets_the_license_again_by_a_rule_is_told_so(language: str) -> None:
    """One sentence is another one then, in the text and in the HTML, and nothing else."""
    ours = load_templates(NoticeSettings())
    for recipient in ("own", "manager", "fallback"):
        usual, given = (ours.words(facts(given_back=said), recipient, language) for said in (False, True))
        assert usual.html
        assert given.html
        for one, other in ((usual.text, given.text), (usual.html, given.html)):
            pairs = list(zip(one.splitlines(), other.splitlines(), strict=True))
            assert len([1 for line, changed in pairs if line != changed]) == 1


def test_a_language_of_its_own(tmp_path: Path) -> None:
    own = settings(tmp_path, nl_subject_txt="Uw licentie", nl_message_txt="Tot {{ announced }}: {{ unused_for }}")
    templates = load_templates(own)
    assert templates.languages == ("en", "de", "fr", "sv", "nl")
    words = templates.words(facts(), "own", "nl")
    assert (words.subject, words.text, words.html) == ("Uw licentie", "Tot 2026-12-10: 45 days\n", None)


def test_own_parts_are_included(tmp_path: Path) -> None:
    (tmp_path / "footer.txt").write_text("Best wishes, {{ contact }}", encoding="utf-8")
    (tmp_path / "head.html").write_text("<p>ACME</p>", encoding="utf-8")
    own = settings(tmp_path, en_message_txt='Hi\n{% include "footer.txt" %}', en_message_html="<b>{{ name }}</b>")
    templates = load_templates(own)
    words = templates.words(facts(name="<i>"), "own", "en")
    assert (words.text, words.html) == ("Hi\nBest wishes,\n", "<b>&lt;i&gt;</b>")
    html = templates.words(facts(), "own", "de").html
    assert html is not None
    assert html.startswith("<p>ACME</p>"), "our German text, below the head of their own"


def test_windows_has_written_it(tmp_path: Path) -> None:
    own = settings(tmp_path, en_subject_txt="Hi")
    (tmp_path / "en" / "message.txt").write_bytes("\ufeffJörg\r\n".encode())
    assert load_templates(own).words(facts(), "own", "en").text.rstrip() == "Jörg"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\n{{ nmae }}", "line 2: there is no variable `nmae`\ndid you mean `name`?"),
        ("a\n\n{% if name %}", "line 3: Unexpected end of template"),
        ("{{ name", "line 1: unexpected end of template"),
        ("{% for x in range(10**9) %}{{ name }}{% endfor %}", "line 1: `for` cannot stand in a message"),
        ("a\n{{ 'a' * 1000000000 }}", "line 2: `*` cannot stand in a message"),
        ("{{ 10 ** 10 ** 10 }}", "`**` cannot stand in a message"),
        ("{{ '%1000000000d' % 1 }}", "`%` cannot stand in a message"),
        ("{{ name|center(1000000000) }}", "there is no filter `center`"),
        ("{{ name|safe }}", "there is no filter `safe`"),
        ("{{ name.__class__.__mro__ }}", "`.` cannot stand in a message"),
        ("{{ name['__class__'] }}", "`[…]` cannot stand in a message"),
        ("{{ range(10) }}", "`(…)` cannot stand in a message"),
        ("{{ lipsum(n=1000000) }}", "`(…)` cannot stand in a message"),
        ("{% set a = name ~ name %}", "`set` cannot stand in a message"),
        ("{% macro a() %}{{ a() }}{% endmacro %}", "`macro` cannot stand in a message"),
        ("{% extends 'message.txt' %}", "`extends` cannot stand in a message"),
        ("{% include name %}", "this is no file that can be included"),
        ('{% include "../../secret.txt" %}', "this is no file that can be included"),
        ('{% include "/etc/passwd" %}', "this is no file that can be included"),
        ('{% include "footer.txt" %}', "/footer.txt` does not exist"),
        ('{% include "message.txt" %}', "is included, and includes `message.txt`"),
        ("{{ name is divisibleby 3 }}", "there is no test `divisibleby`"),
        ("a\n{{ days_unused > name }}", "line 2: '>' not supported"),
        ("{% if days_unused > 30 %}long{% endif %}", "is a variable compared with what it is not?"),
        ("   \n", "makes an empty message"),
        ("{% if not reminder %}Hi{% endif %}", "makes an empty message"),
        ("{{ " + "(" * 5_000 + "name" + ")" * 5_000 + " }}", "nested too deeply"),
        ("{% if name %}" * 300 + "{% endif %}" * 300, "nested too deeply"),
        ("x" * (MAX_TEMPLATE + 1), "is too long"),
    ],
)
def test_a_broken_template(tmp_path: Path, text: str, said: str) -> None:
    begun = time.monotonic()
    found = refusal(settings(tmp_path, en_message_txt=text))
    assert said in found
    assert str(tmp_path) in found
    assert time.monotonic() - begun < 5


def test_what_is_nothing_is_asked_for_first(tmp_path: Path) -> None:
    check_templates(settings(tmp_path, en_message_txt="Hi {% if last_used and days_unused > 30 %}long{% endif %}"))


def test_a_file_that_includes_much_makes_no_more_than_a_message(tmp_path: Path) -> None:
    (tmp_path / "much.txt").write_text("x" * MAX_TEMPLATE, encoding="utf-8")
    own = settings(tmp_path, en_message_txt='{% include "much.txt" %}' * (MAX_OUTPUT // MAX_TEMPLATE + 1))
    assert "makes too long a text" in refusal(own)


def test_what_is_missing(tmp_path: Path) -> None:
    assert "has no plain text beside it" in refusal(settings(tmp_path / ".", en_message_html="<p>Hi</p>"))
    (tmp_path / "en" / "message.html").unlink()
    assert "subject.txt` does not exist" in refusal(settings(tmp_path, nl_message_txt="Hoi"))
    (tmp_path / "nl" / "message.txt").unlink()
    assert "no texts in that language" in refusal(settings(tmp_path, default="nl"))
    assert "`Dutch` is no language" in refusal(settings(tmp_path, Dutch_message_txt="Hoi"))


def test_a_subject(tmp_path: Path) -> None:
    assert "makes an empty subject" in refusal(settings(tmp_path, en_subject_txt="{% if reminder %}R{% endif %}"))
    words = load_templates(settings(tmp_path, en_subject_txt="a\nb {{ name }}\n")).words(facts(), "own", "en")
    assert words.subject == "a b Anna Berg"


def test_a_mistyped_name(tmp_path: Path) -> None:
    said = refusal(settings(tmp_path, en_mesage_txt="Hi"))
    assert "mesage.txt` is not read\ndid you mean `message.txt`?" in said
    (tmp_path / "en" / "mesage.txt").unlink()
    check_templates(settings(tmp_path, en_notes_txt="for us"))


def test_no_text_at_all(tmp_path: Path) -> None:
    own = settings(tmp_path, en_subject_txt="Hi")
    (tmp_path / "en" / "message.txt").write_bytes(b"\xff\xfe\xfa")
    assert "message.txt" in refusal(own)


@given(st.sampled_from(HOSTILE) | st.text(st.characters(codec=None)), st.sampled_from(["en", "de", "fr", "sv"]))
def test_names_are_text(name: str, language: str) -> None:
    words = _OURS.words(facts(name=name, user=f"CORP\\{name}", rule=name), "manager", language)
    assert _visible(words.subject)
    assert len(words.subject) <= 200
    assert "49" not in words.text.replace(name, "")
    assert all(map(_visible, words.text.split("\n")))
    assert words.html is not None
    assert words.html.count("<") == _PLAIN[language].count("<"), "no name is a tag"
    words.html.encode()


def _visible(line: str) -> bool:
    """Whether nothing in it steers a line, a terminal or the direction of writing."""
    return not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in line)


_OURS = load_templates(NoticeSettings())
_PLAIN = {tag: _OURS.words(facts(), "manager", tag).html or "" for tag in _OURS.languages}


@given(st.text(st.sampled_from("{%}} if name include \"message.txt'for|~()[]*+-else\n\\#"), max_size=60))
def test_any_text_is_a_template_or_refused(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        own = settings(Path(folder), en_message_txt=text)
        refused = None
        try:
            check_templates(own)
        except InputError as error:
            refused = error
        assert refused is None or (folder in refused.message and refused.help)
