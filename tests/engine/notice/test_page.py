"""docs/notice.md says what variables there are, and shows what a webhook really gets.

`python -m tests.engine.notice.test_page` writes both into the page.
"""

import json
import re

from seatwarden.engine.notice.allowed import FILTERS
from seatwarden.engine.notice.facts import VARIABLES
from seatwarden.engine.notice.message import json_of
from seatwarden.engine.notice.templates import MAX_OUTPUT, MAX_TEMPLATE
from tests.engine.notice.people import NOW, message
from tests.paths import ROOT

PAGE = ROOT / "docs" / "notice.md"
_JSON = re.compile(r"(?<=^```json\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
_TABLE = re.compile(r"(?<=^\| variable \| what it says \|\n\|---\|---\|\n).*?(?=\n\n)", re.DOTALL | re.MULTILINE)


def posted() -> str:
    """What is posted; the two texts stand above on the page."""
    content = json.loads(json_of(message(), NOW))
    return json.dumps({**content, "text": "…", "html": "…"}, indent=2, ensure_ascii=False) + "\n"


def table() -> str:
    return "\n".join(f"| `{name}` | {says} |" for name, says in VARIABLES.items())


def current(text: str) -> str:
    return _TABLE.sub(lambda _: table(), _JSON.sub(lambda _: posted(), text))


def test_the_page_is_current() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert _JSON.search(text)
    assert _TABLE.search(text)
    assert current(text) == text, "write it anew: python -m tests.engine.notice.test_page"


def test_the_page_names_what_there_is() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in set(FILTERS) - {"d", "e"}:  # short for others
        assert f"`{name}`" in text
    assert f"{MAX_TEMPLATE:,} characters" in text
    assert f"{MAX_OUTPUT:,}" in text


if __name__ == "__main__":
    PAGE.write_text(current(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
