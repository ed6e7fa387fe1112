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

import msgspec
import pytest

from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.journal import read_journal
from seatwarden.engine.log.reader import read_log, read_plan
from seatwarden.engine.log.run_folder import JOURNAL_FILE, PLAN_FILE
from seatwarden.engine.log.writer import write_plan
from seatwarden.engine.plan.summary_text import plan_text
from seatwarden.policy.errors import InputError
from tests.engine.apply.applying import idle, prepare
from tests.engine.cli.conftest import Ran, Run, SiteFile
from tests.engine.log.forging import OF_THE_CHAIN, Line, relinked
from tests.engine.log.golden_site import KEY, golden_plan, write_golden_journal
from tests.engine.support import RECORDING

pytestmark = pytest.mark.usefixtures("quick")

GONE = object()
VALUES: tuple[object, ...] = (GONE, None, 7, "x", ["x"], {"x": 1})
"""What each field is made: GONE takes it away."""
PORT = 4711

NAMED = re.compile(
    r"(plan|outcomes)\.jsonl(:\d+: this line|.*?: line \d+) |"
    r"(test\.policy|summary\.txt|\bx\b|\bpolicy): (was changed|is missing|is no file of this run)"
)
"""How a bad line is named, or a file that the plan lists or makes otherwise."""
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
        (self.folder / PLAN_FILE).write_bytes(relinked(plan, own=False))
        path = self.folder / JOURNAL_FILE
        path.unlink(missing_ok=True)
        if journal is not None:
            root = json.loads((self.folder / PLAN_FILE).read_bytes().splitlines()[-1]).get("root")
            header, *others = journal
            header = {**header, "planRoot": root} if "planRoot" in header else header
            path.write_bytes(relinked([header, *others], own=True))

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
            ("log", "show", self.folder, "--from", "2020-01-01"),
            ("log", "list", self.folder),
            ("explain", "--plan", self.folder, "--rule", "keep", "--full"),
            ("explain", "--plan", self.folder, "--releases"),
            ("report", self.folder, "-o", self.folder.with_name("r.html"), "--force"),
            ("apply", self.folder, "--site", self.site),  # nobody is here to confirm: what is read before that counts
        ]


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
        if key not in OF_THE_CHAIN:
            yield (*place, key), item
            yield from _fields(item, (*place, key))


@pytest.fixture
def forge(run: Run, site_file: SiteFile, tmp_path: Path) -> Callable[..., Forger]:
    def make(pseudonyms: Pseudonyms | None = None) -> Forger:
        plan = golden_plan(pseudonyms, datetime.now(UTC) - timedelta(hours=1), f"https://localhost:{PORT}")
        folder = tmp_path / "run"
        write_plan(plan, folder, plan_text(plan), RECORDING)
        lines = [json.loads(line) for line in (folder / PLAN_FILE).read_bytes().splitlines()]
        write_golden_journal(folder / JOURNAL_FILE, plan, read_log(folder))
        journal = [json.loads(line) for line in (folder / JOURNAL_FILE).read_bytes().splitlines()]
        return Forger(run, folder, site_file(PORT), lines, journal)

    return make


def test_what_is_not_forged(forge: Callable[..., Forger]) -> None:
    """The tests below would find nothing in a run that is refused as it is."""
    forger = forge()
    for journal, applied in ((None, 2), (forger.journal[:-3], 2), (forger.journal, 0)):
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


@pytest.mark.parametrize(
    "number", [0, 1, 2, 3, 9, -2, -1], ids=["header", "policy", "finding", "decision", "another", "summary", "seal"]
)
def test_lines_of_a_plan(forge: Callable[..., Forger], number: int) -> None:
    forger, turn = forge(), count()
    plan = forger.plan
    after = plan[number:][1:]

    def changed(line: Line) -> tuple[list[Line], list[Line] | None]:
        return [*plan[:number], line, *after], (None, forger.journal[:-3], forger.journal)[next(turn) % 3]

    assert _ask_all(forger, forger.commands(), changed, plan[number]) >= 5


