"""The ten questions: each answer is right, and each place that it names is the line that says so."""

import json
import re
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from seatwarden.engine.apply.apply import find_pending
from seatwarden.engine.audit.answers import Audit, AuditAnswer
from seatwarden.engine.audit.audit import AuditRequest, audit
from seatwarden.engine.common.seals import seals_in
from seatwarden.engine.facts.day import DaySpan
from seatwarden.engine.log.reader import read_plan
from seatwarden.engine.log.run_folder import JOURNAL_FILE, PLAN_FILE
from seatwarden.engine.plan.modes import DRY_RUN, WHAT_IF
from seatwarden.policy.errors import InputError
from tests.engine.audit.records import POLICY, Record, erase, some_site
from tests.engine.support import checked
from tests.strategies import NOW


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """A state folder without runs."""
    return Record(tmp_path / "state")


def _audited(place: Path, **asked: object) -> Audit:
    return audit(AuditRequest(place, **asked), NOW)  # type: ignore[arg-type]


def _answer(number: int, place: Path, **asked: object) -> AuditAnswer:
    return _audited(place, **asked).answers[number - 1]


def _listed(answer: AuditAnswer, title: str) -> list[tuple[str, ...]]:
    """The cells of a list, the words last."""
    found = [listing for listing in answer.listings if listing.title == title]
    return [(*entry.cells, entry.words) for listing in found for entry in listing.entries]


def _lines(audited: Audit) -> list[tuple[str, int, str]]:
    """Every place that an answer names: file, line, and what stands there."""
    found = []
    for answer in audited.answers:
        sources = [s for statement in answer.statements for s in statement.sources]
        sources += [s for listing in answer.listings for entry in listing.entries for s in entry.sources]
        for source in sources:
            match = re.fullmatch(r"(.+\.jsonl):(\d+)", source)
            if match:
                lines = _path(audited, match[1]).read_text(encoding="utf-8").splitlines()
                found.append((match[1], int(match[2]), lines[int(match[2]) - 1]))
    return found


def _path(audited: Audit, place: str) -> Path:
    """The file that a place means."""
    name, slash, file = place.partition("/")
    folders = {run.name: run.folder for run in audited.runs}
    return Path(audited.base) / (f"{folders[name]}/{file}" if slash and name in folders else place)


# 1: who lost a license -----------------------------------------------------------------------------------


def test_who_lost_a_license(record: Record) -> None:
    run = record.apply(record.plan())
    answer = _answer(1, run)
    assert answer.short == "2 people lost 1 professional and 2 analyzer licenses."
    listed = sorted(entry[1:3] for entry in _listed(answer, "Licenses released"))
    assert listed == [
        ("analyzer", "ACME\\user1 (User 1)"),
        ("analyzer", "ACME\\user2 (User 2)"),
        ("professional", "ACME\\user1 (User 1)"),
    ]
    assert all("(test.policy:" in entry[-1] for entry in _listed(answer, "Licenses released"))
    # Each place is the outcome of that license, and the decision on it.
    for listing in answer.listings:
        for entry in listing.entries:
            outcome, decision = (json.loads(_at(run, source)) for source in entry.sources)
            assert (outcome["kind"], outcome["result"], decision["kind"]) == ("outcome", "released", "decision")
            assert outcome["person"]["licenseId"] == decision["person"]["licenseId"]
            assert entry.cells[2].startswith(f"ACME\\{decision['person']['userId']}")


def _at(folder: Path, source: str) -> str:
    name, _, line = source.rpartition(":")
    return (folder / name).read_text(encoding="utf-8").splitlines()[int(line) - 1]


def test_who_lost_one_on_a_day(record: Record) -> None:
    first = record.apply(record.plan(), {"l2": "failed"})
    record.later(days=3)
    second = record.apply(record.plan(some_site("l1", "l11")))
    days = [_answer(1, record.folder, span=DaySpan(day, day)).short for day in (date(2026, 11, 21), date(2026, 11, 24))]
    assert days == ["1 person lost 1 professional and 1 analyzer licenses.", "1 person lost 1 analyzer license."]
    assert _answer(1, record.folder, span=DaySpan(date(2026, 11, 22), date(2026, 11, 23))).short == (
        "The record has no run of these days."
    )
    whole = _audited(record.folder)
    assert [run.folder for run in whole.runs] == [f"runs/{first.name}", f"runs/{second.name}"]
    assert whole.answers[0].short == "2 people lost 1 professional and 2 analyzer licenses."
    assert _audited(record.folder, span=DaySpan(date(2026, 11, 24))).left_out == 1


