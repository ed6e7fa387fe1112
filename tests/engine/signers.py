"""Keys that sign, made once: their passphrases are stretched a little only, since tests open them again and again."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from seatwarden.engine.common import signing_key
from seatwarden.engine.common.files import write_atomically
from seatwarden.engine.common.signing_key import SigningKey, new_signing_key, read_signing_key

WORDS = "correct horse battery"
NAMES = ("service", "anna", "bert", "carl", "mallory")


def write_key(folder: Path, name: str, number: int) -> SigningKey:
    """A key with that name in a file, with its public key beside it."""
    public, data = new_signing_key(name, WORDS, bytes(range(number, number + 64)))
    path = folder / f"{name}.key"
    write_atomically(path, data)
    (folder / f"{name}.pub").write_text(f"{public}\n", encoding="utf-8")
    return read_signing_key(path, WORDS)


@pytest.fixture(scope="session")
def key_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the keys of `signers`."""
    folder = tmp_path_factory.mktemp("keys")
    write_keys(folder)
    return folder


def write_keys(folder: Path) -> None:
    """Keys of all names, in files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signing_key, "_ROUNDS", 2**8)
        for number, name in enumerate(NAMES):
            write_key(folder, name, number)


@pytest.fixture(scope="session")
def signers(key_folder: Path) -> Mapping[str, SigningKey]:
    """Keys by name."""
    return {name: read_signing_key(key_folder / f"{name}.key", WORDS) for name in NAMES}
