"""What is known of a text, in the protocol's words."""

from collections.abc import Sequence

from lsprotocol import types

from seatwarden.engine.lsp.completion import completions
from seatwarden.engine.lsp.documents import Open
from seatwarden.engine.lsp.hover import hover
from seatwarden.engine.lsp.outline import outline
from seatwarden.engine.lsp.site_names import SiteNames

MOST_ITEMS = 2_000
"""Most completions of one answer; editors ask again with more letters."""
_SEVERITY = {"error": types.DiagnosticSeverity.Error, "warning": types.DiagnosticSeverity.Warning}
_ITEM_KIND = {
    "keyword": types.CompletionItemKind.Keyword,
    "field": types.CompletionItemKind.Field,
    "name": types.CompletionItemKind.Variable,
    "value": types.CompletionItemKind.Value,
    "operator": types.CompletionItemKind.Operator,
    "key": types.CompletionItemKind.Property,
}
_SYMBOL_KIND = {
    "keep": types.SymbolKind.Function,
    "release": types.SymbolKind.Function,
    "downgrade": types.SymbolKind.Function,
    "let": types.SymbolKind.Variable,
    "set": types.SymbolKind.Variable,
}


def diagnostics(document: Open) -> list[types.Diagnostic]:
    """The findings in a text."""
    return [
        types.Diagnostic(
            range=document.range_of(found.span),
            message=found.message,
            severity=_SEVERITY[found.severity],
            code=found.code,
            source="seatwarden",
            related_information=[
                types.DiagnosticRelatedInformation(types.Location(document.uri, document.range_of(span)), label)
                for span, label in found.related
            ],
        )
        for found in document.stage.findings
    ]


def quick_fixes(document: Open, within: types.Range) -> list[types.CodeAction]:
    """The quick fixes of findings that touch a range; those that keep the meaning say so."""
    if not document.is_current:
        return []
    found = diagnostics(document)
    actions = []
    for fix in document.stage.fixes:
        diagnostic = found[fix.finding]
        if _touch(diagnostic.range, within):
            edits = [types.TextEdit(document.range_of(span), text) for span, text in fix.edits]
            actions.append(
                types.CodeAction(
                    title=f"{fix.title} (every verdict stays)" if fix.keeps else fix.title,
                    kind=types.CodeActionKind.QuickFix,
                    diagnostics=[diagnostic],
                    is_preferred=fix.keeps,
                    edit=types.WorkspaceEdit(changes={document.uri: edits}),
                )
            )
    return actions


def completion_items(document: Open, offset: int, site: SiteNames) -> list[types.CompletionItem]:
    """What can be typed at an offset."""
    return [
        types.CompletionItem(
            label=one.label,
            kind=_ITEM_KIND[one.kind],
            documentation=types.MarkupContent(types.MarkupKind.Markdown, one.page.markdown) if one.page else None,
            text_edit=types.TextEdit(document.range(one.start, one.end), one.label),
            filter_text=one.label,
            sort_text=f"{number:05}",
        )
        for number, one in enumerate(completions(document.words, document.path, offset, site)[:MOST_ITEMS])
    ]


def hover_page(document: Open, offset: int) -> types.Hover | None:
    """The page on the word at an offset."""
    found = hover(document.words, document.path, offset)
    if found is None:
        return None
    contents = types.MarkupContent(types.MarkupKind.Markdown, found.markdown)
    return types.Hover(contents, document.range(found.word.start, found.word.end))


def document_symbols(document: Open) -> list[types.DocumentSymbol]:
    """The statements of a text."""
    symbols = []
    for one in outline(document.words):
        place = document.range(one.start, one.end)
        kind = _SYMBOL_KIND.get(one.kind, types.SymbolKind.Property)
        symbols.append(types.DocumentSymbol(name=one.name, kind=kind, range=place, selection_range=place))
    return symbols


def text_edits(document: Open, edits: Sequence[tuple[int, int, str]]) -> types.WorkspaceEdit:
    """Texts to write between offsets."""
    written = [types.TextEdit(document.range(start, end), text) for start, end, text in edits]
    return types.WorkspaceEdit(changes={document.uri: written})


def _touch(one: types.Range, other: types.Range) -> bool:
    ends = [((r.start.line, r.start.character), (r.end.line, r.end.character)) for r in (one, other)]
    return ends[0][0] <= ends[1][1] and ends[1][0] <= ends[0][1]
