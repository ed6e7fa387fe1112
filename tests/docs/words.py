"""docs/words.md: the page that editors show at each word. Run as a module, this writes it anew:

python -m tests.docs.words
"""

from collections.abc import Iterable

from seatwarden.policy.word_pages import FIELD_PAGES, OPERATOR_PAGES, STATEMENTS, WordPage
from tests.paths import ROOT

PAGE = ROOT / "docs" / "words.md"
_HEAD = """\
# Words

Each word of the language in a line or two: what an editor with the [language server](editors.md) shows when the mouse
rests on it. How they go together is in the [language reference](language.md), what other words mean
in the [glossary](glossary.md).
"""


def page() -> str:
    """The page as it should be."""
    parts = [_HEAD]
    for title, pages in (("Statements", STATEMENTS), ("Conditions", OPERATOR_PAGES), ("Fields", FIELD_PAGES.values())):
        parts.append(f"## {title}\n\n| word | what it says | example |\n|---|---|---|\n{_rows(pages)}")
    return "\n".join(parts)


def _rows(pages: Iterable[WordPage]) -> str:
    def cell(text: str) -> str:
        return text.replace("|", "\\|")

    return "".join(f"| `{cell(one.title)}` | {cell(one.doc)} | `{cell(one.example)}` |\n" for one in pages)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
