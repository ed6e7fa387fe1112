"""A real editor's side of the protocol: pygls's client, talking to `seatwarden lsp` over stdio."""

import asyncio
import sys
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from tests.paths import ROOT


class _Client(LanguageClient):
    code: int | None = None

    async def server_exit(self, server: asyncio.subprocess.Process) -> None:
        self.code = server.returncode


class Session:
    """One server, from start to end. Places are given by a text that stands before them."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        self._folder, self._arguments = folder, [str(argument) for argument in arguments]
        self._client = _Client("tests", "1")
        self._texts: dict[str, str] = {}
        self._told: dict[str, list[types.Diagnostic]] = {}
        self._changed = asyncio.Event()
        self.messages: list[str] = []

    async def __aenter__(self) -> "Session":
        @self._client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)  # type: ignore[untyped-decorator]
        def _(params: types.PublishDiagnosticsParams) -> None:
            self._told[params.uri] = list(params.diagnostics)
            self._changed.set()

        @self._client.feature(types.WINDOW_SHOW_MESSAGE)  # type: ignore[untyped-decorator]
        def _(params: types.ShowMessageParams) -> None:
            self.messages.append(params.message)
            self._changed.set()

        await self._client.start_io(sys.executable, "-P", "-m", "seatwarden", "lsp", *self._arguments, cwd=ROOT)
        capabilities = types.ClientCapabilities()
        answer = await self._client.initialize_async(
            types.InitializeParams(capabilities=capabilities, root_uri=self._folder.as_uri())
        )
        self.capabilities = answer.capabilities
        self._client.initialized(types.InitializedParams())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.shutdown_async(None)
        self._client.exit(None)
        await asyncio.wait_for(self._client.stop(), 20)  # type: ignore[no-untyped-call]
        assert self._client.code == 0, "it has ended as it was asked to"

    def open(self, name: str, text: str) -> str:
        """Opens a text, or types another one into it; its URI."""
        uri = (self._folder / name).as_uri()
        self._told.pop(uri, None)
        if uri not in self._texts:
            item = types.TextDocumentItem(uri, "seatwarden", 1, text)
            self._client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        else:
            document = types.VersionedTextDocumentIdentifier(2, uri)
            change = types.TextDocumentContentChangeWholeDocument(text)
            self._client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))
        self._texts[uri] = text
        return uri

    def configure(self, settings: dict[str, Any]) -> None:
        """Changes the editor's settings."""
        self._client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings))

    async def until(self, holds: Any, seconds: float = 60) -> Any:
        """Waits until something holds of what the server has told; what that was."""
        async with asyncio.timeout(seconds):
            while not (found := holds()):
                self._changed.clear()
                await self._changed.wait()
        return found

    def told(self, uri: str) -> list[types.Diagnostic] | None:
        """What was told last of a text as it is now; None before anything was."""
        return self._told.get(uri)

    async def findings(self, uri: str, *codes: str) -> list[types.Diagnostic]:
        """The findings in a text, once they have these codes."""

        def found() -> list[types.Diagnostic]:
            told = self._told.get(uri, [])
            return told if [one.code for one in told] == list(codes) else []

        return await self.until(found)  # type: ignore[no-any-return]

    def at(self, uri: str, before: str) -> dict[str, Any]:
        """The place behind a text, for a question."""
        text = self._texts[uri]
        head = text[: text.index(before) + len(before)]
        line = head.rpartition("\n")[2]
        position = types.Position(head.count("\n"), len(line.encode("utf-16-le")) // 2)
        return {"text_document": types.TextDocumentIdentifier(uri), "position": position}

    async def complete(self, uri: str, before: str) -> list[str]:
        """The labels of what can be typed behind a text."""
        items = await self._client.text_document_completion_async(types.CompletionParams(**self.at(uri, before)))
        assert isinstance(items, list)
        return [item.label for item in items]

    async def completed(self, uri: str, before: str, label: str) -> str:
        """The text when something is chosen."""
        items = await self._client.text_document_completion_async(types.CompletionParams(**self.at(uri, before)))
        assert isinstance(items, list)
        (chosen,) = [item for item in items if item.label == label]
        assert isinstance(chosen.text_edit, types.TextEdit)
        return self._after(uri, [chosen.text_edit])

    async def hover(self, uri: str, before: str) -> str:
        """The page at a place; nothing where there is none."""
        answer = await self._client.text_document_hover_async(types.HoverParams(**self.at(uri, before)))
        return answer.contents.value if answer and isinstance(answer.contents, types.MarkupContent) else ""

    async def fixes(self, uri: str, diagnostic: types.Diagnostic) -> dict[str, str]:
        """The quick fixes of a finding, each with the text it makes."""
        params = types.CodeActionParams(
            types.TextDocumentIdentifier(uri), diagnostic.range, types.CodeActionContext([diagnostic])
        )
        while not (found := await self._client.text_document_code_action_async(params)):
            await asyncio.sleep(0.05)
        return {one.title: self._after(uri, one.edit.changes[uri]) for one in found}  # type: ignore[union-attr, index]

    async def rename(self, uri: str, before: str, new: str) -> str | None:
        """The text after a rename."""
        answer = await self._client.text_document_rename_async(types.RenameParams(new_name=new, **self.at(uri, before)))
        return self._after(uri, answer.changes[uri]) if answer and answer.changes else None

    async def definition(self, uri: str, before: str) -> types.Location | None:
        """Where the name at a place is given its value."""
        answer = await self._client.text_document_definition_async(types.DefinitionParams(**self.at(uri, before)))
        assert answer is None or isinstance(answer, types.Location)
        return answer

    async def references(self, uri: str, before: str) -> int:
        """How many places a name has."""
        context = types.ReferenceContext(include_declaration=True)
        params = types.ReferenceParams(context=context, **self.at(uri, before))
        return len(await self._client.text_document_references_async(params) or ())

    async def format(self, uri: str) -> str:
        """The text in its layout."""
        params = types.DocumentFormattingParams(types.TextDocumentIdentifier(uri), types.FormattingOptions(2, True))
        return self._after(uri, await self._client.text_document_formatting_async(params) or [])

    async def outline(self, uri: str) -> list[str]:
        """The names in the outline."""
        params = types.DocumentSymbolParams(types.TextDocumentIdentifier(uri))
        return [one.name for one in await self._client.text_document_document_symbol_async(params) or ()]

    async def lenses(self, uri: str) -> list[str]:
        """What stands above the text, once there is something."""
        params = types.CodeLensParams(types.TextDocumentIdentifier(uri))
        while not (found := await self._client.text_document_code_lens_async(params)):
            await asyncio.sleep(0.05)
        return [one.command.title for one in found if one.command]

    def _after(self, uri: str, edits: Any) -> str:
        lines = self._texts[uri].split("\n")
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line) + 1)

        def offset(place: types.Position) -> int:
            units = lines[place.line].encode("utf-16-le")[: place.character * 2]
            return starts[place.line] + len(units.decode("utf-16-le"))

        text = self._texts[uri]
        for edit in sorted(edits, key=lambda one: offset(one.range.start), reverse=True):
            text = text[: offset(edit.range.start)] + edit.new_text + text[offset(edit.range.end) :]
        return text
