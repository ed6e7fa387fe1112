"""When licenses run out: what is counted, what is drawn from it, how often it holds, and what is said."""

import random
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.capacity import DAYS, HORIZON, holds, lived
from seatwarden.engine.history.chance import Unsaid
from seatwarden.engine.history.flows import Flows, flows_of
from seatwarden.engine.history.forecast import forecast, forecast_json, forecast_words
from seatwarden.engine.history.running_out import RunningOut, running_out
from seatwarden.engine.history.store import History
from tests.engine.history.sites import START, at, license_row, snapshot_of, user_row

TODAY = date(2026, 11, 21)


def test_four_forecasts_in_five_hold() -> None:
    """On fewer pools than bench has: the bounds are those of chance."""
    draw = random.Random(3)  # noqa: S311 - repeatable on purpose
    held, said = 0, 0
    for number in range(90):
        pool = lived(draw, DAYS[number % 3])
        found = running_out(pool.arrivals, pool.exits, pool.free, HORIZON, number)
        held += holds(found, pool.truth)
        said += found.late is not None
    assert 0.72 <= held / 90 <= 0.94
    assert said / 90 >= 0.33, "“not within a year” is no forecast"


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(1, 400), st.integers(56, 400), st.integers(30, 400))
def test_what_never_varies_runs_out_on_its_day(rate: int, free: int, days: int, horizon: int) -> None:
    found = running_out([float(rate)] * days, [0.0] * days, free, horizon, 1)
    day = -(-free // rate)
    within = day if day <= horizon else None
    assert found == RunningOut(within, within, within, horizon, min(days, 365))


@pytest.mark.parametrize("days", [56, 59, 90, 118, 365])
def test_the_days_of_the_week_stay_what_they_are(days: int) -> None:
    """All join on the weekday of tomorrow: licenses run out on such a day, never between two."""
    arrivals = [7.0 * (day % 7 == days % 7) for day in range(days)]
    found = running_out(arrivals, [0.0] * days, 20, 365, 1)
    assert (found.early, found.middle, found.late) == (15, 15, 15)


def test_the_same_seed_draws_the_same() -> None:
    pool = lived(random.Random(2), 180)  # noqa: S311 - repeatable on purpose
    one, same, other = (running_out(pool.arrivals, pool.exits, 40, 365, seed) for seed in (1, 1, 2))
    assert one == same
    assert one != other


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 1, 3, 7]))
def test_flows_are_what_came_and_went(tmp_path_factory: pytest.TempPathFactory, seed: int, gap: int) -> None:
    """Day by day against the truth: what seatwarden released, and who was back, stands apart."""
    draw = random.Random(seed)  # noqa: S311 - repeatable on purpose
    holders, number, released = {f"p{n}": f"p{n}" for n in range(12)}, 12, dict[str, int]()
    counts = {"arrivals": 0, "exits": 0, "returned": 0, "released": 0}
    last = 4 * gap
    with History(tmp_path_factory.mktemp("flows") / "history.sqlite", write=True) as history:
        for day in range(0, last + 1, gap):
            users = [user_row(name) for name in holders]
            history.add(snapshot_of(day, users, [_license(name, id_) for name, id_ in holders.items()]), "it")
            if day == last:
                break
            for name in draw.sample(sorted(holders), 3):
                id_ = holders.pop(name)
                if draw.random() < 0.5:
                    released[name] = day
                    history.note_releases([("analyzer", f"l-{id_}", START + timedelta(days=day, hours=1))])
                    counts["released"] += 1
                else:
                    counts["exits"] += 1
            for name in [name for name, since in released.items() if since < day and draw.random() < 0.5]:
                del released[name]
                number += 1
                holders[name] = f"p{number}"
                counts["returned"] += 1
            for _ in range(draw.randrange(3)):
                number += 1
                holders[f"p{number}"] = f"p{number}"
                counts["arrivals"] += 1
        found = flows_of(history)["analyzer"]
    assert {name: round(sum(getattr(found, name)), 6) for name in counts} == counts
    assert [len(getattr(found, name)) for name in counts] == [last] * 4
    assert found.last == (START + timedelta(days=last)).date().toordinal()