@pytest.mark.parametrize(("mode", "words"), [(DRY_RUN, "was a dry run"), (WHAT_IF, "is a what-if")])
def test_nobody_lost_one_in_what_was_only_a_trial(record: Record, mode: str, words: str) -> None:
    answer = _answer(1, record.plan(mode=mode))  # type: ignore[arg-type]
    assert answer.short == "Nobody."
    assert words in answer.statements[0].text


def test_what_nobody_knows_is_not_nobody(record: Record) -> None:
    run = record.apply(record.plan(), None, "l1")
    assert _answer(1, run).short.endswith("Of 1 license it is not known.")
    assert [entry[2] for entry in _listed(_answer(10, run), "Begun, without a known end")] == ["ACME\\user1 (User 1)"]


@pytest.mark.parametrize("damage", ["removed", "cut"])
def test_a_lost_journal_is_not_nobody(record: Record, damage: str) -> None:
    run = record.apply(record.plan())
    path = run / JOURNAL_FILE
    lines = path.read_bytes().splitlines(keepends=True)
    path.unlink()
    if damage == "cut":
        path.write_bytes(b"".join([*lines[:3], *lines[4:]]))
    audited = _audited(record.folder)
    assert audited.answers[0].short == "What some runs did is lost; the register counts 3 licenses."
    assert (audited.runs[0].state, audited.sound) == ("journal lost", False)


