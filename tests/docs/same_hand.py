"""For the documentation: one account on one machine at one moment, whose random bytes are the same each time.

Accounts, clocks and salts go into the roots of what is written: pages that show a seal would else never be the same.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from types import SimpleNamespace

import pytest

import seatwarden.api
import seatwarden.engine.cli.circumstances
import seatwarden.engine.cli.host
from seatwarden.engine.plan.circumstances import Circumstances
from tests.docs.live_site import StoppedClock


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
        patch.setattr(seatwarden.engine.cli.host, "secrets", source)
        patch.setattr(seatwarden.engine.cli.host, "datetime", StoppedClock)
        patch.setattr(seatwarden.api, "secrets", source)
        yield