@pytest.mark.parametrize("k", [1, 5], ids=["coarse", "withheld"])
def test_a_decision_with_pseudonyms(forge: Callable[..., Forger], k: int) -> None:
    forger = forge(Pseudonyms(KEY, k=k))
    plan = forger.plan
    assert _ask_all(forger, forger.commands(), lambda line: ([*plan[:5], line, *plan[6:]], None), plan[5]) > 50


@pytest.mark.parametrize(
    "number", range(8), ids=["apply", "intent", "failed", "resume", "released", "skipped", "closed", "seal"]
)
def test_lines_of_a_journal(forge: Callable[..., Forger], number: int) -> None:
    forger = forge()
    journal = forger.journal
    readers = [command for command in forger.commands() if not {"replay", "explain"} & set(command)]

    def changed(line: Line) -> tuple[list[Line], list[Line]]:
        return forger.plan, [*journal[:number], line, *journal[number + 1 :]]

    assert _ask_all(forger, readers, changed, journal[number]) >= 4


# What has the right types and cannot be ------------------------------------------------------------------


Place = int | str
"""The number of a line, or the verdict or reason of the first decision that has it."""


def _number(lines: list[Line], place: Place) -> int:
    if isinstance(place, int):
        return place
    decisions = [n for n, line in enumerate(lines, 1) if line["kind"] == "decision"]
    return next(n for n in decisions if place in (lines[n - 1]["verdict"], lines[n - 1]["because"]))


def _of_line(place: Place, **changes: Any) -> Callable[[list[Line]], None]:
    return lambda lines: lines[_number(lines, place) - 1].update(changes)


def _of_person(place: Place, **changes: Any) -> Callable[[list[Line]], None]:
    return lambda lines: lines[_number(lines, place) - 1]["person"].update(changes)


def _of_field(n: int, field: str, change: Callable[[Any], None]) -> Callable[[list[Line]], None]:
    return lambda lines: change(lines[n - 1][field])


def _of_facts(**changes: Any) -> Callable[[list[Line]], None]:
    return lambda lines: lines[_number(lines, "release") - 1]["person"]["facts"].update(changes)


def _policy(text: str) -> Callable[[list[Line]], None]:
    def change(lines: list[Line]) -> None:
        lines[0]["policy"]["canonicalSha256"] = hashlib.sha256(text.encode()).hexdigest()
        lines[1]["text"] = text

    return change


IMPOSSIBLE: dict[str, tuple[Place, Callable[[list[Line]], None]]] = {
    "`now` is no instant": (1, _of_line(1, now="yesterday")),
    "`now` is in no year of the calendar": (1, _of_line(1, now="0001-01-01T00:00:00.000Z", timezone="America/Lima")),
    "there is no time zone `Mars/Olympus`": (1, _of_line(1, timezone="Mars/Olympus")),
    "`limits` has what is no limit": (1, _of_line(1, limits=["a lot"])),
    "`text` is not the policy that has this digest": (2, _of_line(2, text="keep when true\n")),
    "`text` is no policy: policy.policy:1:9: unexpected `everything`": (2, _policy("release everything\n")),
    "`rules` are not those of the policy": (2, _policy("keep when true\n")),
    "a place of a rule is not written as FILE:LINE:COLUMN": (2, _of_field(2, "rules", lambda r: r[0].update(at="p:1"))),
    "`user.createdDate` cannot be 'x'": ("release", _of_facts(**{"user.createdDate": ["x"]})),
    "`month` cannot be '11'": ("release", _of_facts(month=["11"])),
    "`shoe size` cannot be 9": ("release", _of_facts(**{"shoe size": [9]})),
    "on these facts `rule` does not decide": ("release", _of_person("release", rule="no such rule")),
    "it says release, and on these facts the policy says keep": (
        "release",
        lambda lines: lines[_number(lines, "release") - 1]["person"]["row"].update(quarantined=True),
    ),
    "release because of keep": ("release", _of_line("release", because="keep")),
    "`rule` is no guard": ("guard", _of_person("guard", rule="no such guard")),
    "Expected `int` <= 4000000": ("release", _of_person("release", unusedDays=10**12)),
}
"""By what is said of them, the lines of plans that are changed."""


