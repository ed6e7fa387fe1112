"""How the lines of a plan with pseudonyms hide in each other, counted."""

from msgspec import Struct

from seatwarden.engine.common.text import plural


class ClassCounts(Struct, frozen=True, rename="camel"):
    """How the lines of a plan with pseudonyms hide in each other.

    `classes` say the same, `smallest` is the size of the smallest, `one_verdict` counts the groups of licenses with the
    same facts that have one verdict: of whoever is known to be in one of them the verdict is known, too. `withheld`
    lines say no facts, `alone` are those of which fewer than `k` say as little. `snapshot_per_mille` is the share of
    lines whose person is guessed right by somebody who has the snapshot of that time and the policy: one a class.
    """

    k: int
    classes: int
    smallest: int
    one_verdict: int
    withheld: int
    alone: int = 0
    snapshot_per_mille: int = 0

    @property
    def sentence(self) -> str:
        """The same for people."""
        classes = "1 class" if self.classes == 1 else f"{self.classes:,} classes"
        told = f"{classes} of licenses that say the same, the smallest of {self.smallest:,}"
        told += f" (k is {self.k}); {self.one_verdict} with one verdict"
        if self.withheld:
            told += f"; {plural(self.withheld, 'license')} of smaller classes without facts"
        told += f", {self.alone} of them alone with type and verdict" if self.alone else ""
        return f"{told}; who has the snapshot finds the person of {self.snapshot_per_mille / 1000:.1%} of the lines"
