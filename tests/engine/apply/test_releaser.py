"""What a DELETE came to: every answer to it, and what QRS shows when it is asked afterwards."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pytest

from seatwarden.engine.apply.one_by_one import OneByOne
from seatwarden.engine.apply.pending import open_journal
from seatwarden.engine.apply.releaser import ATTEMPTS, Release
from seatwarden.engine.errors import NoAnswer, NotAuthorized, RemoteError
from seatwarden.engine.log.reader import RecordedPlan
from seatwarden.engine.qrs.client import QrsClient
from seatwarden.engine.simulator.server import Fault, SimulatedQrs
from seatwarden.engine.snapshot.model import License
from seatwarden.engine.snapshot.reader import decode_license
from tests.engine.apply.applying import LONG_AGO, MemoryQrs, Prepared, idle, prepare
from tests.engine.service.sites import settings_of, write_site
from tests.engine.support import hand_at, license_row
from tests.strategies import NOW, as_json

ANSWERS: dict[str, tuple[int, str] | RemoteError] = {
    "200": (200, "{}"),
    "204": (204, ""),
    "400": (400, "no"),
    "404": (404, "Not found"),
    "409": (409, "in use"),
    "429": (429, "busy"),
    "500": (500, "a defect"),
    "503": (503, "busy"),
    "reset": NoAnswer("connection reset"),
    "time-out": NoAnswer("timed out"),
    "other": RemoteError("what came is no HTTP"),
    "redirect": NotAuthorized("redirects to a login page"),
    "401": NotAuthorized("refused us (401)"),
    "403": NotAuthorized("refused us (403)"),
}
LOOKS: dict[str, License | bool | RemoteError] = {
    "gone": False,
    "quarantined": decode_license(as_json(license_row(1, LONG_AGO, quarantined=True)), "license"),
    "listed": decode_license(as_json(license_row(1, LONG_AGO)), "license"),
    "odd": decode_license(as_json(license_row(1, LONG_AGO, quarantined=None)), "license"),
    "broken": RemoteError("answered 500"),
    "silent": NoAnswer("timed out"),
    "refused": NotAuthorized("refused us (403)"),
}
"""What the site shows after the DELETE; `odd` does not say whether the license is in quarantine."""

# One row an answer, one column what the site shows then (`LOOKS`); one cell where nobody needs to look. `!` ends the
# run, `again` sends the DELETE once more. 404 and the last attempt have rows of their own.
TABLE = """
200       released
204       released
400       failed
409       failed
429       failed
500       released  released     failed  failed  unknown  unknown  unknown!
503       released  released     failed  failed  unknown  unknown  unknown!
other     released  released     failed  failed  unknown  unknown  unknown!
reset     released  released     again   again   unknown  unknown  unknown!
time-out  released  released     again   again   unknown  unknown  unknown!
redirect  failed!
401       failed!
403       failed!
"""
FIRST, LATER = "404       gone\n", "404       released\n"
"""404 says that somebody else was first, unless a DELETE was sent before whose answer nobody saw."""

Step: TypeAlias = tuple[str, str]
"""An answer, and what the site shows afterwards."""


def _rows(table: str) -> dict[Step, str]:
    rows = [line.split() for line in table.splitlines() if line]
    whole = [(answer, cells * len(LOOKS) if len(cells) == 1 else cells) for answer, *cells in rows]
    return {(answer, look): cell for answer, cells in whole for look, cell in zip(LOOKS, cells, strict=True)}


def _ways(attempt: int = 1) -> Iterator[tuple[tuple[Step, ...], str]]:
    """Every way that the attempts can go, with the result."""
    rows = _rows(TABLE + (FIRST if attempt == 1 else LATER))
    for step in product(ANSWERS, LOOKS):
        if rows[step] != "again":
            yield (step,), rows[step]
        elif attempt == ATTEMPTS:
            yield (step,), "failed"
        elif attempt == 1 or step == ("reset", "listed"):  # the third attempt after one way of the second: 100 cases
            for steps, result in _ways(attempt + 1):
                yield (step, *steps), result


WAYS = list(_ways())


def test_the_table_is_whole() -> None:
    """Each pair of answers is there, with each look after each of them."""
    assert ATTEMPTS == 3
    assert {steps[0] for steps, _ in WAYS} == set(product(ANSWERS, LOOKS))
    again = list(product(("reset", "time-out"), ("listed", "odd")))
    for first in again:
        seconds = {steps[1] for steps, _ in WAYS if steps[0] == first}
        assert seconds >= set(product(ANSWERS, LOOKS)) - set(again)
    assert {result for _, result in WAYS} == {"released", "gone", "failed", "failed!", "unknown", "unknown!"}


@pytest.fixture
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here hangs on the disk; the flushes of some hundred journals would take a minute."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> RecordedPlan:
    """The plan for two licenses."""
    return prepare(tmp_path_factory.mktemp("two"), idle(2)).plan


@pytest.mark.usefixtures("quick_disk")
@pytest.mark.parametrize("first", list(product(ANSWERS, LOOKS)), ids="-".join)
def test_what_a_delete_came_to(tmp_path: Path, two: RecordedPlan, first: Step) -> None:
    for number, (steps, expected) in enumerate(WAYS):
        if steps[0] == first:
            folder = tmp_path / str(number)
            folder.mkdir()
            _try(Prepared(folder, two, NOW), steps, expected)


def _try(prepared: Prepared, steps: tuple[Step, ...], expected: str) -> None:
    """The first of two licenses goes this way; the second is released, unless QRS does not accept us."""
    answers = iter([ANSWERS[answer] for answer, _ in steps])
    looks = iter([LOOKS[look] for _, look in steps])

    def on_delete(license_id: str) -> tuple[int, str] | None:
        return _told(next(answers)) if license_id == "l1" else None

    def on_look(license_id: str) -> License | bool | None:
        return _told(next(looks)) if license_id == "l1" and qrs.deletes else None

    qrs = MemoryQrs(idle(2), on_delete, on_look)
    done = prepared.apply(qrs)
    ends = expected.endswith("!")
    journal = prepared.journal
    assert journal.results["l1"] == expected.rstrip("!"), steps
    assert qrs.deletes == ["l1"] * len(steps) + ["l2"] * (not ends), steps
    assert ("l2" in journal.results, "look l2" in qrs.events, done.refused) == (not ends, not ends, ends), steps
    assert journal.intents["l1"] == 1
    assert journal.sealed == done.settled == (not ends and journal.results["l1"] in ("released", "gone")), steps
    assert [outcome.result for outcome in prepared.told] == list(journal.results.values())


def _told(answer: Any) -> Any:
    if isinstance(answer, RemoteError):
        raise answer
    return answer


def test_what_qrs_answered_is_on_record(tmp_path: Path) -> None:
    site = idle(3)
    answers = {"l1": (409, "in use"), "l2": (404, ""), "l3": None}
    prepared = prepare(tmp_path, site)
    prepared.apply(MemoryQrs(site, answers.__getitem__))
    lines = [msgspec.json.decode(line) for line in prepared.path.read_bytes().splitlines()]
    outcomes = [line["person"] for line in lines if line["kind"] == "outcome"]
    said = {line["licenseId"]: (line["status"], line["body"]) for line in outcomes}
    assert said == {"l1": (409, "in use"), "l2": (404, None), "l3": (204, None)}


def test_three_times_no_answer_in_words(tmp_path: Path) -> None:
    def silent(license_id: str) -> None:
        raise NoAnswer("timed out")

    site = idle()
    prepared, qrs = prepare(tmp_path, site), MemoryQrs(site, silent)
    prepared.apply(qrs)
    assert qrs.deletes == ["l1"] * 3
    assert prepared.journal.details["l1"] == "3 times no answer to the DELETE; QRS still lists the license"


# Licenses whose DELETE an earlier run sent ---------------------------------------------------------------


def _left_open(folder: Path, licenses: int = 1) -> tuple[Any, dict[str, Any]]:
    """A plan whose apply broke off when its first DELETE was sent."""

    def crash(license_id: str) -> None:
        raise MemoryError

    site = idle(licenses)
    prepared = prepare(folder, site)
    with pytest.raises(MemoryError):
        prepared.apply(MemoryQrs(site, crash))
    assert prepared.journal.intents["l1"] == 1
    assert "l1" not in prepared.journal.results
    return prepared, site


@pytest.mark.parametrize("withdrawn", [None, "the policy has changed"])
@pytest.mark.parametrize(
    ("look", "result", "refused"),
    [
        ("gone", "released", False),
        ("quarantined", "released", False),
        ("broken", "unknown", False),
        ("silent", "unknown", False),
        ("refused", "unknown", True),
    ],
)
def test_a_delete_of_an_earlier_run_is_looked_up(
    tmp_path: Path, look: str, result: str, refused: bool, withdrawn: str | None
) -> None:
    prepared, site = _left_open(tmp_path)
    qrs = MemoryQrs(site, on_look=lambda license_id: _told(LOOKS[look]))
    done = prepared.apply(qrs, withdrawn=withdrawn)
    assert (prepared.journal.results["l1"], qrs.events, done.refused) == (result, ["look l1"], refused)
    assert prepared.journal.sealed is (result == "released")
    if result == "unknown":  # it is not forgotten that a DELETE was sent
        assert prepared.apply(MemoryQrs(site, on_look=lambda license_id: False), withdrawn=withdrawn).settled
        assert prepared.journal.results["l1"] == "released"


def test_what_is_listed_after_all_is_tried_again(tmp_path: Path) -> None:
    prepared, site = _left_open(tmp_path)
    qrs = MemoryQrs(site)
    assert prepared.apply(qrs).settled
    assert (qrs.deletes, prepared.journal.intents["l1"], prepared.journal.results["l1"]) == (["l1"], 2, "released")


def test_gone_between_the_look_and_the_second_delete(tmp_path: Path) -> None:
    """The DELETE of the earlier run took its time: it is the one that has released the license."""
    prepared, site = _left_open(tmp_path)
    prepared.apply(MemoryQrs(site, lambda license_id: (404, "Not found")))
    assert prepared.journal.results["l1"] == "released"


def test_after_its_plan_was_withdrawn_nothing_is_tried_again(tmp_path: Path) -> None:
    """Neither what an earlier run tried nor what it did not come to; the latter is not even looked at."""
    prepared, site = _left_open(tmp_path, licenses=3)
    qrs = MemoryQrs(site)
    assert prepared.apply(qrs, withdrawn="the policy has changed").settled
    journal = prepared.journal
    assert (qrs.deletes, set(journal.results.values()), journal.sealed) == ([], {"skipped"}, True)
    assert journal.details["l1"] == "not tried again: the policy has changed"
    assert journal.details["l2"] == journal.details["l3"] == "not begun: the policy has changed"
    assert {"look l2", "look l3"}.isdisjoint(qrs.events)


@pytest.mark.parametrize("failure", [RemoteError("answered 500"), NoAnswer("timed out"), NotAuthorized("refused us")])
@pytest.mark.parametrize("call", ["license", "user"])
def test_what_cannot_be_read_again_is_not_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: RemoteError, call: str
) -> None:
    site = idle(2)
    prepared, qrs = prepare(tmp_path, site), MemoryQrs(site)
    whole = getattr(qrs, call)

    def failing(*asked: Any) -> Any:
        if "1" in asked[-1]:
            raise failure
        return whole(*asked)

    monkeypatch.setattr(qrs, call, failing)
    done = prepared.apply(qrs)
    refused = isinstance(failure, NotAuthorized)
    assert (prepared.journal.results["l1"], "l1" in prepared.journal.intents) == ("failed", False)
    assert (qrs.deletes, done.refused) == ([] if refused else ["l2"], refused)
    assert done.reached is (call == "user" or not refused)


# Whoever says stop ---------------------------------------------------------------------------------------


def test_once_stop_is_set_no_further_license_is_begun(tmp_path: Path) -> None:
    site, stop = idle(4), threading.Event()
    prepared = prepare(tmp_path, site)

    def on_delete(license_id: str) -> None:
        if license_id == "l2":
            stop.set()

    qrs = MemoryQrs(site, on_delete)
    done = prepared.apply(qrs, stop=stop)
    assert (qrs.deletes, done.settled, done.refused) == (["l1", "l2"], False, False)
    assert prepared.journal.results == {"l1": "released", "l2": "released"}, "what is under way is finished"
    assert not prepared.journal.sealed
    assert prepared.apply(qrs).counts == {"released": 4, "gone": 0, "skipped": 0, "failed": 0, "unknown": 0}


def test_with_several_under_way_a_refusal_begins_no_other(tmp_path: Path) -> None:
    site, both = idle(6), threading.Barrier(2)
    prepared = prepare(tmp_path, site)

    def on_delete(license_id: str) -> None:
        both.wait(5)
        if license_id == "l1":
            raise NotAuthorized("refused us")
        _wait_until(lambda: apply.refused)

    pending, qrs = prepared.pending(), MemoryQrs(site, on_delete)
    journal = open_journal(pending, hand_at(lambda: NOW))
    release = Release(pending.plan, qrs, pseudonyms=None, clock=lambda: NOW)
    apply = OneByOne(lambda key: release, journal, attempted=(), clock=lambda: NOW, progress=prepared.told.append)
    outcomes = apply.run(pending.chosen, parallel=2)
    journal.close()
    assert sorted(qrs.deletes) == ["l1", "l2"]
    assert [(outcome.key[1], outcome.result) for outcome in outcomes] == [("l1", "failed"), ("l2", "released")]


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.001)


def test_a_defect_begins_no_other(tmp_path: Path) -> None:
    """It is told when its turn has come; the licenses behind it are not begun until then."""
    site, defect = idle(6), threading.Event()

    def on_look(license_id: str) -> None:
        if license_id == "l1":
            defect.wait(5)
            time.sleep(0.2)
        if license_id == "l2":
            defect.set()
            raise ZeroDivisionError("a defect")

    prepared, qrs = prepare(tmp_path, site), MemoryQrs(site, on_look=on_look)
    with pytest.raises(ZeroDivisionError):
        prepared.apply(qrs, parallel=2)
    assert qrs.deletes == ["l1"]


def test_an_interrupt_between_two_outcomes_begins_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = idle(6)

    class Interrupted(ThreadPoolExecutor):
        """Ctrl-C comes when the first outcome has been taken, before the next is waited for."""

        def map(self, *given: Any, **options: Any) -> Iterator[Any]:
            outcomes = super().map(*given, **options)
            yield next(outcomes)
            under_way.wait(5)
            raise KeyboardInterrupt(outcomes)

        def shutdown(self, *given: Any, **options: Any) -> None:
            ending.set()
            super().shutdown(*given, **options)

    under_way, ending = threading.Event(), threading.Event()

    def on_delete(license_id: str) -> None:
        if license_id == "l2":
            under_way.set()
            ending.wait(5)

    monkeypatch.setattr("seatwarden.engine.apply.one_by_one.ThreadPoolExecutor", Interrupted)
    prepared, qrs = prepare(tmp_path, site), MemoryQrs(site, on_delete)
    with pytest.raises(KeyboardInterrupt):
        prepared.apply(qrs)
    assert qrs.deletes == ["l1", "l2"], "what is under way is finished"
    monkeypatch.undo()
    assert prepared.apply(qrs).settled
    assert sorted(qrs.deletes) == ["l1", "l2", "l3", "l4", "l5", "l6"]


# The same against the real simulated site ----------------------------------------------------------------


@pytest.mark.usefixtures("quick_disk")
@pytest.mark.parametrize(
    ("faults", "result", "sent"),
    [
        ([], "released", 1),
        ([Fault("status", "DELETE", "l-00", status=409)], "failed", 1),
        ([Fault("status", "DELETE", "l-00", status=429, times=2)], "released", 3),
        ([Fault("status", "DELETE", "l-00", status=500)], "failed", 1),
        ([Fault("status", "DELETE", "l-00", status=404)], "gone", 1),
        ([Fault("reset", "DELETE", "l-00", times=1)], "released", 2),
        ([Fault("reset", "DELETE", "l-00", times=1), Fault("status", "DELETE", "l-00", status=404)], "released", 2),
        ([Fault("reset", "DELETE", "l-00")], "failed", 3),
        ([Fault("reset_after", "DELETE", "l-00")], "released", 1),
        ([Fault("delay", "DELETE", "l-00", seconds=0.5)], "released", 1),
        ([Fault("redirect", "DELETE", "l-00")], "failed!", 1),
        ([Fault("html", "DELETE", "l-00")], "failed!", 1),
        ([Fault("status", "DELETE", "l-00", status=401)], "failed!", 1),
        ([Fault("status", "DELETE", "l-00", status=403)], "failed!", 1),
    ],
)
def test_the_simulated_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, idle_qrs: SimulatedQrs, faults: list[Fault], result: str, sent: int
) -> None:
    monkeypatch.setattr("urllib3.util.retry.Retry.sleep", lambda *args: None)
    monkeypatch.setattr("seatwarden.engine.qrs.client.TIMEOUT_SECONDS", (5, 0.2))
    with idle_qrs.site_lock() as site:
        site["licenses"]["analyzer"][2:] = []
        prepared = prepare(tmp_path / "run", site, planned=NOW.replace(year=2030))
    idle_qrs.faults += map(replace, faults)  # a fault counts down how often it strikes
    with QrsClient(settings_of(write_site(tmp_path, idle_qrs.port)).site, NOW) as client:
        done = prepared.apply(client)
    ends = result.endswith("!")
    assert (prepared.journal.results["l-00"], done.refused) == (result.rstrip("!"), ends)
    requests = [path for method, path in idle_qrs.requests if method == "DELETE"]
    assert [sum(f"l-0{n}" in path for path in requests) for n in (0, 1)] == [sent, int(not ends)]


def test_a_license_that_went_into_quarantine(tmp_path: Path) -> None:
    """The answer is lost, and QRS still lists the license: in quarantine, which is as good as gone."""
    site = idle()
    site["licenses"]["analyzer"][0]["lastUsed"] = "2026-11-20T12:00:00.000Z"
    prepared = prepare(tmp_path / "run", site, "release analyzer when unused for 1 days\nlimit release to 9 per run\n")
    with SimulatedQrs(site, now=NOW) as qrs:
        qrs.faults.append(Fault("reset_after", "DELETE"))
        with QrsClient(settings_of(write_site(tmp_path, qrs.port)).site, NOW) as client:
            prepared.apply(client)
        with qrs.site_lock() as left:
            assert left["licenses"]["analyzer"][0]["quarantined"] is True
    assert (prepared.journal.results["l1"], len(qrs.deleted)) == ("released", 1)
