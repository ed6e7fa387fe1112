"""What can become of a guarantee, and whose word that is: all that a record of it needs, without what proves."""

from importlib.util import find_spec
from typing import Literal, TypeAlias

ProofOutcome: TypeAlias = Literal["proved", "refuted", "not decided"]
Z3 = "Z3"
"""The name of the second judge. Our own has none: it is meant where nobody is named."""
EXTRA = "the extra `z3` may decide it: pip install z3-solver"
"""What to do where the second judge is not there."""


def is_installed() -> bool:
    """Whether the second judge can be asked; looking for it does not load it."""
    return find_spec("z3") is not None


def by(judge: str | None) -> str:
    """Whose word it is, to be put behind it: ` (by Z3)`. Of our own search nothing is said."""
    return f" (by {judge})" if judge is not None else ""