def test_a_whole_run_taken_away(record: Record) -> None:
    run = record.apply(record.plan())
    record.later(days=1)
    record.plan(some_site("l1", "l2", "l11"))
    for path in sorted(run.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    run.rmdir()
    audited = _audited(record.folder)
    assert audited.answers[0].short == "What some runs did is lost; the register counts 3 licenses."
    assert "run 1 is missing" in _listed(audited.answers[4], "Faults")[0][-1]


def test_what_went_without_us_is_named(record: Record) -> None:
    record.apply(record.plan(), {"l2": "skipped"})
    record.later(days=1)
    record.plan(some_site("l1", "l2", "l5", "l11"))
    answer = _answer(1, record.folder)
    assert answer.short.endswith("2 licenses went without an outcome of ours.")
    gone = sorted(entry[2] for entry in _listed(answer, "Removed outside the record"))
    assert gone == ["ACME\\user2 (User 2)", "ACME\\user5 (User 5)"]


def test_a_plan_that_was_applied_after_the_next_was_made(record: Record) -> None:
    early = record.plan()
    record.later(hours=1)
    record.plan()
    record.later(hours=1)
    record.apply(early, None, "l1")
    record.later(days=1)
    record.plan(some_site("l1", "l2", "l11"))
    answer = _answer(1, record.folder)
    assert "without an outcome" not in answer.short
    assert "Removed outside the record" not in [listing.title for listing in answer.listings]


def test_runs_in_folders_of_their_own_are_read_with_all_others(record: Record, tmp_path: Path) -> None:
    record.apply(record.plan(place=tmp_path / "by-hand"))
    record.later(days=1)
    record.plan(some_site("l1", "l2", "l11"))
    for place in (record.folder, record.folder / "runs"):
        assert _answer(1, place).short == "2 people lost 1 professional and 2 analyzer licenses."


def test_an_erased_person_is_counted_and_not_named(record: Record) -> None:
    run = record.apply(record.plan())
    erase(run, "l2")
    audited = _audited(record.folder)
    first, stored = audited.answers[0], audited.answers[6]
    assert first.short == (
        "1 person lost 1 professional and 2 analyzer licenses, and 1 license of people who were erased since."
    )
    assert "(erased)" in [entry[2] for entry in _listed(first, "Licenses released")]
    assert any("erased of 1 license" in statement.text for statement in stored.statements)
    assert "user2" not in str([answer for answer in audited.answers if answer.number != 3])


# 2 and 3: protected, and by which text -------------------------------------------------------------------


def test_who_was_due_and_kept(record: Record) -> None:
    answer = _answer(2, record.plan())
    assert answer.short == "3 licenses that a release rule matched were kept: 2 by a keep rule and 1 by a guard."
    assert {entry[1]: entry[2].partition(":")[0] for entry in _listed(answer, "Due, and kept")} == {
        "ACME\\user3 (User 3)": 'keep "vip"',
        "ADMIN\\user4 (User 4)": 'keep "admins"',
        "ACME\\user6 (User 6)": "in quarantine",
    }


def test_who_was_kept_in_several_runs_stands_there_once(record: Record) -> None:
    for _ in range(4):
        record.plan()
        record.later(days=1)
    listed = _listed(_answer(2, record.folder), "Due, and kept")
    assert len(listed) == 3
    assert all("In 4 runs, 2026-11-21 02:00Z to 2026-11-24 02:00Z." in entry[-1] for entry in listed)


def test_which_text_was_in_force(record: Record) -> None:
    run = record.plan()
    record.later(days=1)
    record.plan(policy=POLICY.replace("30", "45"))
    one, both = _answer(3, run), _answer(3, record.folder)
    assert one.short.startswith("test.policy, sha256 ")
    assert both.short == "2 texts, one after the other."
    rules = _listed(one, "Rules")
    written = POLICY.splitlines()
    assert [(place, written[int(place.rpartition(":")[2]) - 1]) for place, _ in rules] == [
        (f"test.policy:{n}", rule) for n, (_, rule) in enumerate(rules, 2)
    ]
    assert len(_listed(both, "Rules")) == 2 * len(rules)


# 4: who --------------------------------------------------------------------------------------------------


def test_who_ran_it(record: Record) -> None:
    run = record.apply(record.plan())
    with record.open() as register:
        register.override("--limit", "10% of analyzer per run", "5 per run", register_root(run))
    answer = _answer(4, record.folder)
    assert answer.short == "Run by ann (uid 1000) on qs1; 1 limit or check set aside."
    assert [entry[1] for entry in _listed(answer, "Acts")] == ["planned", "applied"]
    words = "ann (uid 1000) on qs1, at a terminal: seatwarden run --site s.yaml, to Qlik Sense as U=sa"
    assert all(entry[-1].startswith(words) for entry in _listed(answer, "Acts"))
    (_, what, how) = _listed(answer, "Set aside by a person")[0]
    assert (what, how.partition(";")[0]) == ("--limit (run 1)", "10% of analyzer per run → 5 per run")
    assert any("Who approved" in sentence for sentence in answer.cannot_say)


def register_root(run: Path) -> str:
    """The root of a run's plan."""
    root: str = json.loads((run / PLAN_FILE).read_bytes().splitlines()[-1])["root"]
    return root


# 5 and 6: changed, and decided again ---------------------------------------------------------------------


def test_what_verifies_is_sound(record: Record) -> None:
    run = record.apply(record.plan(kept=True))
    audited = _audited(record.folder)
    assert audited.sound
    assert audited.answers[4].short == "Nothing was found: every line of 1 run and the register verifies."
    assert audited.answers[5].short == "Yes: 7 decisions of 1 run decided again, all agree."
    assert any("from the snapshot that it kept: all agree" in s.text for s in audited.answers[5].statements)
    assert any("only a seal that left this machine" in sentence for sentence in audited.answers[4].cannot_say)
    assert "no register" not in str(_answer(5, run).cannot_say)
    for name, number, line in _lines(audited):
        assert json.loads(line)["n"] == number, name


@pytest.mark.parametrize("file", [PLAN_FILE, JOURNAL_FILE, "policy/test.policy", "summary.txt"])
def test_what_does_not_verify_is_not_sound(record: Record, file: str) -> None:
    run = record.apply(record.plan())
    data = bytearray((run / file).read_bytes())
    data[len(data) // 2] ^= 1
    (run / file).write_bytes(data)
    audited = _audited(record.folder)
    assert not audited.sound
    faults = _listed(audited.answers[4], "Faults")
    assert faults
    assert all(place.startswith(f"runs/{run.name}/{file}") for place, _ in faults)


def test_seals_that_were_kept_elsewhere(record: Record) -> None:
    run = record.apply(record.plan())
    with record.open() as register:
        own = register.seals(register_root(run))
    assert own is not None
    sound = _audited(record.folder, seals=seals_in(str(own)))
    assert sound.sound
    assert any("Held against 1 seal" in statement.text for statement in sound.answers[4].statements)
    forged = str(own).replace(own.plan, "0" * 64)
    assert not _audited(record.folder, seals=seals_in(forged)).sound


def test_the_register_may_stand_elsewhere(record: Record, tmp_path: Path) -> None:
    run = record.apply(record.plan(place=tmp_path / "far" / "away" / "off" / "run"))
    known, from_state = _audited(run), _audited(record.folder)
    assert known.register == from_state.register is not None
    assert [found.folder for found in from_state.runs] == [str(run)]
    moved = record.folder.rename(tmp_path / "moved")
    alone, told = _audited(run), _audited(run, register=moved / "runs.jsonl")
    assert (alone.register, told.register) == (None, known.register)
    assert any("is not at hand" in statement.text for statement in alone.answers[4].statements)
    assert {found.answers[0].short for found in (known, from_state, alone, told)} == {known.answers[0].short}
    assert all(found.sound for found in (known, from_state, alone, told))
    with pytest.raises(InputError, match="no register of runs"):
        _audited(run, register=run / PLAN_FILE)
    with pytest.raises(InputError, match="cannot be read"):
        _audited(run, register=tmp_path / "none.jsonl")


def test_of_a_part_of_the_runs_nothing_is_said_of_the_others(record: Record, tmp_path: Path) -> None:
    record.apply(record.plan())
    record.later(days=1)
    record.plan(some_site("l1", "l2", "l11"), place=tmp_path / "plans" / "second")
    audited = _audited(tmp_path / "plans")
    assert audited.answers[0].short == "Nobody."
    assert any("ask the whole register" in sentence for sentence in audited.answers[9].cannot_say)
    assert _audited(record.folder).answers[0].short.startswith("2 people lost")


def test_a_copy_of_a_run_is_told_from_it(record: Record) -> None:
    run = record.apply(record.plan())
    shutil.copytree(run, run.with_name("copy"))
    audited = _audited(record.folder)
    assert [found.name for found in audited.runs] == [f"runs/{name}" for name in (run.name, "copy")]
    assert not audited.sound


# 7 to 10 -------------------------------------------------------------------------------------------------


def test_what_is_stored(record: Record) -> None:
    run = record.apply(record.plan(kept=True))
    answer = _answer(7, run)
    files = [path for path in run.rglob("*") if path.is_file()]
    listed = _listed(answer, "Files")
    assert sum(int(entry[1].split()[0]) for entry in listed) == len(files)
    assert {entry[0] for entry in listed} >= {PLAN_FILE, JOURNAL_FILE, "snapshot.json.zst", "policy"}
    assert any("no retention is noted" in sentence for sentence in answer.cannot_say)


def test_how_to_ask_for_one_person(record: Record) -> None:
    answer = _answer(8, record.plan())
    assert answer.short == "7 decisions on 6 people in 1 run; ask for one by name."
    assert answer.commands[0].startswith("seatwarden log show ")


def test_another_policy(record: Record) -> None:
    run = record.plan()
    other = checked("release analyzer when unused for 30 days")
    answer = _answer(9, run, policy=other)
    assert answer.short.startswith("By test.policy 2 licenses more would have been due and 1 fewer")
    assert {entry[1] for entry in _listed(answer, "Decided otherwise")} == {
        "ACME\\user3 (User 3)",
        "ADMIN\\user4 (User 4)",
        "ACME\\user1 (User 1)",
    }
    unknown = _answer(9, run, policy=checked('keep when user.roles = "x"'))
    assert unknown.short.startswith("The record cannot say: the run did not record `user.roles`")


def test_what_failed_and_was_refused(record: Record) -> None:
    run = record.apply(record.plan(), {"l1": "failed", "l2": "skipped", "l11": "gone"})
    with record.open() as register:
        register.attempt("the policy could not be read", failed=True)
        register.attempt("over the limit", failed=False, root=register_root(run))
    answer = _answer(10, record.folder)
    assert answer.short == "1 failed, 1 gone, 1 skipped and 2 attempts refused or failed."
    assert {entry[-1] for entry in _listed(answer, "Outcomes")} == {
        "failed: why l1 (Qlik Sense answered 500)",
        "gone: why l11 (Qlik Sense answered 204)",
        "skipped: why l2 (Qlik Sense answered 204)",
    }
    attempts = _listed(answer, "Refused and failed attempts")
    assert [entry[1] for entry in attempts] == ["failed, of no run here", "refused, run 1"]
    assert len(_listed(_answer(10, run), "Refused and failed attempts")) == 1, "of one run only what is about it"


def test_a_run_begun_and_never_closed(record: Record) -> None:
    run = record.plan()
    with record.open() as register, register.applying(find_pending(read_plan(run), run, ())):
        pass  # the process ends before the journal's first line
    told = [statement.text for statement in _answer(10, record.folder).statements]
    assert any(text.startswith("Run 1 was begun and never closed") for text in told)
    assert not _audited(record.folder).sound


def test_no_run_in_a_span(record: Record) -> None:
    record.plan()
    audited = _audited(record.folder, span=DaySpan(date(2030, 1, 1)))
    assert (audited.runs, audited.left_out, len(audited.answers)) == ((), 1, 10)
    for number in (1, 2, 3, 6, 9):
        assert audited.answers[number - 1].short == "The record has no run of these days."
    with pytest.raises(InputError, match="is after"):
        _audited(record.folder, span=DaySpan(date(2030, 1, 1), date(2030, 1, 1) - timedelta(days=1)))


def test_a_plan_that_cannot_be_read_is_listed(record: Record) -> None:
    run = record.plan()
    (run / PLAN_FILE).write_bytes((run / PLAN_FILE).read_bytes()[:-40])
    audited = _audited(record.folder)
    assert [found.state for found in audited.runs] == ["cannot be read"]
    assert audited.answers[0].short == "The record cannot say: no plan can be read."
    assert not audited.sound
