"""A key, and a plan that waits for its approval."""

from pathlib import Path

import pytest

from seatwarden.engine.common.signed_note import PublicKey
from seatwarden.engine.common.signing_key import new_signing_key
from tests.engine.report.conftest import chromium
from tests.engine.web.reviewing import PASSPHRASE, Waiting, waiting, write_key

__all__ = ["chromium"]


@pytest.fixture(scope="session")
def made_key() -> tuple[PublicKey, bytes]:
    """A key of Anna's: half a second of work."""
    return new_signing_key("anna", PASSPHRASE, bytes(range(64)))


@pytest.fixture
def key(made_key: tuple[PublicKey, bytes], tmp_path: Path) -> Path:
    """Its file."""
    return write_key(tmp_path / "anna.key", made_key[1])


@pytest.fixture
def plan(tmp_path: Path, made_key: tuple[PublicKey, bytes], key: Path) -> Waiting:
    """A plan that waits for her."""
    folder = tmp_path / "site"
    folder.mkdir()
    return waiting(folder, key, made_key[0])
