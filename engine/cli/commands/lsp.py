"""`seatwarden lsp`: the language server, which editors start."""

import os
from datetime import UTC, datetime, time
from importlib.util import find_spec
from typing import Annotated

import typer

from seatwarden.engine.cli.inputs import NowOption, SnapshotOption, parse_now
from seatwarden.policy.errors import InputError


def lsp(
    snapshot: SnapshotOption = None,
    now: NowOption = None,
    stdio: Annotated[
        bool, typer.Option("--stdio", help="Talk over stdin and stdout, as it does anyway; some editors say so.")
    ] = False,
) -> None:
    """Help an editor: errors, hints, completion while you write.

    Editors start it and talk to it by the Language Server Protocol; docs/editors.md says how to set yours up.
    With a snapshot it completes the tags, properties and users of your site, and says what would be released today.
    It needs a library more: pip install pygls, in the same environment.

    Example: seatwarden lsp --snapshot site.json
    """
    if find_spec("pygls") is None:
        raise InputError(
            "the language server needs the library pygls", "install it in the same environment: pip install pygls"
        )
    from seatwarden.engine.lsp.server import PolicyServer

    asked = parse_now(now) if now is not None else None
    # A day without a time is that day in nearly every zone, at noon.
    moment = asked if isinstance(asked, datetime) or asked is None else datetime.combine(asked, time(12), UTC)
    # Streams of its own: the library closes what it is given, and a command says its last words on stdout.
    with os.fdopen(os.dup(0), "rb") as stdin, os.fdopen(os.dup(1), "wb") as stdout:
        PolicyServer(lambda: moment or datetime.now(UTC), snapshot).start_io(stdin, stdout)
