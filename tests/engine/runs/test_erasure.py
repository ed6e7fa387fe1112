"""Forgetting a person: nothing of the person is left, nothing of the rest is lost, and nothing can be guessed."""

import hashlib
import itertools
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from seatwarden.engine.common.rights import give_rights, open_to_all, rights_of
from seatwarden.engine.log.chain import split_lines
from seatwarden.engine.log.decision_lines import RecordedDecision
from seatwarden.engine.log.erasures import erase_lines, root_over
from seatwarden.engine.log.reader import read_log
from seatwarden.engine.log.register import ErasedLines, read_register
from seatwarden.engine.log.results import RESULTS
from seatwarden.engine.log.verify import verify_record
from seatwarden.engine.metrics.spool import Spool
from seatwarden.engine.report.write import write_report
from seatwarden.engine.runs import traces
from seatwarden.engine.snapshot.packed import decompressed
from seatwarden.engine.snapshot.reader import decode_snapshot
from tests.engine.runs.recorded import NO_PAGES, RecordedSite, copied, lines_of, with_kept_snapshot
from tests.platforms import WINDOWS

GONE = "user03"
WORDS = ("user03", "user 03", "l-03", "u-03")
"""All that leads to the person, in small letters."""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> RecordedSite:
    """Three runs of which the second failed for the person: she is an administrator, and findings name her."""
    made = RecordedSite(tmp_path_factory.mktemp("recorded"))
    made.content["users"][3]["roles"] = ["RootAdmin"]
    made.content["users"][4]["modifiedByUserName"] = "CORP\\User03"
    with pytest.MonkeyPatch.context() as patch:
        with_kept_snapshot(patch, made)
        made.run(dry_run=True)
        made.fail = "l-03"
        made.run()
        made.fail = None
        made.run()
    made.hold_for_a_while(f"CORP\\{GONE}", "on leave")
    made.hold_for_a_while("CORP\\user04", "in the place of user03")
    made.hold_for_a_while("CORP\\user05", "abroad")
    today = made.now.date()
    made.tell(f"CORP\\{GONE}", "l-03", today, cancelled="by admin: the mail of user03 bounced")
    made.tell("CORP\\user04", "l-04", today, cancelled="by admin: goes to user03 now")
    made.tell("CORP\\user05", "l-05", today)
    with made.record() as record:
        record.attempt("over the limit", failed=False)
        record.attempt("QRS answered 400 for CORP\\user03", failed=True)
    for folder in made.runs:
        write_report(folder, folder / "report.html")
    Spool(made.state / "influxdb-spool").add([_point(user) for user in ("user01", GONE, "user02")])
    return made


@pytest.fixture
def site(tmp_path: Path, recorded: RecordedSite, monkeypatch: pytest.MonkeyPatch) -> RecordedSite:
    """A copy of it."""
    made = copied(recorded, tmp_path / "site")
    with_kept_snapshot(monkeypatch, made)
    return made


def _point(user: str) -> str:
    return rf"qlik_sense_license_release,license_type=analyzer,user=CORP\{user} days_since_last_use=90 1795939604490"


def named(state: Path) -> list[str]:
    """The files below a folder with a byte that leads to the person, whatever they are packed with."""
    found = []
    for path in sorted(state.rglob("*")):
        if path.is_file():
            text = decompressed(path.read_bytes(), str(path)).decode(errors="replace").casefold()
            found += [str(path.relative_to(state)) for word in WORDS if word in text or word in path.name.casefold()]
    return sorted(set(found))


# Gone ----------------------------------------------------------------------------------------------------


def test_no_byte_is_left_and_everything_verifies(site: RecordedSite) -> None:
    before = {folder.name: read_log(folder) for folder in site.runs}
    assert {Path(name).name for name in named(site.state)} == {
        "plan.jsonl", "outcomes.jsonl", "snapshot.json.zst", "summary.txt", "report.html", "runs.jsonl",
        "000000000001-0003.lines", "history.sqlite", "holds.jsonl", "notices.jsonl",
    }  # fmt: skip
    site.forget(GONE)
    assert named(site.state) == []
    found = site.verified()
    assert found.faults == []
    # The decision and a finding; with an intent and an outcome in those that were applied.
    assert [run.erased for run in found.runs] == [2, 4, 4]
    for run in found.runs:
        assert run.plan is not None
        earlier = before[run.folder.name]
        assert (run.plan.root, run.plan.summary) == (earlier.root, earlier.summary)
        assert len(run.plan.decisions) + len(run.plan.erased) == len(earlier.decisions)


