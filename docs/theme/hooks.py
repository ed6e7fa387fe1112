"""What the site needs beyond MkDocs' settings, so that the pages stay as they are read in the repository.

- The examples that pages link to, which lie outside docs/, become files of the site.
- A fence like ```` ```yaml vips.test.yaml ````, whose words are for the tests, shows its file name as a title.
- Policies are coloured as in an editor.
- The dialog of the search has a name.
- A page that would load anything from another host ends the build.
"""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import policy_lexer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page
from pygments.lexers import LEXERS

_ROOT = Path(__file__).parent.parent.parent
_FENCE = re.compile(r"^```(?P<language>\w+) (?P<words>[^\n]+)$", re.MULTILINE)
_FILE_NAME = re.compile(r"(?:file=|\+)?([\w-]+(?:\.[\w-]+)+)")
_OUTSIDE = re.compile(r"(?<=\]\()\.\./((?:\.\./)*examples/)")

_SEARCH = 'data-md-component="search" role="dialog"'
"""The dialog of the search, to which the theme gives no name."""

_LEXER = policy_lexer.PolicyLexer
LEXERS["PolicyLexer"] = ("policy_lexer", _LEXER.name, tuple(_LEXER.aliases), tuple(_LEXER.filenames), ())


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the examples to the files of the site."""
    for path in sorted(path for path in (_ROOT / "examples").rglob("*") if path.is_file()):
        name = path.relative_to(_ROOT).as_posix()
        files.append(File.generated(config, name, abs_src_path=str(path), inclusion=InclusionLevel.NOT_IN_NAV))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Makes of a page of the repository a page of the site."""
    return _FENCE.sub(_titled, _OUTSIDE.sub(r"\1", markdown))


def on_post_page(output: str, page: Page, **_: Any) -> str:
    """Refuses a page that would load something from another host."""
    loaded = _Loaded()
    loaded.feed(output)
    if loaded.foreign:
        raise PluginError(f"{page.file.src_uri} loads from other hosts: {', '.join(loaded.foreign)}")
    return output.replace(_SEARCH, f'{_SEARCH} aria-label="Search"')


def _titled(fence: re.Match[str]) -> str:
    name = _FILE_NAME.fullmatch(fence["words"])
    if name is None:
        return f"```{fence['language']}"
    return f'```{"policy" if name[1].endswith(".policy") else fence["language"]} title="{name[1]}"'


class _Loaded(HTMLParser):
    """What a browser fetches by itself, from where."""

    def __init__(self) -> None:
        super().__init__()
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        sources = [named.get("src"), named.get("href") if tag == "link" and named.get("rel") != "canonical" else None]
        self.foreign += [source for source in sources if source and re.match(r"(https?:)?//", source)]
