"""What is counted of releases, and how two policies differ."""

from seatwarden.engine.analysis.backtest import Backtested, PastRelease
from seatwarden.engine.analysis.regret import RegretDifference, difference, followed_people, released, rows_of
from seatwarden.engine.analysis.thresholds import Variant
from seatwarden.grammar.ast import LicenseType
from seatwarden.policy.loading import check_text


def _release(person: str, day: int, back: int | None, *, backlog: bool = False, until: int = 100) -> PastRelease:
    return PastRelease(person, "analyzer", "", day, backlog, day - 30, until, back)


def test_counts_people_repeats_and_seat_days() -> None:
    found = released([_release("ada", 1, 5, until=5), _release("ada", 40, None), _release("bo", 2, 30, until=31)], 100)
    assert (found.releases, found.people, found.repeats, found.seat_days) == (3, 2, 1, 4 + 60 + 29)
    assert [(one.followed, one.back) for one in found.back] == [(3, 1), (3, 2), (2, 2)]


def test_who_is_followed_too_short_counts_neither_way() -> None:
    (seven, *_) = released([_release("ada", 95, 96), _release("bo", 50, None)], 100).back
    assert (seven.followed, seven.back, seven.share) == (1, 0, 0.0)
    assert released([_release("ada", 95, 96)], 100).back[0].share is None


def test_one_who_comes_back_each_time_widens_the_interval() -> None:
    many = released([_release(f"p{n}", 1, 3 if n < 20 else None) for n in range(40)], 100).back[0]
    few = released([_release(f"p{n % 4}", 1, 3 if n % 4 < 2 else None) for n in range(40)], 100).back[0]
    assert many.share == few.share == 0.5
    assert (few.high or 0) - (few.low or 0) > 2 * ((many.high or 0) - (many.low or 0))


def test_rows_have_the_backlog_apart_and_each_group() -> None:
    releases = [_release("ada", 1, None, backlog=True), _release("bo", 9, None)]
    releases[1].group = "Sales"
    variant = Variant(check_text("release when unused for 30 days", "p.policy"), "analyzer", 30)
    rows = rows_of("p", variant, Backtested(releases, 100), ["professional", "analyzer"])
    assert [(row.group, row.backlog.releases, row.later.releases) for row in rows] == [("", 1, 1), ("Sales", 0, 1)]
    assert {(row.file, row.threshold, row.license_type) for row in rows} == {("p.policy", 30, "analyzer")}


def _difference(kind: LicenseType, first: Backtested, other: Backtested) -> RegretDifference | None:
    return difference(("a", "b"), kind, followed_people(first, kind), followed_people(other, kind))


def test_a_difference_of_the_same_people_is_seen_where_their_numbers_alone_show_none() -> None:
    first = Backtested([_release(f"p{n}", 1, 3 if n < 30 else None) for n in range(60)], 100)
    same = Backtested([_release(f"p{n}", 1, 3 if n < 30 else None) for n in range(60)], 100)
    fewer = Backtested([_release(f"p{n}", 1, 3 if n < 22 else None) for n in range(60)], 100)
    none = _difference("analyzer", first, same)
    assert none is not None
    assert (none.points, none.shown) == (0, False)
    some = _difference("analyzer", first, fewer)
    assert some is not None
    assert some.shown
    assert some.low < some.points < some.high < 0
    assert _difference("analyzer", first, fewer) == some
    assert _difference("professional", first, fewer) is None


def test_a_difference_is_of_what_was_released_later() -> None:
    """The policy of whose backlog nobody came back differs in nothing that it costs from then on."""
    later = [_release(f"p{n}", 20, 23 if n < 30 else None) for n in range(60)]
    backlog = [_release(f"b{n}", 1, None, backlog=True) for n in range(60)]
    found = _difference("analyzer", Backtested(later, 100), Backtested(later + backlog, 100))
    assert found is not None
    assert (found.points, found.shown) == (0, False)
    assert _difference("analyzer", Backtested(later, 100), Backtested(backlog, 100)) is None
