"""The register of notices: what is damage to it. Whatever is changed in it is found."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.chain import erased
from seatwarden.engine.notice.outcome import MessageOutcome
from seatwarden.engine.notice.register import NOTICES_FILE, parse_notices
from tests.engine.log.forging import relinked
from tests.engine.notice.telling import REMINDED, Telling

Lines = list[dict[str, Any]]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A register with all kinds of lines but one: told, not accepted, reminded, used, told anew."""
    site = Telling(tmp_path_factory.mktemp("site"), policy=REMINDED)
    site.post.on_message = lambda message: MessageOutcome("no-answer", "cut")
    site.days(1)
    site.post.on_message = lambda message: None
    site.days(13)
    site.use(1)
    site.days(1)
    return site.settings.folder / NOTICES_FILE


@pytest.fixture(scope="module")
def data(path: Path) -> bytes:
    return path.read_bytes()


def _with(data: bytes, kind: str, which: int = 0) -> int:
    lines = [json.loads(line) for line in data.splitlines()]
    return [n for n, line in enumerate(lines) if line["kind"] == kind][which]


def test_as_it_was_written_it_is_read(path: Path, data: bytes) -> None:
    kinds = [line.kind for line in parse_notices(path, data).lines]
    assert set(kinds) == {"notices", "seen", "intent", "outcome", "ended"}
    assert kinds.count("intent") == 3


def _forgeries() -> Iterator[tuple[str, Callable[[Lines, dict[str, Any]], object], str]]:
    """The kind of the line that is forged, how, and what is said."""
    yield "notices", lambda lines, line: lines.pop(0), "it is no register of notices"
    yield "notices", lambda lines, line: lines.append(dict(line)), "it does not belong here"
    yield "notices", lambda lines, line: lines.append({"kind": "seal", "size": 3, "root": ""}), "no register of notices"
    yield "notices", lambda lines, line: line.update(format=3), "was written by a newer seatwarden"
    yield "notices", lambda lines, line: line.update(at="yesterday"), "`at` is no moment"
    yield "intent", lambda lines, line: line.update(announced=line["day"][:-2] + "01"), "`announced` is no day"
    yield "intent", lambda lines, line: line.update(announced="2026-02-30"), "`announced` is no day"
    yield "intent", lambda lines, line: line.update(announced="9999-12-31"), "`announced` is no day"
    yield "intent", lambda lines, line: line.update(day="20261121"), "`day` is no day"
    yield "intent", lambda lines, line: line.update(zone="Atlantis/Port"), "`zone` is no time zone"
    yield "intent", lambda lines, line: line.update(zone="../../etc/passwd"), "`zone` is no time zone"
    yield "intent", lambda lines, line: line.update(zone=""), "`zone` is no time zone"
    yield "intent", lambda lines, line: line.update(notice=2), "its notice has not the next number"
    yield "intent", lambda lines, line: line.update(step="reminder"), "it reminds of a notice that nobody was given"
    yield "intent", lambda lines, line: line.update(days=-1), "line 3 is damaged"
    yield "intent", lambda lines, line: line.update(redirected=True), "cannot have that outcome|not about what its"
    yield "intent", lambda lines, line: line.update(licenseType="professional"), "it is not about what its notice is"
    yield "intent", lambda lines, line: lines.append(dict(line)), "its notice has ended"
    yield "outcome", lambda lines, line: line.update(intent=2), "it is the outcome of no message that waits"
    yield "outcome", lambda lines, line: lines.append(dict(line)), "it is the outcome of no message that waits"
    yield "outcome", lambda lines, line: line.update(result="redirected"), "its message cannot have that outcome"
    yield "ended", lambda lines, line: line.update(notice=7), "it ends no notice that runs"
    yield "ended", lambda lines, line: lines.append(dict(line)), "it ends no notice that runs"
    yield "ended", lambda lines, line: line.update(cause="bribed"), "is damaged"
    yield "seen", lambda lines, line: line.update(day="2026-13-01"), "`day` is no day"
    yield "seen", lambda lines, line: line.update(at="2026-11-21T02:00:00Z"), "`at` is no moment"


@pytest.mark.parametrize(("kind", "forge", "said"), list(_forgeries()))
def test_a_forged_line_is_named(
    path: Path, data: bytes, kind: str, forge: Callable[[Lines, dict[str, Any]], object], said: str
) -> None:
    """All digests fit: somebody has written the whole file anew."""
    lines = [json.loads(line) for line in data.splitlines()]
    forge(lines, lines[_with(data, kind)])
    with pytest.raises(DamagedLog, match=said):
        parse_notices(path, relinked(lines, own=True))


@given(st.data())
def test_whatever_is_changed_is_found(path: Path, data: bytes, drawn: st.DataObject) -> None:
    """A flipped bit, a cut, a line that is gone, twice there, or in another place."""
    lines = data.splitlines(keepends=True)
    at = drawn.draw(st.integers(0, len(lines) - 1))
    match drawn.draw(st.sampled_from(["bit", "cut", "gone", "twice", "swapped"])):
        case "bit":
            place = drawn.draw(st.integers(0, len(data) - 1))
            changed = data[:place] + bytes([data[place] ^ 1 << drawn.draw(st.integers(0, 7))]) + data[place + 1 :]
        case "cut":
            changed = data[: drawn.draw(st.integers(0, len(data) - 2).filter(lambda n: data[n - 1 : n] != b"\n"))]
        case "gone":
            at = min(at, len(lines) - 2)  # that the last one is gone, its head shows
            changed = b"".join(lines[:at] + lines[at + 1 :])
        case "twice":
            changed = b"".join([*lines[: at + 1], *lines[at:]])
        case _:
            other = drawn.draw(st.integers(0, len(lines) - 1).filter(lambda n: n != at))
            lines[at], lines[other] = lines[other], lines[at]
            changed = b"".join(lines)
    with pytest.raises(DamagedLog):
        parse_notices(path, changed)


def test_nothing_of_a_person_stands_outside_the_personal_part(path: Path, data: bytes) -> None:
    bare = b"\n".join(erased(line) for line in data.splitlines())
    for word in (b"user1", b"example.org", b'"l1"', b"250 taken"):
        assert word not in bare
    record = parse_notices(path, bare + b"\n")
    assert [one.key for one in record.notices.by_number.values()] == [None]
    assert record.notices.open == []
