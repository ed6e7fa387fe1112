"""What a backtest has found, in sentences."""

from seatwarden.engine.analysis.backtest import Backtested, PastRelease
from seatwarden.engine.analysis.hindsight_words import average_seats, difference_words, row_words
from seatwarden.engine.analysis.regret import BacktestRow, RegretDifference, rows_of
from seatwarden.engine.analysis.thresholds import Variant
from seatwarden.policy.loading import check_text

_VARIANT = Variant(check_text("release when unused for 30 days", "p.policy"))


def _row(later: int, back: int, backlog: int = 0, people: int = 10**9) -> BacktestRow:
    """A policy that released so many; of those later so many were back after a week, of the first day nobody."""
    found = [
        PastRelease(
            f"p{n % people}", "analyzer", "", 10, False, None, 17 if n < back else 110, 17 if n < back else None
        )
        for n in range(later)
    ]
    found += [PastRelease(f"b{n}", "analyzer", "", 1, True, None, 101) for n in range(backlog)]
    return rows_of("p", _VARIANT, Backtested(found, 100), ["analyzer"])[0]


def test_later_and_backlog_are_told_apart() -> None:
    assert row_words(_row(50, 20, backlog=40), 100) == (
        "p: 40 analyzer licenses would have been released on the first day, 50 later; on an average day 71 seats "
        "would have been free by that. Of 100 released later, 40 were used again within 30 days (28 to 54; 50 could be "
        "followed for so long). Of 100 released on the first day, 0 were used again within 30 days (0 to 9; 40 could "
        "be followed for so long)."
    )


def test_of_few_their_number_is_told_and_no_share() -> None:
    said = row_words(_row(3, 1, people=2), 100)
    assert "3 later of 2 people;" in said
    assert said.endswith("Of the 3 released later that could be followed for 30 days, 1 was used again by then.")
    assert row_words(_row(0, 0), 100) == "p: no analyzer license would have been released."


def test_a_difference_is_told_or_that_none_is_shown() -> None:
    less = RegretDifference("analyzer 60 days", "analyzer 30 days", "analyzer", -4.5, -6.25, -2.0, True)
    assert difference_words(less) == (
        "analyzer 60 days against analyzer 30 days, released later: 4.5 points fewer are back within 30 "
        "days (2.0 to 6.2)."
    )
    none = RegretDifference("b", "a", "analyzer", 1.0, -2.0, 3.0, False)
    assert difference_words(none) == (
        "b against a, analyzer, released later: no difference shown in who is back within 30 days (-2.0 to +3.0)."
    )


def test_seats_on_an_average_day() -> None:
    assert [average_seats(days, 100) for days in (0, 44, 999, 1_000, 120_449)] == ["0.0", "0.4", "10.0", "10", "1,204"]
