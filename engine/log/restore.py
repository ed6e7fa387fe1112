"""The record of a restore: which licenses that a run released are to be given back, to whom, sealed before anything is
sent.

`restore.jsonl` stands in a run folder of its own, in place of a plan, and is a chain like one: a line `restore`, one
line `back` for each license, a seal. Its journal, `outcomes.jsonl`, is one like that of an apply.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from seatwarden.engine.common.files import make_private_folder, read_file, write_atomically
from seatwarden.engine.errors import Damage, DamagedLog
from seatwarden.engine.log.chain import FOREIGN, ChainEnd, ChainLine, ChainReader, is_erased, salts
from seatwarden.engine.log.lines import Key, RegisterHead, SaltedCircumstances
from seatwarden.engine.log.results import RESTORE_RESULTS, RESULTS_OF_GIVING_BACK, OutcomeKind
from seatwarden.engine.log.run_folder import RESTORE_FILE
from seatwarden.engine.log.start import refuse_newer
from seatwarden.engine.log.writer import salted
from seatwarden.engine.plan.circumstances import Circumstances, Clocks
from seatwarden.engine.snapshot.model import Seats
from seatwarden.engine.version import FORMAT
from seatwarden.grammar.ast import LicenseType
from seatwarden.policy.errors import InputError


class RestoreLine(ChainLine, kw_only=True, rename="camel"):
    """A line of a restore."""


class RestoreHeader(RestoreLine, kw_only=True, rename="camel"):
    """The first line: whose releases are given back, on which site, when and by whom.

    `of_run` and `of_root` are the id of the run that released and the root of its plan; `overview` is what QRS said of
    its licenses then.
    """

    kind: Literal["restore"] = "restore"
    run_id: str
    tool: str
    format: Annotated[int, Meta(ge=FORMAT, le=FORMAT)] = FORMAT
    site: str
    of_run: str
    of_root: str
    clocks: Clocks
    overview: dict[LicenseType, Seats]
    register: RegisterHead
    prev: str = ""
    person: SaltedCircumstances | UnsetType = UNSET
    of: str | UnsetType = UNSET

    @property
    def files(self) -> dict[str, str]:
        """The files beside it: none."""
        return {}


class BackPart(Struct, frozen=True, kw_only=True, rename="camel"):
    """Whose license it was: its id then, `DIRECTORY\\id` and the name of its user. `instead` is there where a
    downgrade took it: the id of the license that we gave, which is taken back (null: we gave none)."""

    salt: bytes
    license_id: str
    user: str
    user_name: str | None
    instead: str | None | UnsetType = UNSET


class BackLine(RestoreLine, kw_only=True, rename="camel"):
    """A license that is to be given back: `line` is that of the plan which released it, `released` when it was. `takes`
    is there where a downgrade took it: the type of what it gave, which is taken back."""

    kind: Literal["back"] = "back"
    line: int
    license_type: LicenseType
    released: str
    takes: LicenseType | UnsetType = UNSET
    prev: str = ""
    person: BackPart | UnsetType = UNSET
    of: str | UnsetType = UNSET

    @property
    def about(self) -> BackPart:
        """Whose license it was; the line must not be erased."""
        assert self.person is not UNSET  # noqa: S101 - erased lines are kept apart, see RestoreLog
        return self.person

    @property
    def label(self) -> str:
        """The user, with the name where it is known."""
        return f"{self.about.user} ({self.about.user_name})" if self.about.user_name else self.about.user


_READER: ChainReader[Any] = ChainReader((RestoreHeader, BackLine), own_leaves=False)


@dataclass(frozen=True)
class RestoreLog:
    """The lines of a restore that verifies; `erased` are those whose personal part is gone."""

    path: Path
    header: RestoreHeader
    lines: list[BackLine]
    erased: list[BackLine]
    root: str
    """The seal: the root of all its lines."""

    @cached_property
    def exchanges(self) -> Mapping[int, LicenseType]:
        """The lines of licenses that were taken by a downgrade; then the type of what is given back."""
        return {line.n: line.license_type for line in (*self.lines, *self.erased) if line.takes is not UNSET}

    @property
    def results(self) -> tuple[OutcomeKind, ...]:
        """The results that its licenses can have."""
        return RESULTS_OF_GIVING_BACK if self.exchanges else RESTORE_RESULTS

    @property
    def size(self) -> int:
        """How many lines the seal is over."""
        return 1 + len(self.lines) + len(self.erased)

    @property
    def folder(self) -> Path:
        """Its run folder."""
        return self.path.parent

    @property
    def log(self) -> Self:
        """Itself: what was sealed needs no evaluation."""
        return self

    @cached_property
    def key_of(self) -> Mapping[int, Key]:
        """The license that each line speaks of, as the plan had it."""
        return {line.n: (line.license_type, line.about.license_id) for line in self.lines}

    @cached_property
    def line_of(self) -> Mapping[Key, int]:
        """The line that speaks of each license."""
        return {key: n for n, key in self.key_of.items()}

    @property
    def releases(self) -> Mapping[int, Key]:
        """The licenses that its journal may speak of, by line."""
        return self.key_of

    @cached_property
    def erased_releases(self) -> frozenset[int]:
        """The numbers of the erased lines among them."""
        return frozenset(line.n for line in self.erased)

    @cached_property
    def by_key(self) -> Mapping[Key, BackLine]:
        """The lines by license."""
        return {self.key_of[line.n]: line for line in self.lines}

    def is_on(self, n: int, user: str, ids: Collection[str]) -> bool:
        """Whether a line is on a person: a user in lower case, or one of these ids."""
        about = self.by_key[self.key_of[n]].about
        return about.user.casefold() == user or about.license_id in ids

    @cached_property
    def stubs(self) -> frozenset[int]:
        """The numbers of all lines whose personal part is gone."""
        return self.erased_releases | ({self.header.n} if is_erased(self.header) else frozenset())


def write_restore(
    folder: Path, header: RestoreHeader, lines: Iterable[BackLine], made: Circumstances, seed: bytes
) -> Path:
    """Writes a restore into a new run folder, whole or not at all; `seed` salts its lines. Raises InputError."""
    path = folder / RESTORE_FILE
    try:
        make_private_folder(folder)
        write_atomically(path, _linked(header, lines, made, seed))
    except OSError as error:
        raise InputError(f"the restore cannot be written to `{folder}`: {error.strerror}") from None
    return path


def _linked(header: RestoreHeader, lines: Iterable[BackLine], made: Circumstances, seed: bytes) -> Iterator[bytes]:
    end, drawn = ChainEnd(), salts(seed)
    header.person = salted(made, next(drawn))
    yield end.link(header)
    for line in lines:
        line.person = msgspec.structs.replace(line.about, salt=next(drawn))
        yield end.link(line)
    yield end.link(end.seal())


def read_restore(folder: Path) -> RestoreLog:
    """The restore in a run folder. Raises DamagedLog, OSError."""
    path = folder / RESTORE_FILE
    return parse_restore(path, read_file(path))


def parse_restore(path: Path, data: bytes) -> RestoreLog:
    """The same of its content; `path` names it. Raises DamagedLog."""
    refuse_newer(path, data)
    read = _READER.read(data)
    damage = list(read.damage)
    headers = [n for n, line in enumerate(read.lines, 1) if isinstance(line, RestoreHeader)]
    if not damage and headers != [1]:
        damage.append(Damage(1, f"{FOREIGN}: a restore begins with `restore`, once"))
    if damage:
        raise DamagedLog(path, damage)
    header, *lines = read.lines
    whole = [line for line in lines if line.person is not UNSET]
    log = RestoreLog(path, header, whole, [line for line in lines if line.person is UNSET], read.root)
    if len(log.line_of) != len(whole) or len({line.line for line in lines}) != len(lines):
        raise DamagedLog(path, [Damage(1, f"{FOREIGN}: it gives a license back twice")])
    return log
