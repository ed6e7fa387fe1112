"""The exact reasoning against brute force: the reference evaluator over generated facts, and over all facts of a
small world."""

from itertools import chain, combinations, product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seatwarden.engine.decide.reference import evaluate
from seatwarden.grammar.ast import And, Comparison, Condition, Field, Not, read_in
from seatwarden.grammar.parser import in_file, parse_condition
from seatwarden.grammar.printer import print_condition
from seatwarden.policy.operators import FLIPPED
from seatwarden.policy.vocabulary import VOCABULARY, Type
from seatwarden.policy.worlds.formula import Flag, Formula, literals, negate
from seatwarden.policy.worlds.search import Space, Undecided
from seatwarden.policy.worlds.translate import translate
from tests.profiles import examples
from tests.strategies import conditions
from tests.world_strategies import KnownFacts, known_facts


def formula(text: str) -> Formula:
    return translate(parse_condition(text, in_file("test")), {})


def possible(*texts: str) -> bool | None:
    formulas = [formula(text) for text in texts]
    return Space(formulas).possible(*formulas)


def implies(one: str, other: str) -> bool | None:
    formulas = formula(one), formula(other)
    return Space(formulas).implies(*formulas)


# Against the evaluator -----------------------------------------------------------------------------------


@given(st.lists(conditions(), min_size=1, max_size=3), st.lists(known_facts(), min_size=1, max_size=3))
def test_what_is_true_of_facts_is_not_called_impossible(parts: list[Condition], several: list[KnownFacts]) -> None:
    """No false alarm: facts exist, so a world must be found."""
    for facts in several:
        true = [part if evaluate(part, facts, {}).truth else Not(part) for part in parts]
        formulas = [translate(part, {}) for part in true]
        assert Space(formulas).possible(*formulas) is not False, [print_condition(part) for part in true]


@given(conditions(), conditions())
def test_a_world_satisfies_its_condition(one: Condition, other: Condition) -> None:
    """No world is made up: the evaluator agrees with every world that is found."""
    condition = And((one, other))
    wanted = translate(condition, {})
    assume(not _has_guess(wanted))
    for asked, truth in ((wanted, True), (negate(wanted), False)):
        world = Space([asked]).world(asked)
        # For what is read as a date a text may not be found: then the world says so.
        made_up = world is not None and _has_reading(wanted) and world.is_wild
        assert world is None or made_up or evaluate(condition, world, {}).truth is truth


@examples(17)
@given(st.lists(known_facts(), min_size=2, max_size=4), conditions(), conditions())
def test_an_implication_holds_for_all_facts(several: list[KnownFacts], one: Condition, other: Condition) -> None:
    formulas = translate(one, {}), translate(other, {})
    if Space(formulas).implies(*formulas):
        assert all(evaluate(other, facts, {}).truth for facts in several if evaluate(one, facts, {}).truth)


_DATES = [name for name, entry in VOCABULARY.items() if entry.type is Type.DATE]
_DAYS = [name for name, entry in VOCABULARY.items() if name.endswith(".unusedDays")]


@given(known_facts())
def test_each_two_fields_of_days_compare_as_facts_do(facts: KnownFacts) -> None:
    """All there are: a draw rarely has the one pair that is translated wrongly."""
    for names in (_DATES, _DAYS):
        for one, other, operator in product(names, names, FLIPPED):
            condition = Comparison(operator, Field(one), Field(other))
            true = condition if evaluate(condition, facts, {}).truth else Not(condition)
            asked = translate(true, {})
            assert Space([asked]).possible(asked), print_condition(true)


def _has_guess(asked: Formula) -> bool:
    """Whether the formula compares two open texts, which a world only guesses."""
    return any(
        isinstance(part, Flag) and isinstance(part.subject, Comparison) and not _reads(part.subject)
        for part in literals(asked)
    )


def _has_reading(asked: Formula) -> bool:
    return any(
        isinstance(part, Flag) and isinstance(part.subject, Comparison) and _reads(part.subject)
        for part in literals(asked)
    )


