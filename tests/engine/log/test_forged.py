"""Logs that verify and that no seatwarden has written: whatever a line says, its place is named, and nothing breaks.

Each field of each kind of line is taken away and given values of other types; then the chain is linked anew, seal and
all, as somebody would do who can write the file.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, cycle
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.chain import SEAL, SUM, ChainEnd
from seatwarden.engine.log.journal import read_journal
from seatwarden.engine.log.reader import read_log
from seatwarden.engine.log.run_folder import JOURNAL_FILE, PLAN_FILE
from seatwarden.engine.log.writer import plan_lines
from seatwarden.policy.errors import InputError
from tests.engine.cli.conftest import Ran, Run, SiteFile
from tests.engine.log.golden_site import KEY, golden_plan, write_golden_journal

pytestmark = pytest.mark.usefixtures("quick")

Line = dict[str, Any]
GONE = object()
VALUES: tuple[object, ...] = (GONE, None, 7, "x", ["x"], {"x": 1})
"""What each field is made: GONE takes it away."""
PORT = 4711

NAMED = re.compile(r"(plan|outcomes)\.jsonl(:\d+: this line|.*?: line \d+) ")
"""How a bad line is named."""
NO_DAMAGE = re.compile(
    r"would be different|over the limit: |refused: the plan was made for |refused: the plan is \S+ hours old|"
    r"belongs to another plan|not confirmed|nobody is here to confirm|this plan has pseudonyms|there is no user `|"
    r"written by a newer seatwarden|a sealed log, but not of a plan"
)
"""Answers that are no, though every line can be read."""


@dataclass
class Forger:
    """A run folder whose lines can be changed, and the commands that read it."""

    run: Run
    folder: Path
    site: Path
    plan: list[Line]
    journal: list[Line]

    def write(self, plan: list[Line], journal: list[Line] | None) -> None:
        """The folder with these lines, linked and sealed; the journal says that it is the plan's."""
        (self.folder / PLAN_FILE).write_bytes(relinked(plan))
        path = self.folder / JOURNAL_FILE
        path.unlink(missing_ok=True)
        if journal is not None:
            seal = json.loads((self.folder / PLAN_FILE).read_bytes().splitlines()[-1])["seal"]
            header, *others = journal
            path.write_bytes(relinked([{**header, "planSeal": seal} if "planSeal" in header else header, *others]))

    def ask(self, *command: object) -> Ran:
        """How a command ends, which is never in a traceback; a no names the line, or is one of `NO_DAMAGE`."""
        ran = self.run(*command)
        assert ran.code in (0, 1, 2), (command, ran)
        said = ran.out + ran.err
        assert ran.code == 0 or NAMED.search(said) or NO_DAMAGE.search(said), (command, ran)
        return ran

    def is_damaged(self) -> bool:
        """Whether plan or journal have a line that no seatwarden writes."""
        try:
            read_log(self.folder)
            if (path := self.folder / JOURNAL_FILE).exists():
                read_journal(path)
        except (DamagedLog, InputError):
            return True
        return False

    def commands(self) -> list[tuple[object, ...]]:
        """All that read a run folder."""
        return [
            ("log", "verify", self.folder),
            ("log", "replay", self.folder),
            ("log", "show", self.folder),
            ("log", "list", self.folder),
            ("explain", "--plan", self.folder, "--rule", "keep", "--full"),
            ("explain", "--plan", self.folder, "--releases"),
            ("report", self.folder, "-o", self.folder.with_name("r.html"), "--force"),
            ("apply", self.folder, "--site", self.site),  # nobody is here to confirm: what is read before that counts
        ]


def relinked(lines: Sequence[Line]) -> bytes:
    """Lines as a chain, the last one a seal if it was one."""
    end = ChainEnd()
    links = []
    for line in lines:
        bare = {key: value for key, value in line.items() if key not in ("n", "prev", SEAL, SUM)}
        links.append(end.link(bare, SEAL if SEAL in line else SUM if SUM in line else None))
    return b"".join(links)


def forgeries(record: Any) -> Iterator[tuple[str, Any]]:
    """A line with every field in it changed in every way, one at a time, each with words for it."""
    for place, value in _fields(record):
        for new in VALUES:
            if new == value and type(new) is type(value):
                continue
            forged = json.loads(json.dumps(record))
            *way, last = place
            inside = forged
            for step in way:
                inside = inside[step]
            if new is GONE:
                del inside[last]
            else:
                inside[last] = new
            yield f"{'.'.join(map(str, place))} = {'nothing' if new is GONE else new}", forged


