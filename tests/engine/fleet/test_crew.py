"""The crew: how many work at once, what becomes of a site that hangs, breaks or takes its process with it."""

import os
import threading
import time
from collections.abc import Callable
from functools import partial

import pytest

from seatwarden.engine.fleet import crew as crew_module
from seatwarden.engine.fleet.crew import Crew

BOTH = pytest.mark.parametrize("processes", [0, 2])


def _lost(name: str, why: str) -> str:
    return f"{name}: {why}"


def _begin() -> None:
    os.environ["FLEET_BEGAN"] = "yes"


def _answer(stop: threading.Event, text: str) -> str:
    return text


def _break(stop: threading.Event) -> str:
    raise ZeroDivisionError


def _die(stop: threading.Event) -> str:
    os._exit(3)


def _hang(stop: threading.Event) -> str:
    time.sleep(60)
    return "late"


def _wait_for_stop(stop: threading.Event) -> str:
    return "stopped" if stop.wait(30) else "not stopped"


def _where(stop: threading.Event) -> str:
    return f"{os.getpid()} {os.environ.get('FLEET_BEGAN')}"


def _do(crew: Crew[str], deadline: float = 30, **steps: Callable[[threading.Event], str]) -> dict[str, str]:
    return dict(crew.do(steps, deadline, threading.Event()))


@BOTH
def test_each_site_has_one_answer_and_a_defect_stays_its_own(processes: int) -> None:
    with Crew(3, _begin, _lost, processes=processes) as crew:
        found = _do(crew, a=partial(_answer, text="well"), b=_break, c=partial(_answer, text="well, too"))
        assert found == {"a": "well", "b": "b: a defect of seatwarden: ZeroDivisionError", "c": "well, too"}
        assert _do(crew, b=partial(_answer, text="again")) == {"b": "again"}


def test_few_sites_are_done_by_this_process_and_many_by_two_others() -> None:
    with Crew(2, _begin, _lost) as crew:
        assert _do(crew, a=_where)["a"].split()[0] == str(os.getpid())
    with Crew(9, _begin, _lost) as crew:
        found = dict(crew.do({f"s{n}": _where for n in range(9)}, 30, threading.Event()))
    processes = {text.split()[0] for text in found.values()}
    assert len(processes) == 2
    assert str(os.getpid()) not in processes
    assert {text.split()[1] for text in found.values()} == {"yes"}


def test_a_process_that_dies_takes_no_other_site_with_it() -> None:
    with Crew(9, _begin, _lost, processes=2, places=2) as crew:
        steps = {f"s{n}": partial(_answer, text="well") for n in range(8)}
        found = dict(crew.do({**steps, "d": _die}, 30, threading.Event()))
    assert found.pop("d") == "d: its process has ended unexpectedly"
    assert set(found.values()) == {"well"}


@BOTH
def test_who_is_late_is_asked_to_stop_and_given_up_if_that_is_in_vain(
    processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew_module, "GRACE_SECONDS", 5)
    monkeypatch.setattr(crew_module, "_LAST_SECONDS", 0.1)
    began = time.monotonic()
    with Crew(3, _begin, _lost, processes=processes) as crew:
        _do(crew, a=partial(_answer, text="up"), b=partial(_answer, text="up"))  # processes take a while to start
        found = _do(crew, 0.5, a=_wait_for_stop, b=_hang, c=partial(_answer, text="well"))
    assert found == {"a": "stopped", "b": "b: no end within 0.5 seconds", "c": "well"}
    assert time.monotonic() - began < 30  # the hanging one sleeps for a minute


@BOTH
def test_asked_to_stop_no_site_is_begun_and_those_under_way_end(processes: int) -> None:
    stop = threading.Event()
    found: dict[str, str] = {}
    with Crew(20, _begin, _lost, processes=processes, places=2) as crew:
        steps = {f"s{n}": partial(_answer, text="first") if n == 0 else _wait_for_stop for n in range(6)}
        for name, answer in crew.do(steps, 30, stop):
            found[name] = answer
            stop.set()
    assert found.pop("s0") == "first"
    assert sorted(set(found.values()) - {"stopped"}) == [
        f"{name}: asked to stop before it was begun" for name, answer in sorted(found.items()) if answer != "stopped"
    ]
    assert 1 <= sum(answer == "stopped" for answer in found.values()) <= 3


@pytest.mark.parametrize(("places", "fast"), [(16, True), (8, False)])
def test_sixteen_wait_at_once(places: int, fast: bool) -> None:
    """Sixteen that each wait until all have begun: with eight places they never would."""
    meeting = threading.Barrier(16)
    _meetings.append(meeting)
    try:
        with Crew(16, _begin, _lost, processes=0, places=places) as crew:
            steps = {f"s{n:02}": partial(_meet, seconds=10 if fast else 0.5) for n in range(16)}
            found = dict(crew.do(steps, 20, threading.Event()))
    finally:
        _meetings.clear()
    assert set(found.values()) == {"met" if fast else "alone"}


_meetings: list[threading.Barrier] = []


def _meet(stop: threading.Event, seconds: float) -> str:
    try:
        _meetings[0].wait(seconds)
    except threading.BrokenBarrierError:
        return "alone"
    return "met"