def _reads(comparison: Comparison) -> bool:
    return any(read_in(side) is not None for side in (comparison.left, comparison.right))


# All facts of a small world ------------------------------------------------------------------------------

_SMALL = (
    'user.userDirectory = "a"', 'user.userDirectory == "A"', 'user.userDirectory = ["a", "b"]',
    'user.userDirectory like "*"', 'user.userDirectory like "a*"', 'user.tags = "x"', 'user.tags == "X"',
    'user.tags != ["x", "y"]', 'user.tags like "x*"', "user.inactive", "user.inactive = user.blocked",
    'user = "A\\i"', 'user.userId = "i"', "unused for 2 days", "license.unusedDays <= 1", "license.unusedDays = 3",
    "never used", "license.lastUsed = 2026-01-02", 'user.licenses = "professional"', 'license.type = "analyzer"',
)  # fmt: skip
_TODAY = "2026-01-04"


def _small_world() -> list[KnownFacts]:
    from datetime import date, timedelta

    today = date.fromisoformat(_TODAY)
    tags = ("x", "X", "y", "xx", "other")
    several = list(chain.from_iterable(combinations(tags, size) for size in range(3)))
    found = []
    for directory, user_id, own_tags in product(("a", "A", "b", "ab", "other"), ("i", "j"), several):
        for ago, never, both, own, flags in product(range(5), (0, 1), (0, 1), (0, 1), range(4)):
            if (ago + len(own_tags) + flags) % 4:  # thinned: every pair of values still comes up
                continue
            types = ("analyzer", "professional")
            used = today - timedelta(days=ago)
            found.append(
                KnownFacts(
                    {
                        "user": (f"{directory}\\{user_id}",),
                        "user.userDirectory": (directory,),
                        "user.userId": (user_id,),
                        "user.tags": own_tags,
                        "user.inactive": (bool(flags & 1),),
                        "user.blocked": (bool(flags & 2),),
                        "user.licenses": types if both else (types[own],),
                        "license.type": (types[own],),
                        "license.neverUsed": (bool(never),),
                        "license.lastUsed": () if never else (used,),
                        "license.createdDate": (used,),
                        "license.unusedDays": (ago,),
                    }
                )
            )
    return found


def test_pairs_of_conditions_are_possible_exactly_where_facts_exist() -> None:
    """Both ways: what the search finds, brute force finds, and the other way round."""
    parsed = [parse_condition(text, in_file("test")) for text in _SMALL]
    formulas = [translate(condition, {}) for condition in parsed]
    given_ = formula(f"today = {_TODAY}"), formula("license.unusedDays >= 0"), formula("license.unusedDays < 5")
    space = Space([*formulas, *given_])
    met = {tuple(bool(evaluate(c, facts, {}).truth) for c in parsed) for facts in _small_world()}
    for size in (1, 2):
        for chosen in combinations(range(len(parsed)), size):
            for truths in product((True, False), repeat=size):
                asked = [formulas[n] if truth else negate(formulas[n]) for n, truth in zip(chosen, truths, strict=True)]
                exists = any(all(row[n] == truth for n, truth in zip(chosen, truths, strict=True)) for row in met)
                words = [f"{truth}: {_SMALL[n]}" for n, truth in zip(chosen, truths, strict=True)]
                assert space.possible(*given_, *asked) is exists, words


