"""Downgrades searched as a state space, over the code that runs on real sites: whatever happens between any two steps,
nobody ends with no license who had one, and nothing is sent twice without a look.

What happens: the process is killed, an answer is lost, a request comes late, somebody logs in, the pool is emptied.
Both answers to each thing that only a real site tells are tried. By default a part of the space is looked at, spread
over all of it; the marker `long` looks at more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path
from random import Random

import pytest

from seatwarden.engine.log.run_folder import JOURNAL_FILE
from seatwarden.engine.log.verify import verify_record
from seatwarden.engine.simulator.repository import Allocations
from tests.engine.runs.exchanging import DOWNGRADE, ExchangingSite
from tests.engine.runs.recorded import NO_PAGES

POLICIES = {
    "alone": DOWNGRADE,
    "never used": f"{DOWNGRADE}release analyzer when never used regardless of use\n",
    "released later": f"{DOWNGRADE}release professional, analyzer when unused for 90 days\n",
}
SITES = [Allocations(second, empty) for second in ("refused", "doubled") for empty in ("refused", "excess")]
NIGHTS = 3
MOST_STEPS, MOST_SENT = 48, 5
ARRIVALS = (None, 1, 2, 3, 5, 8, 13, 21)


@dataclass(frozen=True)
class Story:
    """What happens when: before which step, or to which of the requests that change something. What is late arrives so
    many steps later, or in the end (None)."""

    events: tuple[tuple[int, str], ...]
    arrives: int | None
    policy: str
    allocations: Allocations
    back: bool = False
    """Whether the license is given back after the first night."""

    def __str__(self) -> str:
        told = "-".join(f"{what}@{step}" for step, what in self.events)
        return (
            f"{told}+{self.arrives}/{self.policy}/{self.allocations.second}/{self.allocations.empty_pool}/{self.back}"
        )


def play(folder: Path, story: Story) -> ExchangingSite:
    """Lets it happen; after each step it is checked that the person has a license."""
    site = ExchangingSite(folder, policy=POLICIES[story.policy], allocations=story.allocations)
    happens = {}
    for step, what in story.events:
        if what == "lost":
            site.lose |= {step}
        elif what == "late":
            site.delay |= {step}
        else:
            happens[step] = _DONE[what]
    site.steps, site.arrives = happens, story.arrives
    site.on_step = lambda: _nobody_without(site)
    for night in range(NIGHTS):
        site.night()
        if story.back and night == 0 and site.runs:
            site.try_to_give_back(site.runs[0])
        site.sleep()
    site.arrive()
    _nobody_without(site)
    site.night()  # what is left open is brought to its end, or said
    _nobody_without(site)
    return site


_DONE = {
    "killed": ExchangingSite.kill,
    "log in": ExchangingSite.log_in,
    "pool emptied": ExchangingSite.empty_pool,
}


def _nobody_without(site: ExchangingSite) -> None:
    # What is under way may arrive at any moment: it must leave the person a license, too.
    held = site.held()
    under_way = {path.rsplit("/", 1)[-1] for method, path, _ in site.late if method == "DELETE"}
    user = site.content["users"][0]["id"]
    staying = [
        row
        for rows in site.content["licenses"].values()
        for row in rows
        if row["user"]["id"] == user and not row["quarantined"] and row["id"] not in under_way
    ]
    assert sum(held.values()) >= 1
    assert staying, "what is under way would take the last license"


def _events() -> list[tuple[int, str]]:
    """Everything that can happen, and when."""
    found = [(n, what) for what in ("killed", "log in", "pool emptied") for n in range(MOST_STEPS)]
    return [*found, *((n, what) for what in ("lost", "late") for n in range(MOST_SENT))]


def stories(depth: int) -> Iterator[Story]:
    """All of them with so many things that happen."""
    for events in combinations(_events(), depth):
        for arrives in ARRIVALS if any(what == "late" for _, what in events) else (None,):
            for policy, allocations, back in product(POLICIES, SITES, (False, True)):
                yield Story(events, arrives, policy, allocations, back)


def some_stories(count: int, depth: int) -> list[Story]:
    """So many of them, drawn from all by a seed of their own: the same ones everywhere."""
    return Random(depth).sample(list(stories(depth)), count)  # noqa: S311 - no secret


def _check(folder: Path, story: Story) -> None:
    site = play(folder, story)
    assert site.posted_twice == 0
    # Where QRS doubles, each POST that arrives late makes one more, and the person is left with all of them.
    assert site.held()["professional"] <= 1
    assert site.held()["analyzer"] <= (site.posted if story.allocations.second == "doubled" else 1)
    # A plan that was on the disk when the process was killed, and not yet in the register, has a number of its own.
    faults = [fault for fault in verify_record(site.state, NO_PAGES).faults if fault.path.name == JOURNAL_FILE]
    assert faults == []


@pytest.mark.parametrize("story", some_stories(40, 1), ids=str)
def test_one_thing_happens(tmp_path: Path, story: Story) -> None:
    _check(tmp_path, story)


@pytest.mark.long
@pytest.mark.parametrize("story", some_stories(500, 1)[40:], ids=str)
def test_one_thing_happens_anywhere(tmp_path: Path, story: Story) -> None:
    _check(tmp_path, story)


@pytest.mark.long
@pytest.mark.parametrize("story", some_stories(500, 2), ids=str)
def test_two_things_happen(tmp_path: Path, story: Story) -> None:
    _check(tmp_path, story)