def test_what_is_left_of_the_others_is_what_it_was(site: RecordedSite) -> None:
    lines = {path: path.read_bytes().splitlines() for path in site.state.rglob("*.jsonl")}
    users = [user.user_id for user in _kept(site.runs[0]).users]
    site.forget(GONE)
    for path, before in lines.items():
        after = path.read_bytes().splitlines()
        for one, other in zip(before, after, strict=False):
            personal = any(word.encode() in one.lower() for word in WORDS)
            assert (one != other) is personal
    assert [user.user_id for user in _kept(site.runs[0]).users] == [user for user in users if user != GONE]


def _kept(folder: Path):  # type: ignore[no-untyped-def]
    return decode_snapshot((folder / "snapshot.json.zst").read_bytes(), "kept")


def test_pages_are_made_anew_only_where_they_were(site: RecordedSite) -> None:
    (site.runs[1] / "report.html").unlink()
    site.forget(GONE)
    assert [(folder / "report.html").exists() for folder in site.runs] == [True, False, True]
    summary = (site.runs[1] / "summary.txt").read_text(encoding="utf-8")
    assert "1 of 6 decisions is erased" in summary
    assert "6  due " in summary
    page = (site.runs[2] / "report.html").read_text(encoding="utf-8")
    assert "erased from the record since (1 release)" in page
    assert "1 ended as released" in page


def test_the_register_says_what_and_no_name(site: RecordedSite) -> None:
    site.forget(GONE)
    state = read_register(site.state / "runs.jsonl")
    assert state is not None
    begun, done = state.of_kind(ErasedLines)
    assert (begun.done, done.done, begun.reason, begun.files) == (False, True, "left", done.files)
    assert {Path(name).name for name in done.digests} == {"snapshot.json.zst"}
    # A number of a row in QRS's order would say whose lines these are to everybody who has another snapshot.
    assert all(numbers == [] for name, numbers in done.files.items() if name.endswith(".zst"))


def test_the_points_that_wait_are_fewer(site: RecordedSite) -> None:
    site.forget(GONE)
    spool = Spool(site.state / "influxdb-spool")
    (batch,) = spool.batches()
    assert spool.read(batch) == [_point("user01"), _point("user02")]


def test_a_point_is_not_sent_twice_after_a_kill_between_two_names(site: RecordedSite) -> None:
    """The new batch was written, and the old one not yet removed."""
    folder = site.state / "influxdb-spool"
    old = folder / "000000000001-0003.lines"
    kept = old.read_bytes()
    Spool(folder).forget(old.name, [3])
    old.write_bytes(kept)
    Spool(folder).forget(old.name, [3])
    assert [batch.lines for batch in Spool(folder).batches()] == [2]


def test_rejected_points_too(site: RecordedSite) -> None:
    folder = site.state / "influxdb-spool"
    spool = Spool(folder)
    spool.keep_rejected(spool.batches()[0], [(_point(GONE), "too old"), (_point("user01"), "too old")])
    site.forget(GONE)
    assert named(site.state) == []
    assert _point("user01") in (folder / "rejected" / "000000000001-0003.lines").read_text()


def test_halves_of_killed_processes_go(site: RecordedSite) -> None:
    torn = site.state / "runs" / "20261120T020000Z-0123456789ab"
    (torn / "policy").mkdir(parents=True)
    (torn / "summary.txt").write_text("CORP\\user03")
    (site.runs[0] / ".plan.jsonl.part").write_text("user03")
    (site.state / "runs" / "mine").mkdir()
    with site.record() as record:
        record.sweep()
    assert not torn.exists()
    assert not (site.runs[0] / ".plan.jsonl.part").exists()
    assert (site.state / "runs" / "mine").exists()


# Not guessed ---------------------------------------------------------------------------------------------


def test_the_erased_line_cannot_be_guessed(site: RecordedSite, tmp_path: Path) -> None:
    """Whoever has the snapshot and the policy can work out all but the salt of the line. That is not enough."""
    whole = tmp_path / "before"
    shutil.copytree(site.runs[0], whole)
    site.forget(GONE)
    (stub,) = read_log(site.runs[0]).erased
    (line,) = [line for line in read_log(whole).decisions if line.n == stub.n]
    salts = {other.about.salt for other in read_log(site.runs[0]).decisions}
    salts |= set(_salts_in(site.state)) | {b"", bytes(16), *(of.encode()[:16] for of in _digests_in(site.state))}
    candidates = [msgspec.json.encode(msgspec.structs.replace(line.about, salt=salt)) for salt in salts]
    candidates.append(_without_salt(line))
    assert stub.of not in {hashlib.sha256(one).hexdigest() for one in candidates}
    # With the salt it is that line: the guesses above are of the right form.
    assert hashlib.sha256(msgspec.json.encode(line.about)).hexdigest() == stub.of


