"""One apply after another: whose journal it is, what was chosen, what is left, and how it ends."""

import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from seatwarden.engine.apply.apply import check_plan, hold_against, only_one
from seatwarden.engine.apply.pending import open_journal
from seatwarden.engine.errors import OverTheLimit, PlanRefused, RemoteError
from seatwarden.engine.log.journal import Journal
from seatwarden.grammar.ast import Limit
from seatwarden.policy.errors import InputError
from seatwarden.policy.guarantees import outcomes, second_judge
from tests.engine.apply.applying import MemoryQrs, Prepared, idle, keys, prepare, without
from tests.engine.support import hand_at
from tests.policy.guarantees.hard import HARD
from tests.strategies import NOW

LAST_DAYS = {1: "2026-02-01", 2: "2026-01-01", 3: "2026-04-01", 4: "2026-03-01"}
"""Of use, by the number of the license: `l2` is unused for longest, then `l1`, `l4`, `l3`."""
FIRST_TWO = (Limit(2, None, longest_unused_first=True),)
FIRST_THREE = (Limit(3, None, longest_unused_first=True),)


def _site() -> dict[str, Any]:
    site = idle(4)
    for row, day in zip(site["licenses"]["analyzer"], LAST_DAYS.values(), strict=True):
        row["lastUsed"] = f"{day}T12:00:00.000Z"
    return site


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    return prepare(tmp_path / "run", _site())


@pytest.fixture
def qrs() -> MemoryQrs:
    return MemoryQrs(_site())


def _stopped() -> threading.Event:
    stop = threading.Event()
    stop.set()
    return stop


def _lines(prepared: Prepared) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in prepared.path.read_bytes().splitlines()]


# Whose journal -------------------------------------------------------------------------------------------


def test_the_journal_of_another_plan_is_refused(tmp_path: Path, prepared: Prepared, qrs: MemoryQrs) -> None:
    """Though it chooses the very same licenses and verifies: what it says was not done for this plan."""
    other = prepare(tmp_path / "other", _site(), planned=NOW - timedelta(hours=1))
    other.apply(MemoryQrs(_site()))
    shutil.copy(other.path, prepared.path)
    copied = prepared.path.read_bytes()
    with pytest.raises(PlanRefused, match="belongs to another plan"):
        prepared.apply(qrs)
    assert (qrs.events, prepared.path.read_bytes()) == ([], copied)


def test_the_first_line_says_whose_it_is(prepared: Prepared, qrs: MemoryQrs) -> None:
    prepared.apply(qrs, limits=FIRST_TWO)
    header = _lines(prepared)[0]
    assert {name: header[name] for name in ("kind", "runId", "planRoot", "site", "limits", "chosen", "at")} == {
        "kind": "apply",
        "runId": prepared.plan.header.run_id,
        "planRoot": prepared.plan.log.root,
        "site": "test",
        "limits": ["2 per run, longest unused first"],
        "chosen": [prepared.plan.line_of[key] for key in keys("l2", "l1")],
        "at": "2026-11-21T02:10:00.000Z",
    }


def test_each_apply_that_goes_on_is_on_record(prepared: Prepared, qrs: MemoryQrs) -> None:
    for minutes in (1, 2, 3):
        prepared.now = NOW + timedelta(minutes=minutes)
        prepared.apply(qrs, stop=_stopped())
    prepared.apply(qrs)
    resumed = [line["at"] for line in _lines(prepared) if line["kind"] == "resume"]
    assert resumed == [f"2026-11-21T02:0{minutes}:00.000Z" for minutes in (2, 3, 3)]
    assert without([line["kind"] for line in _lines(prepared)], "resume") == [
        "apply",
        *["intent", "outcome"] * 4,
        "closed",
        "seal",
    ]


def test_a_torn_first_line_is_cleared_away(prepared: Prepared, qrs: MemoryQrs) -> None:
    prepared.path.write_bytes(b'{"n":1,"kind":"apply","chosen":[["analyzer","l9"]')
    prepared.apply(qrs)
    assert (prepared.journal.sealed, len(qrs.deletes)) == (True, 4)
    assert [line["kind"] for line in _lines(prepared)][:2] == ["apply", "intent"]


