"""The language server over stdio: what an editor asks, answered from the text alone, and what is found in the
background, told when it is known."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from seatwarden.engine.lsp.answers import (
    completion_items,
    diagnostics,
    document_symbols,
    hover_page,
    quick_fixes,
    text_edits,
)
from seatwarden.engine.lsp.background import Background
from seatwarden.engine.lsp.checks import CheckJob, Stage
from seatwarden.engine.lsp.documents import Open
from seatwarden.engine.lsp.names import declared, name_at, renamed, uses
from seatwarden.engine.lsp.policy_places import is_settings
from seatwarden.engine.lsp.site_names import SiteNames
from seatwarden.engine.lsp.words import Word
from seatwarden.engine.version import VERSION
from seatwarden.grammar.errors import Defect, PolicySyntaxError
from seatwarden.grammar.formatter import format_policy
from seatwarden.policy.errors import InputError

TRIGGERS = (".", "@", '"', "'", "=", " ", "[", ",")
"""What is typed before something that can be completed."""


class PolicyServer(LanguageServer):
    """The server. `clock` says the moment as of which is decided, `snapshot` the file to complete names from."""

    def __init__(self, clock: Callable[[], datetime], snapshot: Path | None) -> None:
        super().__init__("seatwarden", VERSION, types.TextDocumentSyncKind.Full)
        self._clock = clock
        self._given = self.snapshot = snapshot
        self.open: dict[str, Open] = {}
        self.site = SiteNames()
        self.background = Background(self.tell)
        self._problem: str | None = None
        _listen(self)

    def set_snapshot(self, settings: Any) -> None:
        """Takes the snapshot that an editor's settings name, beside the workspace's folder; without one, the one that
        the server was started with."""
        if isinstance(settings, dict) and isinstance(settings.get("seatwarden"), dict):
            settings = settings["seatwarden"]
        named = settings.get("snapshot") if isinstance(settings, dict) else None
        if isinstance(named, str):
            root = self.workspace.root_path
            self.snapshot = (Path(root) if root else Path()) / named if named else self._given
            self.site = SiteNames()
            for document in self.open.values():
                self.look_at(document)

    def put(self, uri: str, text: str, doc_version: int | None) -> None:
        """Takes a text as it is now."""
        before = self.open.get(uri)
        document = Open(uri, text, doc_version, self.workspace.position_codec)
        if before is not None:
            document.checked, document.stage = before.checked, before.stage
        self.open[uri] = document
        self.look_at(document)

    def look_at(self, document: Open) -> None:
        """Has a text checked in the background; an editor tells of all YAML files, also of those that are no policy."""
        if not document.concerns_us:
            self.background.forget(document.path)
            if document.stage.findings:
                document.checked, document.stage = None, Stage()
                self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(document.uri, []))
            return
        snapshot = str(self.snapshot) if self.snapshot is not None else None
        self.background.check(CheckJob(document.path, document.text, self._clock(), snapshot))

    def tell(self, job: CheckJob, stage: Stage) -> None:
        """Tells the editor what was found in a text, unless it has changed."""
        if stage.site is not None:
            self.site = stage.site
        if stage.problem != self._problem:
            self._problem = stage.problem
            if stage.problem:
                self.window_show_message(types.ShowMessageParams(types.MessageType.Warning, stage.problem))
        for document in self.open.values():
            if document.path == job.path and document.text == job.text:
                document.checked, document.stage = job, stage
                found = diagnostics(document)
                self.text_document_publish_diagnostics(
                    types.PublishDiagnosticsParams(document.uri, found, document.version)
                )
                if stage.releases is not None and not stage.fixes:
                    self._refresh_lenses()

    def named_at(self, uri: str, position: types.Position) -> tuple[Open, Word] | None:
        """The name at a place of an editor's text, and that text; None where no name stands."""
        document = self.open.get(uri)
        name = name_at(document.words, document.path, document.offset(position)) if document else None
        return (document, name) if document is not None and name is not None else None

    def _refresh_lenses(self) -> None:
        workspace = self.client_capabilities.workspace
        if workspace is not None and workspace.code_lens is not None and workspace.code_lens.refresh_support:
            self.workspace_code_lens_refresh(None)


