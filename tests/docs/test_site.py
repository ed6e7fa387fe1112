"""The documentation as a site: every page is in its navigation, and no page leads astray.

`make docs` builds it, and fails on any link or anchor that leads nowhere.
"""

import re
import shlex
from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any

import pytest
import typer.main
from ruamel.yaml import YAML

from seatwarden.engine.cli.main import app
from tests.docs.blocks import pages
from tests.paths import ROOT

DOCS = ROOT / "docs"
SETTINGS: dict[str, Any] = YAML(typ="safe", pure=True).load(ROOT / "mkdocs.yml")
_SHELL = re.compile(r"^```(?:sh|powershell|bat)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def _in_navigation(entries: list[Any]) -> Iterator[str]:
    for entry in entries:
        for target in entry.values() if isinstance(entry, dict) else [entry]:
            yield from [target] if isinstance(target, str) else _in_navigation(target)


def test_every_page_is_in_the_navigation_once() -> None:
    shown = sorted(_in_navigation(SETTINGS["nav"]))
    listed_elsewhere = [pattern.lstrip("/") for pattern in SETTINGS["not_in_nav"].split()]
    written = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]
    expected = [page for page in written if not any(fnmatch(page, pattern) for pattern in listed_elsewhere)]
    assert shown == sorted(expected), "mkdocs.yml, nav"


def test_pages_link_to_files_that_exist() -> None:
    """As the repository shows them; `make docs` checks the same for the site."""
    for page in pages():
        text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\(([^)#\s]+)", text):
            if not target.startswith("https://"):
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"


def test_the_site_has_everything_with_it() -> None:
    """No fonts from elsewhere, nothing that calls home, no repository that does not exist."""
    assert SETTINGS["theme"]["font"] is False
    assert not {"repo_url", "site_url"} & set(SETTINGS)
    assert list(SETTINGS["extra"]) == ["polyfills"]
    for script in (*SETTINGS["extra"]["polyfills"], *SETTINGS["extra_javascript"]):
        assert (DOCS / script).is_file()
    assert SETTINGS["strict"] is True
    assert not (DOCS / "theme" / "site.css").read_text(encoding="utf-8").count("url(")


def _shell_commands() -> Iterator[Any]:
    for page in pages():
        for block in _SHELL.findall(page.read_text(encoding="utf-8")):
            for line in block.splitlines():
                typed = line.split(" #")[0].removeprefix(".venv\\Scripts\\").strip()
                if typed.startswith("seatwarden ") and not typed.startswith("seatwarden --"):
                    yield pytest.param(typed, id=f"{page.stem}: {typed}")


@pytest.mark.parametrize("typed", list(_shell_commands()))
def test_commands_that_are_not_run_here_exist_with_their_options(typed: str) -> None:
    """Those in console blocks are run; a service, or a command on the reader's own site, is at least understood."""
    command: Any = typer.main.get_command(app)
    arguments = shlex.split(typed.replace("\\", "/"))[1:]
    while hasattr(command, "commands"):
        command, *arguments = command.commands[arguments[0]], *arguments[1:]
    command.make_context("seatwarden", arguments)