def _fields(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Each field with its place; of a list the first item."""
    inside = value.items() if isinstance(value, dict) else list(enumerate(value))[:1] if isinstance(value, list) else ()
    for key, item in inside:
        if key not in ("n", "prev", SEAL, SUM):
            yield (*place, key), item
            yield from _fields(item, (*place, key))


@pytest.fixture
def forge(run: Run, site_file: SiteFile, tmp_path: Path) -> Callable[..., Forger]:
    def make(pseudonyms: Pseudonyms | None = None) -> Forger:
        plan = golden_plan(pseudonyms, datetime.now(UTC) - timedelta(hours=1), f"https://localhost:{PORT}")
        folder = tmp_path / "run"
        folder.mkdir()
        lines = [json.loads(line) for line in plan_lines(plan)]
        write_golden_journal(folder / JOURNAL_FILE, plan, "")
        journal = [json.loads(line) for line in (folder / JOURNAL_FILE).read_bytes().splitlines()]
        return Forger(run, folder, site_file(PORT), lines, journal)

    return make


def test_what_is_not_forged(forge: Callable[..., Forger]) -> None:
    """The tests below would find nothing in a run that is refused as it is."""
    forger = forge()
    for journal, applied in ((None, 2), (forger.journal[:-2], 2), (forger.journal, 0)):
        forger.write(forger.plan, journal)
        codes = [forger.ask(*command).code for command in forger.commands()]
        assert codes == [0, 0, 0, 0, 0, 0, 0, applied]


def _ask_all(
    forger: Forger,
    commands: Sequence[tuple[object, ...]],
    changed: Callable[[Line], tuple[list[Line], list[Line] | None]],
    record: Line,
) -> int:
    """How many forgeries of a line are damage. Each is read by one command, all of them in turn."""
    seen = 0
    for (words, forged), command in zip(forgeries(record), cycle(commands), strict=False):
        forger.write(*changed(forged))
        damaged = forger.is_damaged()
        code = forger.ask(*command).code
        assert code or not damaged, (words, command)
        seen += damaged
    return seen


@pytest.mark.parametrize("number", [0, 1, 7, -1], ids=["header", "release", "unknown", "seal"])
def test_lines_of_a_plan(forge: Callable[..., Forger], number: int) -> None:
    forger, turn = forge(), count()
    plan = forger.plan
    after = plan[number:][1:]

    def changed(line: Line) -> tuple[list[Line], list[Line] | None]:
        return [*plan[:number], line, *after], (None, forger.journal[:-2], forger.journal)[next(turn) % 3]

    assert _ask_all(forger, forger.commands(), changed, plan[number]) > 50


@pytest.mark.parametrize("k", [1, 5], ids=["coarse", "withheld"])
def test_a_decision_with_pseudonyms(forge: Callable[..., Forger], k: int) -> None:
    forger = forge(Pseudonyms(KEY, k=k))
    plan = forger.plan
    assert _ask_all(forger, forger.commands(), lambda line: ([plan[0], line, *plan[2:]], None), plan[1]) > 50


@pytest.mark.parametrize("number", range(7), ids=["apply", "intent", "failed", "resume", "released", "skipped", "seal"])
def test_lines_of_a_journal(forge: Callable[..., Forger], number: int) -> None:
    forger = forge()
    journal = forger.journal
    readers = [command for command in forger.commands() if not {"replay", "explain"} & set(command)]

    def changed(line: Line) -> tuple[list[Line], list[Line]]:
        return forger.plan, [*journal[:number], line, *journal[number + 1 :]]

    assert _ask_all(forger, readers, changed, journal[number]) >= 10


# What has the right types and cannot be ------------------------------------------------------------------


def _of_line(number: int, **changes: Any) -> Callable[[list[Line]], None]:
    def change(lines: list[Line]) -> None:
        lines[number].update(changes)

    return change


def _of_field(number: int, field: str, change: Callable[[Any], None]) -> Callable[[list[Line]], None]:
    return lambda lines: change(lines[number][field])


def _policy(text: str, **others: Any) -> Callable[[list[Line]], None]:
    digest = {"file": "p.policy", "sha256": hashlib.sha256(text.encode()).hexdigest()}
    return _of_line(0, policyText=text, policy=digest, **others)


IMPOSSIBLE: dict[str, tuple[int, Callable[[list[Line]], None]]] = {
    "`now` is no instant": (1, _of_line(0, now="yesterday")),
    "`now` is in no year of the calendar": (1, _of_line(0, now="0001-01-01T00:00:00.000Z", timezone="America/Lima")),
    "there is no time zone `Mars/Olympus`": (1, _of_line(0, timezone="Mars/Olympus")),
    "`limits` has what is no limit": (1, _of_line(0, limits=["a lot"])),
    "`policyText` is not the policy that has this digest": (1, _of_line(0, policyText="keep when true\n")),
    "`policyText` is no policy": (1, _policy("release everything\n")),
    "`rules` are not those of the policy": (1, _policy("keep when true\n")),
    "a place of a rule is not written as FILE:LINE:COLUMN": (1, _of_field(0, "rules", lambda r: r[0].update(at="p:1"))),
    "`user.createdDate` cannot be 'x'": (2, _of_field(1, "facts", lambda f: f.update({"user.createdDate": ["x"]}))),
    "`month` cannot be '11'": (2, _of_field(1, "facts", lambda f: f.update(month=["11"]))),
    "`shoe size` cannot be 9": (2, _of_field(1, "facts", lambda f: f.update({"shoe size": [9]}))),
    "on these facts `rule` does not decide": (2, _of_line(1, rule="no such rule")),
    "release because of keep": (2, _of_line(1, because="keep")),
    "`rule` is no guard": (8, _of_line(7, rule="no such guard")),
    "Expected `int` <= 4000000": (2, _of_line(1, unusedDays=10**12)),
}
"""By what is said of them, the lines of plans that are changed."""


@pytest.mark.parametrize("problem", IMPOSSIBLE)
def test_a_plan_that_cannot_be(forge: Callable[..., Forger], problem: str) -> None:
    forger = forge()
    number, change = IMPOSSIBLE[problem]
    change(forger.plan)
    forger.write(forger.plan, forger.journal)
    named = re.compile(rf"plan\.jsonl(:{number}: this|: line {number}) .*{re.escape(problem)}")
    refusals = 0
    for command in forger.commands():
        ran = forger.ask(*command)
        if ran.code and "would be different" not in ran.err:  # replay says the same of a ruling in its own words
            refusals += 1
            assert named.search(ran.out + ran.err), (command, ran)
    assert refusals >= 3, "explain, report and apply"


def test_truths_that_are_too_few(forge: Callable[..., Forger]) -> None:
    forger = forge(Pseudonyms(KEY, k=1))
    forger.plan[2]["truths"].pop()
    forger.write(forger.plan, None)
    for command in (("log", "replay", forger.folder), ("report", forger.folder)):
        assert f"{PLAN_FILE}:3: this line is damaged" in forger.ask(*command).err


KEPT = ["analyzer", "l3"]
IMPOSSIBLE_JOURNALS: dict[str, tuple[int, Callable[[list[Line]], None]]] = {
    "it chooses a license that the plan does not release": (
        1,
        _of_field(0, "chosen", lambda c: c.append(KEPT)),
    ),
    "it chooses a license twice": (1, _of_field(0, "chosen", lambda c: c.append(c[0]))),
    "it is about a license that was not chosen": (5, _of_line(4, licenseId="l3")),
}


@pytest.mark.parametrize("problem", IMPOSSIBLE_JOURNALS)
def test_a_journal_that_cannot_be(forge: Callable[..., Forger], problem: str) -> None:
    forger = forge()
    number, change = IMPOSSIBLE_JOURNALS[problem]
    change(forger.journal)
    forger.write(forger.plan, forger.journal)
    named = f"is damaged or made by another program: {problem}"
    for command in (("log", "verify"), ("report",)):
        assert f"{JOURNAL_FILE}:{number}: this line {named}" in forger.ask(*command, forger.folder).err
    for command in (("log", "list"), ("log", "show")):
        ran = forger.ask(*command, forger.folder)
        assert f"{JOURNAL_FILE}: line {number} {named}" in ran.out + ran.err
    ran = forger.ask("apply", forger.folder, "--site", forger.site)
    assert (ran.code, f"is not as it was written: line {number} {named}" in ran.err) == (1, True)


def test_a_journal_of_another_plan(forge: Callable[..., Forger]) -> None:
    forger = forge()
    forger.write(forger.plan, forger.journal)
    path = forger.folder / JOURNAL_FILE
    path.write_bytes(relinked([{**forger.journal[0], "planSeal": "0" * 64}, *forger.journal[1:]]))
    for command in (("log", "verify"), ("report",)):
        assert f"{JOURNAL_FILE}:1: this line belongs to another plan" in forger.ask(*command, forger.folder).err
    assert "belongs to another plan" in forger.ask("apply", forger.folder, "--site", forger.site).err


def test_a_plan_of_one_line(forge: Callable[..., Forger]) -> None:
    """Header and seal at once."""
    forger = forge()
    forger.write([{**forger.plan[0], SEAL: ""}], None)
    for command in forger.commands():
        assert forger.ask(*command).code == 1, command