def _without_salt(line: RecordedDecision) -> bytes:
    fields = msgspec.to_builtins(line.about)
    return msgspec.json.encode({name: value for name, value in fields.items() if name != "salt"})


def _salts_in(state: Path) -> Iterator[bytes]:
    for path in state.rglob("*.jsonl"):
        for line in lines_of(path):
            if "person" in line:
                yield msgspec.convert(line["person"]["salt"], bytes)


def _digests_in(state: Path) -> Iterator[str]:
    for path in state.rglob("*.jsonl"):
        yield from (line["of"] for line in lines_of(path) if "of" in line)


# Damage --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["plan.jsonl", "outcomes.jsonl", "runs.jsonl"])
def test_a_stub_that_the_register_does_not_name_is_damage(site: RecordedSite, file: str) -> None:
    path = site.state / file if file == "runs.jsonl" else site.runs[1] / file
    data = path.read_bytes()
    n = next(n for n, line in enumerate(split_lines(data), 1) if n > 2 and b'"person":' in line)
    path.write_bytes(erase_lines(data, [n]))
    assert root_over(path.read_bytes()) == root_over(data)
    found = [(fault.path.name, fault.line, fault.problem) for fault in site.verified().faults]
    assert (file, n, "was erased, and no line of the register says so") in found


def test_a_stub_beside_the_erased_ones_is_damage(site: RecordedSite) -> None:
    site.forget(GONE)
    log = read_log(site.runs[0])
    other = log.decisions[0].n
    log.path.write_bytes(erase_lines(log.path.read_bytes(), [other]))
    assert [fault.line for fault in site.verified().faults if fault.path == log.path] == [other]


def test_the_kept_snapshot_is_the_one_that_the_register_lists(site: RecordedSite) -> None:
    before = (site.runs[0] / "snapshot.json.zst").read_bytes()
    site.forget(GONE)
    (site.runs[0] / "snapshot.json.zst").write_bytes(before)
    (fault,) = site.verified().faults
    assert "not the file that the register lists" in fault.problem


def test_a_second_person_after_the_first(site: RecordedSite) -> None:
    site.forget(GONE)
    site.forget("user02")
    assert site.verified().faults == []
    assert [len(run.plan.erased) for run in site.verified().runs if run.plan] == [2, 2, 1]


def test_a_run_folder_that_was_moved_verifies_beside_its_register(site: RecordedSite) -> None:
    site.forget(GONE)
    moved = site.folder / "elsewhere"
    shutil.move(site.state, moved)
    assert verify_record(moved, NO_PAGES).faults == []


# Left as they are ----------------------------------------------------------------------------------------


def test_a_damaged_run_is_left_and_named(site: RecordedSite) -> None:
    path = site.runs[0] / "plan.jsonl"
    path.write_bytes(path.read_bytes().replace(b"user01", b"user09"))
    with site.record() as record:
        found = record.traces(site.person(GONE), None)
    assert [run.folder for run in found.left] == [site.runs[0]]
    assert "cannot be read as it was written" in found.left[0].why
    assert len(found.runs) == 2


def test_an_open_run_is_left_and_named(site: RecordedSite) -> None:
    site.content["licenses"]["analyzer"] = RecordedSite(site.folder).content["licenses"]["analyzer"]
    site.run_killed()
    with site.record() as record:
        found = record.traces(site.person(GONE), None)
    assert [run.folder for run in found.left] == [site.runs[-1]]
    assert "it is open" in found.left[0].why
    # The next run brings it to its end; then it can go like the others.
    site.now = site.now.replace(minute=30)
    site.run()
    site.forget(GONE)
    assert named(site.state) == []
    assert site.verified().faults == []


def test_a_journal_is_gone_on_with_after_an_erasure(site: RecordedSite) -> None:
    """The failed license of another one is tried again, by hand: the sums of the journal count the erased line."""
    from seatwarden.engine.apply.apply import find_pending
    from seatwarden.engine.apply.pending import carry_out, open_journal
    from seatwarden.engine.apply.releaser import Release
    from seatwarden.engine.log.reader import read_plan

    site.content["licenses"]["analyzer"] = RecordedSite(site.folder).content["licenses"]["analyzer"]
    site.fail = "l-02"
    site.now = site.now.replace(minute=40)
    site.run()
    folder = site.runs[-1]
    site.forget(GONE)
    site.fail = None
    pending = find_pending(read_plan(folder), folder, ())
    assert pending.counts == {**dict.fromkeys(RESULTS, 0), "released": 5, "failed": 1}
    journal = open_journal(pending, site.hand)
    release = Release(pending.plan, site, pseudonyms=None, clock=lambda: site.now)
    done = carry_out(
        pending, lambda key: release, journal, parallel=1, clock=lambda: site.now, progress=lambda outcome: None
    )
    journal.close()
    assert (done.settled, done.counts["released"]) == (True, 6)
    assert verify_record(folder, NO_PAGES).runs[0].faults == []


