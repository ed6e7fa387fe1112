"""How long an editor waits while somebody types: the language server over stdio, asked by pygls's client."""

import asyncio
import sys
import time
from collections.abc import Awaitable
from pathlib import Path
from statistics import median, quantiles

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from bench.measure import ROOT, seconds, table

GOAL = 0.1
"""Seconds that an answer may take."""
_TYPED = "keep when user.tags = vips and user.@Department = "
_PAUSE = 0.08
"""Seconds between two keys of somebody who types quickly."""
_QUESTIONS = ("completion", "hover", "quick fixes", "outline", "definition")


def measure(folder: Path, rules: tuple[int, ...], rounds: int) -> str:
    """The section of the report."""
    rows: list[tuple[object, ...]] = []
    for count in rules:
        answers, shown = asyncio.run(_typing(folder, count, rounds))
        for question in _QUESTIONS:
            took = answers[question]
            late = quantiles(took, n=20)[-1]
            reached = "reached" if late <= GOAL else "missed"
            rows.append((f"{count:,}", question, *map(seconds, (median(took), late, max(took))), reached))
        rows.append((f"{count:,}", "errors shown after the last key", seconds(shown), "", "", ""))
    return (
        "## In the editor\n\n"
        f"A line is typed at the end of a policy, a key every {_PAUSE * 1000:.0f} ms; after each the whole text is "
        "sent and five questions are asked, one after the other, while the policy is being checked in the background. "
        f"Wanted: 19 of 20 answers within {GOAL * 1000:.0f} ms, for 500 rules.\n\n"
        + table(("rules", "question", "median", "19 of 20", "slowest", "goal"), rows)
    )


async def _typing(folder: Path, rules: int, rounds: int) -> tuple[dict[str, list[float]], float]:
    """The seconds of each answer, and those from the last key until its error is shown."""
    client = LanguageClient("bench", "1")
    told = asyncio.Event()

    @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)  # type: ignore[untyped-decorator]
    def _(_: types.PublishDiagnosticsParams) -> None:
        told.set()

    await client.start_io(sys.executable, "-P", "-m", "seatwarden", "lsp", cwd=ROOT)
    await client.initialize_async(
        types.InitializeParams(capabilities=types.ClientCapabilities(), root_uri=folder.as_uri())
    )
    client.initialized(types.InitializedParams())
    uri, text = (folder / "typed.policy").as_uri(), _policy(rules)
    client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "seatwarden", 0, text)))
    found: dict[str, list[float]] = {question: [] for question in _QUESTIONS}
    last = time.perf_counter()
    for key in range(rounds):
        typed = _TYPED[: key % len(_TYPED) + 1]
        told.clear()
        last = time.perf_counter()
        change = types.TextDocumentContentChangeWholeDocument(text + typed)
        document = types.VersionedTextDocumentIdentifier(key + 1, uri)
        client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))
        for question, asked in _asked(client, uri, types.Position(rules + 1, len(typed))):
            started = time.perf_counter()
            await asked
            found[question].append(time.perf_counter() - started)
        await asyncio.sleep(max(0.0, _PAUSE - (time.perf_counter() - last)))
    await told.wait()
    shown = time.perf_counter() - last
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()  # type: ignore[no-untyped-call]
    return found, shown


def _asked(client: LanguageClient, uri: str, at: types.Position) -> list[tuple[str, Awaitable[object]]]:
    document, here = types.TextDocumentIdentifier(uri), types.Range(at, at)
    return list(
        zip(
            _QUESTIONS,
            (
                client.text_document_completion_async(types.CompletionParams(document, at)),
                client.text_document_hover_async(types.HoverParams(document, at)),
                client.text_document_code_action_async(
                    types.CodeActionParams(document, here, types.CodeActionContext([]))
                ),
                client.text_document_document_symbol_async(types.DocumentSymbolParams(document)),
                client.text_document_definition_async(types.DefinitionParams(document, at)),
            ),
            strict=True,
        )
    )


def _policy(rules: int) -> str:
    """Rules like those of a large site, and a name."""
    lines = (
        f'{"keep" if n % 3 else "release"} "rule {n}" when user.@Department = ["D{n}", "E{n % 7}"] '
        f'and (user.tags = "t{n}" or unused for {7 + n % 60} days)'
        for n in range(rules)
    )
    return "\n".join(['let vips = ["ADMIN\\jdoe"]', *lines, ""])
