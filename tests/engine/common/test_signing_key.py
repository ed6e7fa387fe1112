"""A signing key is a file that others read, too, and that says nothing without its passphrase."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from seatwarden.engine.common import signing_key
from seatwarden.engine.common.files import write_atomically
from seatwarden.engine.common.signed_note import parse_note
from seatwarden.engine.common.signing_key import new_signing_key, public_key_in, read_signing_key
from seatwarden.policy.errors import InputError

WORDS = "correct horse battery"
DRAWN = bytes(range(64))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "anna.key"
    write_atomically(path, new_signing_key("anna", WORDS, DRAWN)[1])
    return path


def test_it_signs_what_its_public_key_checks(file: Path) -> None:
    key = read_signing_key(file, WORDS)
    assert public_key_in(file) == key.public
    note = parse_note(key.sign("root\n"))
    assert note.signed_by([key.public]) == (key.public,)


def test_the_key_itself_stands_nowhere_in_the_file(file: Path) -> None:
    private = load_pem_private_key(file.read_bytes(), WORDS.encode())
    assert private.private_bytes_raw() == DRAWN[32:]  # type: ignore[union-attr]
    assert DRAWN[32:] not in file.read_bytes()


def test_the_passphrase_is_stretched_as_it_is_said(file: Path) -> None:
    """PBES2 with scrypt of 2^17 rounds of 8 blocks, and AES-256-CBC, by their object identifiers."""
    der = base64.b64decode(b"".join(file.read_bytes().splitlines()[2:-1]))
    for field in ("2a864886f70d01050d", "2b06010401da47040b", "020302000002010802", "60864801650304012a"):
        assert bytes.fromhex(field) in der


@pytest.mark.parametrize("words", ["", "wrong", WORDS + " "])
def test_another_passphrase_is_refused(file: Path, words: str) -> None:
    with pytest.raises(InputError, match="passphrase"):
        read_signing_key(file, words)


def test_a_key_that_everybody_can_read_is_refused(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setattr(signing_key, "open_to_all", lambda path: True)
    with pytest.raises(InputError, match="other users"):
        read_signing_key(file, WORDS)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda data: data.replace(b"anna+", b"bert+"), "no key for signatures"),
        (lambda data: data.partition(b"\n")[2], "no key for signatures"),
        (lambda data: data.partition(b"\n")[0] + b"\n", "not encrypted"),
        (lambda data: b"", "no key for signatures"),
        (lambda data: b"\xff\xfe", "no key for signatures"),
        (lambda data: data[:-80], "wrong|not encrypted"),
    ],
)
def test_a_file_that_was_changed_is_refused(tmp_path: Path, file: Path, change: object, says: str) -> None:
    path = tmp_path / "k.key"
    write_atomically(path, change(file.read_bytes()))  # type: ignore[operator]
    with pytest.raises(InputError, match=says):
        read_signing_key(path, WORDS)


def test_another_keys_words_above_are_refused(tmp_path: Path, file: Path) -> None:
    other = new_signing_key("anna", WORDS, bytes(range(1, 65)))[0]
    path = tmp_path / "k.key"
    write_atomically(path, f"{other}\n".encode() + file.read_bytes().partition(b"\n")[2])
    with pytest.raises(InputError, match="not the one"):
        read_signing_key(path, WORDS)


def test_a_key_without_a_passphrase_is_refused(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    public, _ = new_signing_key("anna", WORDS, DRAWN)
    private = Ed25519PrivateKey.from_private_bytes(DRAWN[32:])
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = tmp_path / "k.key"
    write_atomically(path, f"{public}\n".encode() + pem)
    with pytest.raises(InputError, match="not encrypted"):
        read_signing_key(path, WORDS)


@pytest.mark.parametrize(("rounds", "blocks"), [(2**22, 8), (2**17, 32), (3, 8), (0, 8)])
def test_a_file_that_asks_for_gigabytes_is_refused_at_once(
    tmp_path: Path, file: Path, rounds: int, blocks: int
) -> None:
    head, *lines, end = file.read_bytes().splitlines()[1:]
    der = base64.b64decode(b"".join(lines))
    usual, other = (signing_key._number(n) + signing_key._number(r) for n, r in ((2**17, 8), (rounds, blocks)))
    assert usual in der
    path = tmp_path / "k.key"
    changed = base64.b64encode(der.replace(usual, other))
    write_atomically(path, b"\n".join([file.read_bytes().splitlines()[0], head, changed, end, b""]))
    with pytest.raises(InputError, match="not encrypted as ours"):
        read_signing_key(path, WORDS)


def test_what_a_terminal_made_of_a_passphrase_is_one(tmp_path: Path) -> None:
    words = "caf\udce9 au lait"
    path = tmp_path / "k.key"
    write_atomically(path, new_signing_key("anna", words, DRAWN)[1])
    assert read_signing_key(path, words).public.name == "anna"
