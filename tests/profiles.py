"""How long hypothesis searches: a profile for every occasion, and shares of it for tests that cost more than others.

`pytest --hypothesis-profile=thorough` searches for long, before a release; `make test` and CI's first round for a
moment. CI then runs the properties again under `longer`.
"""

from hypothesis import Phase, settings

ORDINARY = 20
"""Examples of a property in an ordinary run; CI has more than three times as many in one of its own."""

PROFILES = {
    "seatwarden": settings(deadline=None, max_examples=ORDINARY),
    "ci": settings(deadline=None, max_examples=ORDINARY, derandomize=True),
    "longer": settings(deadline=None, max_examples=70, derandomize=True),
    # Under Wine all takes longer, and what a search finds it finds elsewhere: here it is about the system.
    "windows": settings(deadline=None, max_examples=4, derandomize=True),
    "thorough": settings(deadline=None, max_examples=2000),
    # A mutant is noticed by the first example that fails: which is the smallest one, nobody asks.
    "mutants": settings(
        deadline=None, max_examples=ORDINARY, derandomize=True, phases=(Phase.explicit, Phase.generate)
    ),
}


def register() -> None:
    """Make the profiles known to hypothesis."""
    for name, profile in PROFILES.items():
        settings.register_profile(name, profile)


def examples(ordinary: int) -> settings:
    """The settings of a test with that many examples in an ordinary run; under longer profiles it has more, too."""
    return settings(max_examples=max(1, ordinary * settings().max_examples // ORDINARY))
