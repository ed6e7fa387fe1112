"""The curve: where its points, bands and bars stand, and what they say."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from seatwarden.engine.analysis.hindsight_words import within
from seatwarden.engine.analysis.regret import BacktestRow
from seatwarden.engine.analysis.thresholds import variants_of
from seatwarden.engine.report.backtest.curve import BOTTOM, LOOKS, RIGHT, Curve, curve_of
from seatwarden.engine.report.backtest.interval import whisker
from seatwarden.grammar.ast import LICENSE_TYPES
from seatwarden.policy.loading import check_text
from tests.engine.report.backtest.backtests import POLICY, hindsight, releases, thresholds

_FOUND = thresholds()
_ROWS = [row for row in _FOUND.rows if row.license_type == "analyzer" and not row.group]


def _curve(rows: list[BacktestRow]) -> Curve:
    found = curve_of(rows, _FOUND.chances, [30], 365)
    assert found is not None
    return found


def test_points_stand_as_high_as_their_shares_and_within_their_bands() -> None:
    curve = _curve(_ROWS)
    assert [line.label for line in curve.later] == ["in 90 days", "in 30 days", "in 7 days"]
    top = max(mark.value for mark in curve.shares)
    for line in curve.later:
        backs = [within(row.later.back, int(line.label.split()[1])) for row in _ROWS]
        wanted = [back for back in backs if back.followed]
        band = [tuple(map(float, point.split(","))) for point in line.band.split()]
        highs, lows = band[: len(wanted)], band[: len(wanted) - 1 : -1]
        for point, back, high, low in zip(line.points, wanted, highs, lows, strict=True):
            assert point.y == pytest.approx(BOTTOM - 150 * 100 * (back.share or 0) / top, abs=0.01)
            assert high[0] == low[0] == point.x <= RIGHT
            assert high[1] <= point.y <= low[1]
            assert f"{100 * (back.share or 0):.0f} % (" in point.words
    assert len(curve.chance[0].points) == sum(one.share is not None for one in _FOUND.chances)


def test_bars_are_seats_on_an_average_day_and_names_stand_apart() -> None:
    curve = _curve(_ROWS)
    most = max(mark.value for mark in curve.seats)
    for bar, row in zip(curve.bars, _ROWS, strict=True):
        assert bar.backlog_height + bar.later_height == pytest.approx(150 * row.all.seat_days / 365 / most, abs=0.02)
        assert bar.lift + bar.later_height <= 150 + 2
    for lines in (curve.later, curve.backlog):
        ats = [line.label_at for line in lines]
        assert all(after - before >= 15 for before, after in pairwise(ats))
        assert max(ats) <= BOTTOM + 4
    assert [mark.value for mark in curve.own] == [30]
    assert {14, 30, 180} <= {mark.value for mark in curve.days} < {row.threshold for row in _ROWS}


def test_one_threshold_makes_no_curve() -> None:
    assert curve_of(_ROWS[:1], [], [30], 365) is None
    assert curve_of([structs.replace(row, threshold=None) for row in _ROWS], [], [30], 365) is None


def test_of_several_policies_there_is_a_line_each_and_the_rest_is_counted() -> None:
    variants = variants_of({f"p{n}": check_text(POLICY, f"p{n}.policy") for n in range(6)}, {"analyzer": (30, 90)})
    found = hindsight(variants, {name: releases(one.days or 30, LICENSE_TYPES) for name, one in variants.items()})
    curve = curve_of([row for row in found.rows if not row.group], found.chances, [], 365)
    assert curve is not None
    assert sorted(line.label for line in curve.later) == ["p0", "p1", "p2", "p3"]
    assert {line.look for line in curve.later} == set(LOOKS)
    assert curve.names == tuple(zip(LOOKS, ("p0", "p1", "p2", "p3"), strict=True))
    assert curve.not_drawn == 2
    bars = sorted((bar.x, bar.width) for bar in curve.bars)
    assert len(bars) == 8
    assert all(x + width <= after for (x, width), (after, _) in pairwise(bars)), "no bar stands on another"


@given(st.floats(-100, 100), st.floats(0, 50), st.floats(0, 50))
def test_a_whisker_has_its_dot_between_its_ends(value: float, below: float, above: float) -> None:
    found = whisker(value, value - below, value + above, -100, 100)
    assert 5 <= found.low <= found.dot <= found.high <= 115
    assert found.zero == 60


def test_its_numbers_are_short() -> None:
    curve = _curve(_ROWS)
    text = " ".join(f"{line.line} {line.band}" for line in (*curve.later, *curve.backlog, *curve.chance))
    assert not re.search(r"\.\d{3}", text)