def _listen(server: PolicyServer) -> None:
    """Says which questions are answered."""
    _listen_to_texts(server)
    _answer_about_places(server)
    _answer_about_names(server)
    _answer_about_files(server)


def _listen_to_texts(server: PolicyServer) -> None:
    @server.feature(types.INITIALIZE)
    def _(params: types.InitializeParams) -> None:
        server.set_snapshot(params.initialization_options)

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def _(params: types.DidChangeConfigurationParams) -> None:
        server.set_snapshot(params.settings)

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def _(params: types.DidOpenTextDocumentParams) -> None:
        server.put(params.text_document.uri, params.text_document.text, params.text_document.version)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def _(params: types.DidChangeTextDocumentParams) -> None:
        document = params.text_document
        server.put(document.uri, server.workspace.get_text_document(document.uri).source, document.version)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def _(params: types.DidCloseTextDocumentParams) -> None:
        document = server.open.pop(params.text_document.uri, None)
        if document is not None:
            server.background.forget(document.path)
            server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(document.uri, []))

    @server.feature(types.SHUTDOWN)
    async def _(_: None) -> None:
        await server.background.close()


def _answer_about_places(server: PolicyServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def _(params: types.HoverParams) -> types.Hover | None:
        document = server.open.get(params.text_document.uri)
        return hover_page(document, document.offset(params.position)) if document else None

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=list(TRIGGERS)))
    def _(params: types.CompletionParams) -> list[types.CompletionItem]:
        document = server.open.get(params.text_document.uri)
        return completion_items(document, document.offset(params.position), server.site) if document else []

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])
    )
    def _(params: types.CodeActionParams) -> list[types.CodeAction]:
        document = server.open.get(params.text_document.uri)
        return quick_fixes(document, params.range) if document else []


def _answer_about_names(server: PolicyServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def _(params: types.DefinitionParams) -> types.Location | None:
        named = server.named_at(params.text_document.uri, params.position)
        if named is None:
            return None
        document, name = named
        given = next(one for one in declared(document.words, document.path) if one.text == name.text)
        return types.Location(document.uri, document.range(given.start, given.end))

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def _(params: types.ReferenceParams) -> list[types.Location]:
        named = server.named_at(params.text_document.uri, params.position)
        if named is None:
            return []
        document, name = named
        places = uses(document.words, document.path, name.text)
        return [types.Location(document.uri, document.range(one.start, one.end)) for one in places]

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def _(params: types.PrepareRenameParams) -> types.Range | None:
        named = server.named_at(params.text_document.uri, params.position)
        return named[0].range(named[1].start, named[1].end) if named is not None else None

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    def _(params: types.RenameParams) -> types.WorkspaceEdit | None:
        named = server.named_at(params.text_document.uri, params.position)
        if named is None:
            return None
        document, name = named
        try:
            places = renamed(document.words, document.path, name.text, params.new_name)
        except InputError as error:
            server.window_show_message(types.ShowMessageParams(types.MessageType.Error, error.message))
            return None
        return text_edits(document, [(one.start, one.end, params.new_name) for one in places])


def _answer_about_files(server: PolicyServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def _(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        document = server.open.get(params.text_document.uri)
        return document_symbols(document) if document and not is_settings(document.path) else []

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def _(params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
        document = server.open.get(params.text_document.uri)
        if document is None or is_settings(document.path):
            return None
        try:
            formatted = format_policy(document.text, document.path)
        except (PolicySyntaxError, Defect):  # what is wrong is marked in the text
            return None
        return [types.TextEdit(document.range(0, len(document.text)), formatted)]

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS)
    def _(params: types.CodeLensParams) -> list[types.CodeLens]:
        document = server.open.get(params.text_document.uri)
        if document is None or document.stage.releases is None or not document.is_current:
            return []
        released, all_ = document.stage.releases
        title = f"releases {released:,} of {all_:,} today"
        return [types.CodeLens(document.range(0, 0), types.Command(title, ""))]
