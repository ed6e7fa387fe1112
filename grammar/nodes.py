"""What all nodes of a policy tree are."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, ClassVar, Self

from msgspec import Struct
from msgspec.structs import replace


class TreeNode(Struct, frozen=True, eq=False):
    """A frozen node. Two are equal, and have the same hash, that say the same, wherever it is written.

    A struct, since nearly every command waits for all of them to be made: thirty dataclasses take 20 ms.
    """

    _parts: ClassVar[tuple[str, ...]]
    _said: ClassVar[Callable[[Any], object]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._parts = tuple(name for name in cls.__annotations__ if not name.endswith("span"))
        cls._said = attrgetter(*cls._parts)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        said = type(self)._said
        return said(self) == said(other)

    def __ne__(self, other: object) -> bool:
        return not self == other  # else that of Struct, which asks for places, too

    def __hash__(self) -> int:
        return hash(type(self)._said(self))

    def __repr__(self) -> str:
        parts = (f"{name}={getattr(self, name)!r}" for name in self._parts)
        return f"{type(self).__name__}({', '.join(parts)})"

    def but(self, **changes: Any) -> Self:
        """The same node with other parts."""
        return replace(self, **changes)
