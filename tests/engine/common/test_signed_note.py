"""Signed notes are those of C2SP: the vectors that Go's `sumdb/note` publishes pass, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.common.signed_note import NotSigned, PublicKey, SignatureLine, note_of, parse_note
from tests.profiles import examples

TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
BY_PETER = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
BY_ENOCH = "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ="
NOTE = f"{TEXT}\n— PeterNeumann {BY_PETER}\n— EnochRoot {BY_ENOCH}\n".encode()


def test_the_published_note_is_read_and_verifies() -> None:
    peter, enoch = PublicKey.parse(PETER), PublicKey.parse(ENOCH)
    note = parse_note(NOTE)
    assert note.text == TEXT
    assert note.signed_by([peter, enoch]) == (peter, enoch)
    assert note.signed_by([enoch]) == (enoch,)
    assert note.signed_by([]) == ()
    assert (str(peter), str(enoch)) == (PETER, ENOCH)
    assert note_of(note.text, note.lines) == NOTE


def test_who_is_not_known_says_nothing() -> None:
    stranger = PublicKey("PeterNeumann", bytes(32))
    assert parse_note(NOTE).signed_by([stranger]) == ()


@examples(60)
@given(st.integers(0, len(NOTE) - 1), st.integers(1, 255))
def test_one_flipped_byte_is_found(at: int, by: int) -> None:
    changed = NOTE[:at] + bytes([NOTE[at] ^ by]) + NOTE[at + 1 :]
    keys = [PublicKey.parse(PETER), PublicKey.parse(ENOCH)]
    try:
        note = parse_note(changed)
        signed = note.signed_by(keys)
    except NotSigned:
        return
    assert note.text == TEXT  # a line whose name or id was changed is one of a stranger
    assert len(signed) < len(keys)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text\n",
        TEXT.encode(),
        f"{TEXT}\n".encode(),
        f"{TEXT}\n— PeterNeumann {BY_PETER}".encode(),
        f"{TEXT}\n- PeterNeumann {BY_PETER}\n".encode(),
        f"{TEXT}\n— Peter Neumann {BY_PETER}\n".encode(),
        f"{TEXT}\n— PeterNeumann {BY_PETER[:-1]}\n".encode(),
        f"{TEXT}\n— PeterNeumann AAAA\n".encode(),
        f"{TEXT}\r\n\n— PeterNeumann {BY_PETER}\n".encode(),
        f"\x00{TEXT}\n— PeterNeumann {BY_PETER}\n".encode(),
        NOTE + b"\n",
        NOTE.replace("—".encode(), b"\xff"),
        f"{TEXT}\n".encode() + f"— PeterNeumann {BY_PETER}\n".encode() * 101,
    ],
)
def test_what_is_no_note_is_refused(data: bytes) -> None:
    with pytest.raises(NotSigned):
        parse_note(data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        PETER.replace("c74f20a3", "c74f20a4"),
        PETER.replace("PeterNeumann", "Peter Neumann"),
        PETER.replace("PeterNeumann", ""),
        PETER[:-1],
        PETER.replace("+AR", "+AQ"),
        PETER.replace("Neumann", "Neuman"),
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(NotSigned):
        PublicKey.parse(text)


def test_several_keys_sign_the_same_text() -> None:
    lines = [SignatureLine("a", b"1234", bytes(64)), SignatureLine("b", b"5678", bytes(64))]
    assert parse_note(note_of("one\n\ntwo\n", lines)).text == "one\n\ntwo\n"