# One by one ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "texts",
    [
        ['user.userDirectory = "A"', 'user.userDirectory = "B"'],
        ['user.userDirectory = "A"', 'not user.userDirectory = ["a", "c"]'],
        ['user.userDirectory == "A"', 'user.userDirectory == "a"'],
        ['user.tags = "x"', 'user.tags != ["X", "y"]'],
        ['user = "ADMIN\\jdoe"', 'user.userDirectory = "CORP"'],
        ['user like "ADMIN\\*"', 'not user.userDirectory like "admin*"'],
        ['user.userId like "sa_*"', 'user.userId = "jdoe"'],
        ['user.userId like "a*"', 'user.userId like "*b"', 'not user.userId like "a*b"', 'user.userId != "ab"'],
        ['user.userId like "*"', 'user.userId != user.userId'],
        ['user.userId = "30"', 'user.userId !== "30"'],
        ["unused for 30 days", "license.unusedDays < 30"],
        ["unused for 5 weeks", "not unused for 35 days"],
        ["never used", "license.lastUsed > 2026-01-01"],
        ["unused for 30 days", "license.lastUsed >= today"],
        ["unused for 30 days", "not never used", "license.lastUsed = 2026-07-01", "today < 2026-07-30"],
        ["month = 2", "today > 2026-03-01", "today < 2027-02-01"],
        ['weekday = "monday"', "today = 2026-01-06"],
        ["month = 7", "not month = [6, 7]"],
        ["user.licenses != license.type"],
        ['license.type = "analyzer"', 'user.licenses != "analyzer"'],
        ['user.licenses != ["analyzer", "professional"]'],
        ["user.inactive", "user.inactive != true"],
        ["user.inactive = user.blocked", "user.inactive", "not user.blocked"],
        ["user.tags = []"],
        ["license.unusedDays > 999999999"],
        ['user.name = user.userId', 'user.userId != user.name'],
    ],
)  # fmt: skip
def test_impossible(texts: list[str]) -> None:
    assert possible(*texts) is False


@pytest.mark.parametrize(
    "texts",
    [
        ['user.tags = "x"', 'user.tags = "y"', 'user.tags != "z"'],
        ['user.tags == "x"', 'user.tags == "X"'],
        ['user.userId = "abc"', 'user.userId !== "abc"'],
        ['user.userId like "a*"', 'user.userId like "*b"', 'user.userId != "ab"'],
        ['user like "*\\x*"', 'user.userId = "xy"', 'user.userDirectory = "D\\x"'],
        ['user = "A\\B\\c"', 'user.userDirectory = "A"', 'user.userId = "b\\C"'],
        ["unused for 30 days", "license.createdDate > today", "not never used"],
        ["month = 2", "today > 2026-03-01"],
        ['license.type = "analyzer"', 'user.licenses = "professional"'],
        ["user.name = user.userId", 'user.name = "x"'],
    ],
)
def test_possible(texts: list[str]) -> None:
    assert possible(*texts) is True


def test_implications() -> None:
    assert implies('user.userDirectory == "A"', 'user.userDirectory = "a"')
    assert not implies('user.userDirectory = "A"', 'user.userDirectory == "A"')
    assert implies('user.userId like "sa_*"', 'user.userId like "*_*"')
    assert implies('user = ["A\\x", "a\\y"]', 'user.userDirectory = "A"')
    assert implies("unused for 9 weeks", "unused for 60 days")
    assert implies('license.type = "analyzer"', 'user.licenses = "analyzer"')


def test_the_smallest_world_is_small() -> None:
    asked = formula('(user.tags = "a" and user.tags = "b" and user.inactive) or user.roles = "r"')
    world = min(Space([asked]).worlds(asked), key=lambda world: world.size)
    assert world.size == 2  # the role, and the license that everyone has


def test_past_its_bound_the_search_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = formula('(user.tags = "a" or user.roles = "b") and (user.tags != "a" or user.inactive) and user.blocked')
    space = Space([asked], steps=30)
    assert space.possible(asked) is None
    assert space.implies(asked, asked) is None
    with pytest.raises(Undecided):
        space.world(asked)


@examples(7)
@given(st.integers(2, 40))
def test_too_many_patterns_are_no_false_alarm(count: int) -> None:
    """A dozen patterns of that kind have more combinations than are looked at: then anything may match."""
    parts = [f'user.userId like "*{chr(97 + n % 26)}{n}*"' for n in range(count)]
    assert possible(*parts) is True
