"""The page as a file: escaped, sealed off from the network, the same bytes each time."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from seatwarden.engine.report.render import paper_style, render, script_json
from seatwarden.engine.report.visible import shown
from tests.engine.report.runs import HOSTILE, hostile_site, report_for, some_site, write_journal, write_run


class _Page(HTMLParser):
    """Tags, attributes and the text of raw blocks, as a browser would take them."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.blocks: list[tuple[str, dict[str, str | None], str]] = []
        self._open: tuple[str, dict[str, str | None]] | None = None
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = (tag, dict(attrs)) if tag in ("script", "style") else None

    def handle_data(self, data: str) -> None:
        if self._open:
            self.blocks.append((*self._open, data))

    def handle_endtag(self, tag: str) -> None:
        self._open = None

    @property
    def policy(self) -> str:
        """The content security policy."""
        found = [a["content"] for t, a in self.tags if t == "meta" and a.get("http-equiv") == "Content-Security-Policy"]
        assert len(found) == 1
        return found[0] or ""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, dict[str, Any]]:
    """The page of a site with hostile names, and its data."""
    run = write_run(tmp_path_factory.mktemp("hostile") / "run", hostile_site())
    report = report_for(run)
    return render(report), report.table


def test_the_same_bytes_twice(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", some_site())
    assert render(report_for(run)) == render(report_for(run))


def test_the_security_policy_admits_exactly_our_style_and_script(hostile: tuple[bytes, dict[str, Any]]) -> None:
    page = _Page(hostile[0])
    assert [(tag, attributes.get("type")) for tag, attributes, _ in page.blocks] == [
        ("style", None),
        ("style", None),
        ("script", "application/json"),
        ("script", None),
    ]
    rules = dict(rule.strip().split(" ", 1) for rule in page.policy.split(";"))
    for texts, rule in ((page.blocks[:2], "style-src"), (page.blocks[3:], "script-src")):
        digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for _, _, text in texts]
        assert rules[rule] == " ".join(f"'sha256-{digest}'" for digest in digests)
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert "unsafe" not in page.policy


def test_nothing_is_fetched_and_no_handler_is_inline(hostile: tuple[bytes, dict[str, Any]]) -> None:
    for tag, attributes in _Page(hostile[0]).tags:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base", "audio", "video", "use", "image")
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name not in ("src", "srcset", "action", "style", "xlink:href", "formaction")
            if name == "href":
                assert (value or "").startswith("#")
    style = _Page(hostile[0]).blocks[0][2]
    assert "@import" not in style
    assert re.findall(r"url\((?!#)", style) == []


def test_hostile_names_stay_data(hostile: tuple[bytes, dict[str, Any]]) -> None:
    page, table = hostile
    parsed = _Page(page)
    data = parsed.blocks[2][2]
    assert json.loads(data) == json.loads(json.dumps(table))
    assert not set("<>&\u2028\u2029") & set(data)
    assert sorted(table["columns"]["name"]) == sorted(shown(name) for name in HOSTILE)
    assert b"\xe2\x80\xae" not in page, "no character that turns the reading direction"
    assert sum(tag == "script" for tag, _ in parsed.tags) == 2
    assert "https://&lt;/script&gt;⟨U+202E⟩.example.com" in page.decode()


def test_the_foot_of_a_sheet_stays_text(tmp_path: Path) -> None:
    report = report_for(write_run(tmp_path / "run", some_site()))
    assert f'content: "Run {report.header.run_id} \\0000b7  seal {report.seal}"' in paper_style(report)
    hostile = replace(report, header=structs.replace(report.header, run_id='"} </style><script>\\ \n'))
    style = paper_style(hostile)
    assert style.count('"') == 2
    assert not set("<>\n") & set(style)


@given(st.recursive(st.text(), lambda values: st.lists(values) | st.dictionaries(st.text(), values), max_leaves=5))
def test_json_in_a_script_block(value: Any) -> None:
    text = script_json(value)
    assert json.loads(text) == value
    assert not re.search(r"[<>&\u2028\u2029]", text)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Jane Doe", "Jane Doe"),
        ("Ali\u202egpj", "Ali⟨U+202E⟩gpj"),
        ("a\nb\x00", "a⟨U+000A⟩b⟨U+0000⟩"),
        ("jd\u200doe", "jd⟨U+200D⟩oe"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        ("\u2028\u200d", "⟨U+2028⟩⟨U+200D⟩"),
        ("half \ud83d", "half ⟨U+D83D⟩"),
        ("a\u00a0b", "a\u00a0b"),
    ],
)
def test_invisible_characters_are_spelled_out(text: str, seen: str) -> None:
    assert shown(text) == seen


def test_an_applied_run_and_a_comparison_are_rendered(tmp_path: Path) -> None:
    before = write_run(tmp_path / "before", some_site())
    run = write_run(tmp_path / "run", some_site(["2026-07-01T00:00:00Z"]))
    write_journal(run, {"l1": "released"})
    page = render(report_for(run, before)).decode()
    for words in (
        "1 license was released",
        "Applied",
        "verified when this page was made, and closed",
        "7 per run",
        "no longer allocated",
    ):
        assert words in page
    assert "None" not in re.sub(r"<script.*", "", page, flags=re.DOTALL)


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_the_script_is_javascript() -> None:
    text = ""
    for name in ("rows.js", "page.js"):
        script = Path(str(files("seatwarden.engine.report").joinpath(name)))
        checked = subprocess.run(["node", "--check", str(script)], capture_output=True, text=True, check=False)  # noqa: S607
        assert checked.returncode == 0, checked.stderr
        text += script.read_text(encoding="utf-8")
    for never in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "fetch("):
        assert never not in text


def test_what_was_guaranteed_stands_in_the_record(tmp_path: Path) -> None:
    promise = 'guarantee "admins" never release when user.roles = "<b>"\nrelease when unused for 30 days\n'
    page = render(report_for(write_run(tmp_path / "run", some_site(), policy=promise))).decode()
    said = "guarantee &#34;admins&#34; never release when user.roles = &#34;&lt;b&gt;&#34;"
    assert f"<dt>Guarantees</dt><dd>refuted: <code>{said}</code></dd>" in page
    without = render(report_for(write_run(tmp_path / "other", some_site()))).decode()
    assert "<dt>Guarantees</dt>" not in without
