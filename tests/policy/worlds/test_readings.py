"""Worlds in which texts are read as dates or numbers: a world shows texts that do, or says that it proves nothing."""

import pytest

from seatwarden.engine.decide.reference import evaluate
from seatwarden.grammar.parser import in_file, parse_condition
from seatwarden.policy.worlds.search import Space
from seatwarden.policy.worlds.translate import translate
from seatwarden.policy.worlds.world import World


def _world(written: str) -> World | None:
    asked = translate(parse_condition(written, in_file("p")), {})
    return Space([asked]).world(asked)


@pytest.mark.parametrize(
    "written",
    [
        "date(user.@End) < today",
        "date(user.@End) >= today + 2 weeks and not unused for 1 day",
        "user.@End is not empty and not date(user.@End) >= today",
        "date(user.@End) = [2026-12-24, 2026-12-31] and not date(user.@End) = 2026-12-24",
        "date(user.@End) < 2026-01-01 and date(user.@End) > 2027-01-01",
        'date(user.@End) < 2026-01-01 and user.@End != "2025-12-31"',
        "license.unusedDays >= number(user.@Keep)",
        "unused for 30 days and not license.unusedDays > number(user.@Keep) and user.@Keep is not empty",
        "number(user.@Keep) != 3 and user.@Keep is not empty",
        "date(user.name) - 3 days = user.createdDate and not user.inactive",
        "date(user.@End) > license.lastUsed and not never used",
        "2026-06-01 < date(user.attributes.until)",
        "license.available < 20 and not license.available < 10",
        "license.total > 500 and license.available = 0",
        "license.available < license.total and license.total = 3",
        "license.available > number(user.@Few) and license.available < 9",
    ],
)
def test_a_world_has_texts_that_are_read(written: str) -> None:
    world = _world(written)
    assert world is not None
    assert not world.is_wild
    assert evaluate(parse_condition(written, in_file("p")), world, {}).truth is True


@pytest.mark.parametrize(
    "written",
    [
        "date(user.@End) > today and number(user.@End) = 3",
        "date(user.@End) < date(user.@Begin)",
    ],
)
def test_where_no_text_is_found_a_world_proves_nothing(written: str) -> None:
    world = _world(written)
    assert world is not None
    assert world.is_wild


@pytest.mark.parametrize(
    "written",
    [
        "date(user.@End) < today and user.@End is empty",
        "license.unusedDays > number(user.@Keep) and not unused for 1 day",
        "date(user.@End) > license.lastUsed and never used",
        "date(user.@End) < 2026-01-01 and not date(user.@End) < 2026-01-01",
        "date(user.@End) < 2026-01-01 and not date(user.@End) < 2027-01-01",
        "date(user.@End) > today and not date(user.@End) >= today + 1 day",
        "date(user.@End) + 3 days < license.createdDate and not date(user.@End) < license.createdDate",
        "date(user.@End) < 1900-01-01",
        "number(user.@Keep) < 5 and not number(user.@Keep) <= 4",
        "not 7 > number(user.@Keep) and number(user.@Keep) < 3",
        "license.available < 10 and not license.available < 20",
        "license.available > 3 and license.available < 4",
        "license.available = 3 and license.available = 4",
        "license.available < license.total and license.available >= license.total",
    ],
)
def test_what_cannot_be(written: str) -> None:
    assert _world(written) is None
