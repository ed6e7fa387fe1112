"""For the documentation: one account on one machine at one moment, whose random bytes are the same each time.

Accounts, clocks and salts go into the roots of what is written: pages that show a seal would else never be the same.
"""

import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec import structs

import seatwarden.api
import seatwarden.engine.apply.one_by_one
import seatwarden.engine.cli.circumstances
import seatwarden.engine.cli.commands.plan
import seatwarden.engine.runs.terms
from seatwarden.engine.log.lines import RegisterHead
from seatwarden.engine.log.register import Register
from seatwarden.engine.plan.circumstances import Circumstances
from seatwarden.engine.runs.record import SiteRecord
from tests.docs.live_site import StoppedClock

_head = Register.head


def _head_here(register: Register, run: int) -> RegisterHead:
    """The head, with the register's place as it is from here: pages are made in a new folder each time."""
    head = _head(register, run)
    path, here = Path(head.path), Path.cwd().resolve()
    return structs.replace(head, path=path.relative_to(here).as_posix()) if path.is_relative_to(here) else head


@contextmanager
def same_hand() -> Iterator[None]:
    """Commands are those of the documentation's administrator."""
    drawn = count()
    made = Circumstances(
        account="CORP\\qlikadmin", host="qlik1", command="seatwarden", interactive=True, qlik_user=None
    )
    source = SimpleNamespace(token_bytes=lambda size: next(drawn).to_bytes(size, "big"), token_hex=secrets.token_hex)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seatwarden.engine.cli.circumstances, "circumstances", lambda qlik_user=None: made)
        patch.setattr(seatwarden.engine.cli.circumstances, "draw", source.token_bytes)
        for module in (seatwarden.engine.cli.circumstances, seatwarden.engine.cli.commands.plan):
            patch.setattr(module, "datetime", StoppedClock)
        patch.setattr(seatwarden.api, "secrets", source)
        # Nor does the page's own authority, which is another one each time.
        patch.setattr(seatwarden.engine.runs.terms, "authorities", lambda site: [])
        patch.setenv("PASSPHRASE", "correct horse battery staple")
        patch.setattr(Register, "head", _head_here)
        patch.setattr(SiteRecord, "_named", lambda record, folder: os.path.relpath(folder))
        # One license after the other: else the order of a journal is that of threads.
        patch.setattr(
            seatwarden.engine.apply.one_by_one, "ThreadPoolExecutor", lambda max_workers: ThreadPoolExecutor(1)
        )
        yield