@pytest.mark.parametrize("problem", IMPOSSIBLE)
def test_a_plan_that_cannot_be(forge: Callable[..., Forger], problem: str) -> None:
    forger = forge()
    place, change = IMPOSSIBLE[problem]
    number = _number(forger.plan, place)
    change(forger.plan)
    forger.write(forger.plan, forger.journal)
    named = re.compile(rf"plan\.jsonl(:{number}: this|: line {number}) .*(?<!\w){re.escape(problem)}(?!\w)")
    refusals = 0
    for command in forger.commands():
        ran = forger.ask(*command)
        if ran.code and "would be different" not in ran.err:  # replay says the same of a ruling in its own words
            refusals += 1
            assert named.search(ran.out + ran.err), (command, ran)
    assert refusals >= 3, "explain, report and apply"


PROTECTED = 'keep "vip" when user.tags = "vip"\nrelease analyzer when unused for 30 days\n'


@pytest.mark.parametrize("pseudonyms", [None, Pseudonyms(KEY, k=1)], ids=["named", "pseudonyms"])
def test_a_protection_struck_out_by_hand(tmp_path: Path, pseudonyms: Pseudonyms | None) -> None:
    """The release rule matches: only the keep rule beside it says that the verdict was another one."""
    site = idle(2)
    site["users"][0]["tags"] = [{"name": "vip"}]
    path = prepare(tmp_path, site, PROTECTED, pseudonyms=pseudonyms).folder / PLAN_FILE
    lines: list[Line] = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    number = _number(lines, "keep")
    _of_line("keep", verdict="release", because="release")(lines)
    lines[number - 1]["person"].update(rule=None, at=lines[1]["rules"][1]["at"])
    path.write_bytes(relinked(lines, own=False))
    with pytest.raises(DamagedLog, match="it says release, and on these facts the policy says keep") as damaged:
        read_plan(tmp_path)
    assert damaged.value.damage[0].line == number


def test_truths_that_are_too_few(forge: Callable[..., Forger]) -> None:
    forger = forge(Pseudonyms(KEY, k=1))
    forger.plan[4]["person"]["truths"].pop()
    forger.write(forger.plan, None)
    for command in (("log", "replay", forger.folder), ("report", forger.folder)):
        assert f"{PLAN_FILE}:5: this line is damaged" in forger.ask(*command).err


IMPOSSIBLE_JOURNALS: dict[str, tuple[int, Callable[[list[Line]], None]]] = {
    "it chooses a license that the plan does not release": (1, _of_field(1, "chosen", lambda c: c.append(1))),
    "it chooses a license twice": (1, _of_field(1, "chosen", lambda c: c.append(c[0]))),
    "it is about a license that was not chosen": (5, _of_person(5, licenseId="l3")),
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
    path.write_bytes(relinked([{**forger.journal[0], "planRoot": "0" * 64}, *forger.journal[1:]], own=True))
    for command in (("log", "verify"), ("report",)):
        assert f"{JOURNAL_FILE}:1: this line belongs to another plan" in forger.ask(*command, forger.folder).err
    assert "belongs to another plan" in forger.ask("apply", forger.folder, "--site", forger.site).err


def test_a_plan_of_one_line(forge: Callable[..., Forger]) -> None:
    """A first line and nothing else, or a seal."""
    forger = forge()
    for lines in ([forger.plan[0]], [forger.plan[-1]], [forger.plan[0], forger.plan[-1]]):
        forger.write(lines, None)
        for command in forger.commands():
            assert forger.ask(*command).code in (1, 2), command
