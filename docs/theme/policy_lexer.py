"""Colours for policies, from the one grammar that editors have too: editors/vscode/syntaxes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from pygments import token
from pygments.lexer import RegexLexer

__all__ = ["PolicyLexer"]

_ROOT = Path(__file__).parent.parent.parent
_GRAMMAR = json.loads((_ROOT / "editors/vscode/syntaxes/seatwarden.tmLanguage.json").read_text(encoding="utf-8"))

# The beginnings of TextMate's scope names.
_TOKENS = {
    "comment": token.Comment,
    "constant.numeric": token.Number,
    "constant.language": token.Keyword.Constant,
    "invalid": token.Error,
    "keyword.control": token.Keyword,
    "keyword.operator": token.Operator.Word,
    "keyword.other": token.Keyword.Type,
    "punctuation": token.Punctuation,
    "string": token.String,
    "support": token.Name.Builtin,
    "variable": token.Name.Attribute,
}


def _rules(patterns: list[dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        if "include" in pattern:
            included = _GRAMMAR["repository"][pattern["include"].removeprefix("#")]
            yield from _rules(included.get("patterns", [included]))
        else:
            kinds = (kind for start, kind in _TOKENS.items() if pattern["name"].startswith(start))
            yield pattern["match"], next(kinds, token.Text)


class PolicyLexer(RegexLexer):
    """Pygments' lexer for policies."""

    name = "seatwarden policy"
    aliases: ClassVar = ["policy"]
    filenames: ClassVar = ["*.policy"]
    tokens: ClassVar = {"root": [*_rules(_GRAMMAR["patterns"]), (r"\s+", token.Whitespace), (r".", token.Text)]}
