"""The registers beside that of runs, as far as they can be trusted.

Each must have come at least as far as the register of runs knows, and the plan that is carried out. One that is
missing, shorter or another is damage: nothing is sent, and nothing is released by any rule.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from seatwarden.engine.common.timestamps import format_instant, parse_timestamp
from seatwarden.engine.errors import DamagedLog, UntrustedRecord
from seatwarden.engine.log.chain import ChainLine, is_erased
from seatwarden.engine.log.erasures import Erasures
from seatwarden.engine.log.first_line import first_line
from seatwarden.engine.log.heads import NO_HEADS, ChainHead, Heads
from seatwarden.engine.log.register import RUNS_FOLDER, RegisterState
from seatwarden.engine.notice.holds import HOLDS_FILE, HoldsState, read_holds
from seatwarden.engine.notice.lines import NoticesOpened
from seatwarden.engine.notice.notices import Notices
from seatwarden.engine.notice.register import NOTICES_FILE, NoticeRecord, read_notices
from seatwarden.engine.plan.circumstances import CLOCKS_APART
from seatwarden.policy.file_kinds import is_run_folder


def trusted_holds(folder: Path, register: RegisterState | None, seen: Heads | None = None) -> HoldsState:
    """The register of holds in a state folder. `seen` are the heads of a plan that is carried out, too.

    Raises UntrustedRecord where it is not what the register of runs knows, or cannot be read.
    """
    path = folder / HOLDS_FILE
    try:
        state = read_holds(path)
    except DamagedLog as damaged:
        raise _untrusted(path, "holds", f"is not as it was written: {damaged.first}") from None
    except OSError as error:
        raise _untrusted(path, "holds", f"cannot be read: {error.strerror or error}") from None
    known = [register.heads.holds if register is not None else None, seen.holds if seen is not None else None]
    if problem := _fault(HOLDS_FILE, state, known, register):
        raise _untrusted(path, "holds", problem)
    return state


def trusted_notices(
    folder: Path, register: RegisterState | None, seen: Heads | None = None, before: ChainHead | None = None
) -> NoticeRecord:
    """The same of the register of notices; `before` is where it ended when it was read last."""
    path = folder / NOTICES_FILE
    try:
        record = read_notices(path)
    except DamagedLog as damaged:
        raise _untrusted(path, "notices", f"is not as it was written: {damaged.first}", _ACCEPT) from None
    except OSError as error:
        raise _untrusted(path, "notices", f"cannot be read: {error.strerror or error}") from None
    known = [
        register.heads.notices if register is not None else None,
        seen.notices if seen is not None else None,
        before,
    ]
    problem = _fault(NOTICES_FILE, record, known, register) or _foreign(record, register)
    if problem:
        raise _untrusted(path, "notices", problem, _ACCEPT)
    return record


def _foreign(record: NoticeRecord, register: RegisterState | None) -> str | None:
    """What is wrong with a register that was begun beside another register of runs; None for one that is known here.

    Of one that came from elsewhere, or whose register of runs is gone, nobody knows how far it had come.
    """
    opened = record.lines[0] if record.lines else None
    if register is None or register.heads.notices is not None or not isinstance(opened, NoticesOpened):
        return None
    return "was begun beside another register of runs" if opened.register != register.id else None


def heads_in_runs(folder: Path) -> Heads:
    """Where the registers ended by the newest plan in a state folder: what is left where the register of runs is gone,
    or was begun anew."""
    runs = folder / RUNS_FOLDER
    try:
        newest = sorted((place for place in runs.iterdir() if is_run_folder(place)), reverse=True)
    except OSError:
        return NO_HEADS
    first = next((found for place in newest if (found := first_line(place)) is not None), None)
    return first.heads if first is not None else NO_HEADS


def heads_fault(leaves: Sequence[str], heads: Iterable[ChainHead | None]) -> str | None:
    """What a register with these leaves lacks of how far it had come once; None for nothing."""
    faults = (head.fault(leaves or None) for head in heads if head is not None)
    return next((found for found in faults if found), None)


def unexplained_stubs(name: str, lines: Sequence[ChainLine], register: RegisterState | None) -> set[int]:
    """The numbers of the lines whose personal part is gone, and of which no line of the register of runs says so."""
    return {line.n for line in lines if is_erased(line)} - Erasures(register).of_file(name)


def _fault(
    name: str,
    found: HoldsState | NoticeRecord,
    heads: Sequence[ChainHead | None],
    register: RegisterState | None,
) -> str | None:
    if problem := heads_fault(found.leaves, heads):
        return problem
    stubs = sorted(unexplained_stubs(name, found.lines, register))
    said = "without its personal part, and no line of the register of runs says so"
    return f"has line {stubs[0]} {said}" if stubs else None


_ACCEPT = "; or accept it with `seatwarden notice accept-damage`: then everybody is told anew"


def _untrusted(path: Path, of: str, problem: str, more: str = "") -> UntrustedRecord:
    help_ = f"look at it with `seatwarden log verify {path}`; nothing is released before it is as it was{more}"
    return UntrustedRecord(f"the register of {of} `{path}` {problem}", help_)


def check_clock(notices: Notices, ours: datetime, qrs: datetime | None) -> None:
    """Raises UntrustedRecord where the clock is behind the register's last line, or not that of QRS.

    A wrong clock would shorten the time that people have.
    """
    last = parse_timestamp(notices.last_at)
    if last is not None and ours < last:
        said = f"the register of notices has a line of {notices.last_at}, and the clock says {format_instant(ours)}"
        raise UntrustedRecord(said, "set this machine's clock right; until then nothing is sent or released")
    if qrs is not None and abs(ours - qrs) > CLOCKS_APART:
        said = f"this machine's clock says {format_instant(ours)}, and that of QRS {format_instant(qrs)}"
        raise UntrustedRecord(said, "set both right; until then nobody is told and nothing is released")
