"""What all nodes of a policy tree are."""

from operator import attrgetter
from typing import Any, ClassVar, Self

from msgspec import Struct
from msgspec.structs import replace


class TreeNode(Struct, frozen=True, eq=False):
    """A frozen node. Two are equal, and have the same hash, that say the same, wherever it is written.

    A struct, since nearly every command waits for all of them to be made: thirty dataclasses take 20 ms.
    """

    _parts: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._parts = tuple(name for name in cls.__annotations__ if not name.endswith("span"))
        said = attrgetter(*cls._parts)

        # Functions of each class, which look nothing up: proofs ask for many thousands of hashes.
        def same(one: Any, other: object) -> bool:
            return said(one) == said(other) if type(other) is cls else NotImplemented

        def hashed(one: Any) -> int:
            return hash(said(one))

        cls.__eq__ = same  # type: ignore[method-assign]
        cls.__hash__ = hashed  # type: ignore[assignment]

    def __ne__(self, other: object) -> bool:
        return not self == other  # else that of Struct, which asks for places, too

    def __repr__(self) -> str:
        parts = (f"{name}={getattr(self, name)!r}" for name in self._parts)
        return f"{type(self).__name__}({', '.join(parts)})"

    def but(self, **changes: Any) -> Self:
        """The same node with other parts."""
        return replace(self, **changes)