def test_a_damaged_journal_is_left_as_it_is(prepared: Prepared, qrs: MemoryQrs) -> None:
    prepared.apply(qrs, stop=_stopped())
    damaged = prepared.path.read_bytes().replace(b'"site":"test"', b'"site":"best"', 1)
    prepared.path.write_bytes(damaged)
    with pytest.raises(PlanRefused, match="is not as it was written: line 1"):
        prepared.apply(qrs)
    assert (qrs.events, prepared.path.read_bytes()) == ([], damaged)


def test_a_journal_that_cannot_be_gone_on_with_is_closed(
    prepared: Prepared, qrs: MemoryQrs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    closed: list[Journal] = []
    close = Journal.close

    def closing(journal: Journal) -> None:
        closed.append(journal)
        close(journal)

    prepared.apply(qrs, stop=_stopped())
    monkeypatch.setattr(Journal, "append", full)
    monkeypatch.setattr(Journal, "close", closing)
    with pytest.raises(OSError, match="No space"):
        open_journal(prepared.pending(), hand_at(lambda: NOW))
    assert len(closed) == 1


def test_what_stands_in_its_place_is_not_written_over(prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has put it there after the torn one was cleared away."""
    monkeypatch.setattr(
        "seatwarden.engine.apply.pending.sync_folder", lambda folder: prepared.path.write_bytes(b"theirs")
    )
    with pytest.raises(FileExistsError):
        open_journal(prepared.pending(), hand_at(lambda: NOW))
    assert prepared.path.read_bytes() == b"theirs"


# The choice ----------------------------------------------------------------------------------------------


def _after_the_header(prepared: Prepared, qrs: MemoryQrs) -> None:
    prepared.apply(qrs, limits=FIRST_TWO, stop=_stopped())


def _after_an_intent(prepared: Prepared, qrs: MemoryQrs) -> None:
    def crash(license_id: str) -> None:
        raise MemoryError

    qrs.on_delete = crash
    with pytest.raises(MemoryError):
        prepared.apply(qrs, limits=FIRST_TWO)


def _after_an_outcome(prepared: Prepared, qrs: MemoryQrs) -> None:
    stop = threading.Event()
    qrs.on_delete = lambda license_id: stop.set()
    prepared.apply(qrs, limits=FIRST_TWO, stop=stop)


def _after_a_failure(prepared: Prepared, qrs: MemoryQrs) -> None:
    qrs.on_delete = lambda license_id: (409, "in use")
    prepared.apply(qrs, limits=FIRST_TWO)


@pytest.mark.parametrize("until", [_after_the_header, _after_an_intent, _after_an_outcome, _after_a_failure])
@pytest.mark.parametrize("limits", [FIRST_THREE, (Limit(1, None, longest_unused_first=True),), (Limit(0, None),)])
def test_the_choice_is_kept(
    prepared: Prepared, qrs: MemoryQrs, until: Callable[[Prepared, MemoryQrs], None], limits: tuple[Limit, ...]
) -> None:
    """From its first whole line on: a license may have been deleted that another choice would not know of."""
    until(prepared, qrs)
    qrs.on_delete = lambda license_id: None
    assert prepared.pending(limits).chosen == keys("l2", "l1")
    assert prepared.apply(qrs, limits=limits).settled
    assert list(dict.fromkeys(qrs.deletes)) == ["l2", "l1"]


@pytest.mark.parametrize("left", [b"", b'{"n":1,"kind":"apply"', b"\0\0\0\n"])
def test_without_a_whole_line_it_is_made_anew(prepared: Prepared, qrs: MemoryQrs, left: bytes) -> None:
    prepared.path.write_bytes(left)
    assert prepared.apply(qrs, limits=FIRST_THREE).settled
    assert qrs.deletes == ["l2", "l1", "l4"], "longest unused first"


def test_over_the_limit_nothing_is_begun(prepared: Prepared, qrs: MemoryQrs) -> None:
    with pytest.raises(OverTheLimit):
        prepared.apply(qrs, limits=(Limit(3, None),))
    assert (qrs.events, prepared.path.exists()) == ([], False)


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        (Limit(4, None), True),
        (Limit(3, None), False),  # one was released, three are left
        (Limit(None, 100), True),
        (Limit(None, 99), False),
        (Limit(None, 0, "professional"), True),
    ],
)
def test_what_is_released_counts_against_a_limit(prepared: Prepared, qrs: MemoryQrs, asked: Limit, holds: bool) -> None:
    stop = threading.Event()
    qrs.on_delete = lambda license_id: stop.set()
    prepared.apply(qrs, stop=stop)
    pending = prepared.pending()
    assert (pending.done, [decision.license_id for decision in pending.left]) == (1, ["l1", "l4", "l3"])
    if holds:
        hold_against(pending, (asked,), {})
    else:
        with pytest.raises(OverTheLimit):
            hold_against(pending, (asked,), {})


def test_with_nothing_left_no_limit_is_in_the_way(prepared: Prepared, qrs: MemoryQrs) -> None:
    prepared.apply(qrs)
    pending = prepared.pending()
    assert pending.left == []
    hold_against(pending, (Limit(0, None),), {})  # which raises where anything is left


# What is left, and the end --------------------------------------------------------------------------------


def test_what_is_settled_is_not_touched_again_and_what_is_not_is(prepared: Prepared, qrs: MemoryQrs) -> None:
    answers: dict[str, tuple[int, str]] = {"l2": (409, "in use"), "l3": (404, "")}
    qrs.on_delete = answers.get
    qrs.site["users"][3]["userDirectory"] = "NEW"  # l4 is skipped
    first = prepared.apply(qrs)
    assert first.counts == {"released": 1, "gone": 1, "skipped": 1, "failed": 1, "unknown": 0}
    assert (first.settled, prepared.journal.sealed, prepared.pending().done) == (False, False, 3)
    qrs.events.clear()
    answers.clear()
    second = prepared.apply(qrs)
    assert qrs.events == ["look l2", "user u2", "DELETE l2"]
    assert [outcome.key for outcome in second.outcomes] == keys("l2")
    assert second.counts == {"released": 2, "gone": 1, "skipped": 1, "failed": 0, "unknown": 0}
    assert (second.settled, prepared.journal.sealed) == (True, True)
    assert _lines(prepared)[-2]["summary"] == second.counts == prepared.pending().counts


def test_what_is_unknown_is_looked_up_again(prepared: Prepared, qrs: MemoryQrs) -> None:
    def works_and_fails(license_id: str) -> tuple[int, str]:
        qrs.remove(license_id)
        return 500, "a defect"

    def blind(license_id: str) -> None:
        if license_id in qrs.deletes:
            raise RemoteError("answered 500")

    qrs.on_delete, qrs.on_look = works_and_fails, blind
    first = prepared.apply(qrs)
    assert (first.counts["unknown"], first.settled) == (4, False)
    assert prepared.pending().attempted == keys("l2", "l1", "l4", "l3")
    qrs.on_look = lambda license_id: None
    qrs.events.clear()
    assert prepared.apply(qrs).counts["released"] == 4
    assert qrs.deletes == []


def test_only_the_whole_choice_is_sealed(prepared: Prepared, qrs: MemoryQrs) -> None:
    """What was not begun is not settled, though nothing has failed."""
    stop = threading.Event()
    qrs.on_delete = lambda license_id: stop.set() if license_id == "l4" else None
    done = prepared.apply(qrs, stop=stop)
    assert (len(done.outcomes), done.settled, prepared.journal.sealed) == (3, False, False)


# Refusals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "refused"),
    [
        (timedelta(), None),
        (timedelta(hours=24), None),
        (timedelta(hours=24, seconds=1), "the plan is 24.0 hours old, more than 24"),
        (timedelta(days=3), "the plan is 72.0 hours old"),
        (-timedelta(minutes=5), None),
        (-timedelta(minutes=5, seconds=1), "in the future"),
    ],
)
def test_the_age_of_a_plan(prepared: Prepared, age: timedelta, refused: str | None) -> None:
    if refused is None:
        check_plan(prepared.plan, "test", timedelta(hours=24), NOW + age)
    else:
        with pytest.raises(PlanRefused, match=refused):
            check_plan(prepared.plan, "test", timedelta(hours=24), NOW + age)


def test_the_site_of_a_plan(prepared: Prepared) -> None:
    with pytest.raises(PlanRefused, match="the plan was made for test, not for other"):
        check_plan(prepared.plan, "other", timedelta(hours=24), NOW)


def test_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes second is refused at once."""

    def wait(seconds: float) -> None:
        raise AssertionError("nobody waits")

    monkeypatch.setattr("time.sleep", wait)
    lock = tmp_path / "locks" / "site"
    for _ in range(2):
        with only_one(lock, "test"), pytest.raises(PlanRefused, match="another apply"), only_one(lock, "test"):
            raise AssertionError
    with pytest.raises(ZeroDivisionError), only_one(lock, "test"):
        raise ZeroDivisionError
    with only_one(lock, "test"):
        pass


def test_a_lock_that_cannot_be_taken(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("a file")
    with pytest.raises(InputError, match="the lock"), only_one(tmp_path / "locks" / "site", "test"):
        raise AssertionError


# Guarantees ----------------------------------------------------------------------------------------------

_PROMISE = 'guarantee "admins" never release when user.roles = "RootAdmin"\n'
_RELEASE = "release analyzer when unused for 30 days\nlimit release to 9 per run\n"


def test_a_plan_whose_policy_breaks_its_guarantee_is_refused(tmp_path: Path) -> None:
    plan = prepare(tmp_path / "run", _site(), _PROMISE + _RELEASE).plan
    assert [one.outcome for one in plan.guarantees] == ["refuted"]
    with pytest.raises(PlanRefused, match='"RootAdmin"` does not hold, for example license'):
        check_plan(plan, "test", timedelta(hours=24), NOW)


def test_guarantees_are_proved_anew(tmp_path: Path) -> None:
    """Whatever the header says: the recorded policy is what was decided by."""
    plan = prepare(tmp_path / "run", _site(), _PROMISE + 'keep when user.roles = "RootAdmin"\n' + _RELEASE).plan
    assert [(one.outcome, one.example) for one in plan.guarantees] == [("proved", "")]
    check_plan(plan, "test", timedelta(hours=24), NOW)
    other = prepare(tmp_path / "other", _site(), _PROMISE + _RELEASE).plan
    said = replace(plan, policy=other.policy)
    with pytest.raises(PlanRefused, match="does not hold"):
        check_plan(said, "test", timedelta(hours=24), NOW)


def test_what_z3_proved_elsewhere_is_refused_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = prepare(tmp_path / "run", _site(), HARD + "limit release to 9 per run\n").plan
    assert [(one.outcome, one.judge) for one in plan.guarantees] == [("proved", "Z3")]
    check_plan(plan, "test", timedelta(hours=24), NOW)
    monkeypatch.setattr(outcomes, "find_spec", lambda _: None)
    with pytest.raises(PlanRefused) as refused:
        check_plan(plan, "test", timedelta(hours=24), NOW)
    assert str(refused.value).endswith(
        "was proved by Z3, which is not installed here; the extra `z3` may decide it: pip install z3-solver, or make a "
        "new plan on this machine"
    )
    monkeypatch.undo()
    monkeypatch.setattr(second_judge, "facts_against", lambda *_: None)
    with pytest.raises(PlanRefused, match="was proved by Z3, which is another version here, or make a new plan"):
        check_plan(plan, "test", timedelta(hours=24), NOW)