def test_one_who_is_written_in_another_case_is_the_same(site: RecordedSite) -> None:
    site.content["users"][3]["userId"] = "USER03"
    site.content["licenses"]["analyzer"] = RecordedSite(site.folder).content["licenses"]["analyzer"]
    site.now = site.now.replace(minute=40)
    site.run(dry_run=True)
    site.forget("CORP\\user03")
    assert named(site.state) == []


def test_the_same_person_by_every_name(site: RecordedSite) -> None:
    found = {site.person(query).user for query in ("CORP\\user03", "user03", "User 03", "l-03", "u-03", "ser03")}
    assert found == {"CORP\\user03"}


# Held files ----------------------------------------------------------------------------------------------


def test_a_file_that_is_held_is_done_by_the_next_command(site: RecordedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    import seatwarden.engine.common.files as files
    import seatwarden.engine.runs.erasure as erasure

    held = site.runs[1] / "plan.jsonl"
    whole = files.replace_file

    def replace_file(path: Path, data: bytes) -> None:
        if path == held:
            raise PermissionError(13, "held by another program")
        whole(path, data)

    monkeypatch.setattr(erasure, "replace_file", replace_file)
    with site.record() as record:
        done = record.erase(record.traces(site.person(GONE), None), "request")
    assert [str(held) in problem for problem in done.in_the_way] == [True]
    assert any("begun and not finished" in fault.problem for fault in site.verified().faults)
    monkeypatch.undo()
    site.now = site.now.replace(minute=50)
    report = site.run(dry_run=True)
    assert report.outcome == "dry-run"
    assert named(site.state) == []
    assert site.verified().faults == []


def test_what_is_marked_read_only_is_done_too(site: RecordedSite) -> None:
    for path in site.state.glob("runs/*/*"):
        if path.is_file():
            path.chmod(0o400)
    site.forget(GONE)
    assert named(site.state) == []
    assert site.verified().faults == []


def test_the_rights_stay(site: RecordedSite) -> None:
    """An administrator forgets somebody; the account of the service goes on writing, and an auditor reading."""
    spool = Spool(site.state / "influxdb-spool")
    spool.keep_rejected(spool.batches()[0], [(_point(GONE), "too old")])
    kept = [path for path in site.state.rglob("*") if path.suffix in (".jsonl", ".zst", ".lines")]
    for path in kept:
        if not WINDOWS:
            path.chmod(0o664)
        else:
            give_rights(path, rights_of(site.site_file))
    before = [_rights(path) for path in kept]
    site.forget(GONE)
    left = [path if path.exists() else path.with_name("000000000001-0002.lines") for path in kept]
    assert (len(kept), [_rights(path) for path in left]) == (13, before)


def _rights(path: Path) -> object:
    return open_to_all(path) if WINDOWS else stat.S_IMODE(path.stat().st_mode)


def test_the_lock_is_not_read(site: RecordedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows does not let it be read while it is held, and it would be waited for."""
    read = []

    def read_file(path: Path) -> bytes:
        read.append(path.name)
        return path.read_bytes()

    monkeypatch.setattr(traces, "read_file", read_file)
    person = site.person(GONE)
    with site.record():
        assert (site.state / "lock").exists()
        assert [*traces.still_named(person, site.state)]
    assert "lock" not in read
    assert "runs.jsonl" in read


def test_a_file_changed_since_it_was_begun_is_not_erased_by_number(
    site: RecordedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    import seatwarden.engine.runs.erasure as erasure

    monkeypatch.setattr(erasure, "finish_erasure", lambda *args: erasure.FinishedErasure())
    with site.record() as record:
        record.erase(record.traces(site.person(GONE), None), "left")
    monkeypatch.undo()
    path = site.runs[0] / "plan.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(itertools.chain(lines[:5], lines[6:])))
    changed = path.read_bytes()
    with site.record() as record:
        assert [str(path) in problem for problem in record.changed] == [True]
    assert path.read_bytes() == changed
    assert "changed since" in record.changed[0]