def _license(name: str, id_: str) -> dict[str, object]:
    return license_row(name, at(-1), id=f"l-{id_}")


def test_purchases_are_no_flow_and_one_snapshot_a_day_counts(tmp_path: Path) -> None:
    with History(tmp_path / "history.sqlite", write=True) as history:
        for day, total in ((0, 10), (0.2, 10), (1, 500)):
            overview = {"analyzerAccess": {"enabled": True, "total": total, "available": total - 1}}
            history.add(snapshot_of(day, [user_row("a")], [_license("a", "a")], accessTypeOverview=overview), "it")
        found = flows_of(history)["analyzer"]
    assert (found.arrivals, found.exits) == ([0.0], [0.0])
    assert flows_of_nothing(tmp_path) == {}


def flows_of_nothing(folder: Path) -> object:
    with History(folder / "empty.sqlite", write=True) as history:
        return flows_of(history)


# What is said --------------------------------------------------------------------------------------------


def _flows(days: int, rate: float = 1.0, **more: object) -> Flows:
    flat = [0.0] * days
    return Flows(TODAY.toordinal(), [rate] * days, flat, flat, [3 * rate] * days, **more)  # type: ignore[arg-type]


def _said(flows: Flows | None, free: int = 50, horizon: int = 365) -> list[str]:
    return list(forecast_words(forecast(flows, free, TODAY, horizon, "seed")))


def test_two_forecasts_never_one_for_the_other() -> None:
    since = TODAY.toordinal() - 200
    first, second = _said(_flows(365, since=since))
    day = "10 January 2027"
    hold = f"(four such forecasts in five hold: {day} to {day}; from 365 days)"
    assert first == f"Without further releases none is left around {day} {hold}."
    assert second == "With the policy going on they do not run out within a year (from 172 days)."


@pytest.mark.parametrize(
    ("flows", "without", "going_on"),
    [
        (_flows(55), "the history has 55 days, and 56 are the least", "seatwarden has released none yet"),
        (_flows(60), "from 60 days, so roughly", "none yet"),
        (
            _flows(100, since=TODAY.toordinal() - 29),
            "from 100 days",
            "the first release was on 23 October; from 28 days after it on 56 are the least, and there is 1",
        ),
    ],
)
def test_where_the_history_is_short_it_says_so(flows: Flows, without: str, going_on: str) -> None:
    first, second = _said(flows)
    assert without in first
    assert going_on in second


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ((20, 40, None), "none is left around 31 December (four such forecasts in five hold: from 11 December on, or "),
        (
            (20, None, None),
            "they probably do not run out within 60 days (four such forecasts in five hold: from 11 December on, or ",
        ),
        ((None, None, None), "they do not run out within 60 days (from 100 days)"),
    ],
)
def test_an_end_beyond_the_horizon_is_no_day(
    found: tuple[int | None, int | None, int | None], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = RunningOut(*found, 60, 100)
    monkeypatch.setattr("seatwarden.engine.history.forecast.running_out", lambda *_: drawn)
    assert words in _said(_flows(100), horizon=60)[0]


@pytest.mark.parametrize(
    ("flows", "why"),
    [
        (None, "the history has no such license"),
        (Flows(TODAY.toordinal() - 29, [1.0] * 90, [0.0] * 90), "the history ends on 23 October"),
    ],
)
def test_what_holds_for_both_is_said_once(flows: Flows | None, why: str) -> None:
    assert _said(flows) == [f"When none is left is not known: {why}."]


def test_none_left_is_no_forecast() -> None:
    assert _said(_flows(100), free=0) == ["None is left."]


def test_programs_read_days() -> None:
    found = forecast_json(forecast(_flows(70), 50, TODAY, 365, "seed"))
    days = dict.fromkeys(("earliest", "middle", "latest"), "2027-01-10")
    assert found == {
        "free": 50,
        "withoutReleases": {**days, "horizonDays": 365, "fromDays": 70, "rough": True},
        "withPolicy": {"why": "seatwarden has released none yet"},
    }
    assert isinstance(forecast(None, 1, TODAY, 365, "seed").without, Unsaid)
