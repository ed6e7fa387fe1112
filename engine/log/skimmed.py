"""A plan of which some decisions are asked for: its chain is verified whole, and those are read that name somebody.

Most of the time of reading a plan goes into its decisions, and who asks about one person needs one or two of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import msgspec
from msgspec import UNSET

from seatwarden.engine.common.json_errors import UNREADABLE
from seatwarden.engine.log.chain import SkimmedLine
from seatwarden.engine.log.decision_lines import RecordedDecision
from seatwarden.engine.log.lines import PlanLog
from seatwarden.engine.log.reader import plan_bytes, skimmed_lines

_MOST = 200
"""More lines than this are no few that somebody is asked about in: then all are read."""


@dataclass(frozen=True)
class SkimmedPlan:
    """A plan that verifies as a chain. `log` has all but the decisions that `waiting` has, as they were written."""

    log: PlanLog
    waiting: Sequence[SkimmedLine]

    def whole(self) -> PlanLog:
        """The plan with all decisions. Raises DamagedLog."""
        return self._with(self.waiting)

    def naming(self, names: Iterable[str]) -> PlanLog:
        """The plan with at least all decisions on everybody whom one of these can mean: `DIRECTORY\\id`, an id, a name
        or a part of one, in any case. Raises DamagedLog."""
        chosen: dict[int, SkimmedLine] = {}
        asked, new = set[bytes](), {_needle(name) for name in names}
        # People are known by their user ids: whoever is named in one line has all her lines.
        while new:
            if b"" in new:
                return self.whole()
            found = [
                line
                for line, holder in zip(self.waiting, self._holders, strict=True)
                if line.n not in chosen and any(name in holder for name in new)
            ]
            chosen |= {line.n: line for line in found}
            if len(chosen) > _MOST:
                return self.whole()
            asked |= new
            new = {_user_id(about.user_id) for line in found if (about := self._read(line).about)} - asked
        return self._with([chosen[n] for n in sorted(chosen)])

    @cached_property
    def _holders(self) -> Sequence[bytes]:
        """What each line says of whose license it is, in lower case."""
        return [_holder(line.data) for line in self.waiting]

    def _with(self, lines: Sequence[SkimmedLine]) -> PlanLog:
        read = [*self.log.decisions, *map(self._read, lines)]
        return replace(self.log, decisions=sorted(read, key=lambda line: line.n))

    def _read(self, line: SkimmedLine) -> RecordedDecision:
        """The decision of a line, which must be as our encoder writes it. Raises DamagedLog."""
        try:
            read = _decode(line.data)
        except UNREADABLE as error:
            self.log.refuse(line.n, str(error)[:_MOST])
        if read.person is UNSET or read.of is not UNSET or _encode(read) != line.data:
            self.log.refuse(line.n, "it is not written as we write it")
        return read


_decode = msgspec.json.Decoder(RecordedDecision).decode
_encode = msgspec.json.Encoder().encode


def skim_plan(place: Path) -> SkimmedPlan:
    """The plan in a run folder. Raises as `read_log`, but for what only the content of a decision shows."""
    log, waiting = skimmed_lines(*plan_bytes(place))
    return SkimmedPlan(log, waiting)


def _holder(line: bytes) -> bytes:
    """The part of a line that has ids and names, folded. A text in it has no quote without a backslash before it."""
    return _folded(line[line.find(_BEGIN) : line.find(_END)])


def _folded(part: bytes) -> bytes:
    return part.lower() if part.isascii() else part.decode(errors="replace").casefold().encode()


_BEGIN, _END = b'"licenseId":', b',"rule":'


def _user_id(user_id: str | None) -> bytes:
    """What stands there if the line speaks of somebody with that user id."""
    return _folded(msgspec.json.encode({"userId": user_id})[1:-1])


def _needle(name: str) -> bytes:
    """What stands there if the line speaks of somebody of that name. What is behind the last backslash of a name is a
    part of the user id."""
    last = name.rpartition("\\")[2].casefold().encode(errors="replace").decode()
    return msgspec.json.encode(last).removeprefix(b'"').removesuffix(b'"').lower()
