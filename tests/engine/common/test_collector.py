"""The garbage collector: off within, as before behind, and what was made meanwhile counts as old."""

import gc
from collections.abc import Iterator

import pytest

from seatwarden.engine.common.collector import collector_off


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Whatever a test does, the next one has its collector."""
    was_on = gc.isenabled()
    yield
    (gc.enable if was_on else gc.disable)()


class Circle:
    """An object that refers to itself."""

    def __init__(self) -> None:
        self.itself = self


def test_it_is_off_within_and_on_behind() -> None:
    gc.enable()
    with collector_off():
        assert not gc.isenabled()
        with collector_off():
            assert not gc.isenabled()
        assert not gc.isenabled(), "the inner one has not switched it on"
    assert gc.isenabled()
    gc.disable()
    with collector_off():
        pass
    assert not gc.isenabled(), "who had it off keeps it off"


def test_it_is_on_behind_an_error() -> None:
    gc.enable()
    with pytest.raises(ZeroDivisionError), collector_off():
        1 / 0  # noqa: B018
    assert gc.isenabled()


def test_what_was_made_within_is_not_looked_at_as_new() -> None:
    came: list[int] = []

    def seen(phase: str, info: dict[str, int]) -> None:
        if phase == "stop":
            came.append(info["generation"])

    gc.enable()
    gc.collect()
    gc.callbacks.append(seen)
    try:
        with collector_off():
            kept = [[n] for n in range(3 * gc.get_threshold()[0])]
        more = [[n] for n in range(10)]
    finally:
        gc.callbacks.remove(seen)
    assert (came, len(kept), len(more)) == ([], 3 * gc.get_threshold()[0], 10)


def test_circles_made_within_are_still_found() -> None:
    gc.enable()
    with collector_off():
        Circle()
    assert gc.get_freeze_count() == 0, "nothing is kept from the collector for good"
    assert any(type(one) is Circle for one in gc.get_objects())
    gc.collect()
    assert not any(type(one) is Circle for one in gc.get_objects())
