"""Decides by a written policy which Qlik Sense access licenses are released after disuse, and proves why.

What `__all__` lists is the public face, described with examples in docs/api.md; all else may change any day. Names are
imported when they are first asked for, so that `import seatwarden` costs nothing.

There is no function that releases: to delete licenses is up to the command `seatwarden apply`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seatwarden.api import (
        decide_all,
        explain,
        format_policy,
        lint,
        load_policy,
        load_snapshot,
        make_plan,
        parse_policy,
        read_plan,
        replay,
        verify_log,
        write_plan,
    )
    from seatwarden.engine.decide.decision import Decision
    from seatwarden.engine.errors import DamagedLog
    from seatwarden.engine.explain.explanation import Explanation
    from seatwarden.engine.log.reader import RecordedPlan
    from seatwarden.engine.plan.plan import Plan
    from seatwarden.engine.snapshot.model import Snapshot
    from seatwarden.engine.version import VERSION as __version__  # noqa: N811 - the name that Python asks for
    from seatwarden.grammar.errors import PolicySyntaxError, SeatwardenError
    from seatwarden.policy.diagnostics import Diagnostic
    from seatwarden.policy.errors import InputError, PolicyError
    from seatwarden.policy.loading import CheckedPolicy

__all__ = [
    "CheckedPolicy",
    "DamagedLog",
    "Decision",
    "Diagnostic",
    "Explanation",
    "InputError",
    "Plan",
    "PolicyError",
    "PolicySyntaxError",
    "RecordedPlan",
    "SeatwardenError",
    "Snapshot",
    "__version__",
    "decide_all",
    "explain",
    "format_policy",
    "lint",
    "load_policy",
    "load_snapshot",
    "make_plan",
    "parse_policy",
    "read_plan",
    "replay",
    "verify_log",
    "write_plan",
]

_ROOMS = {
    "engine.decide.decision": ("Decision",),
    "engine.errors": ("DamagedLog",),
    "engine.explain.explanation": ("Explanation",),
    "engine.log.reader": ("RecordedPlan",),
    "engine.plan.plan": ("Plan",),
    "engine.snapshot.model": ("Snapshot",),
    "grammar.errors": ("PolicySyntaxError", "SeatwardenError"),
    "policy.diagnostics": ("Diagnostic",),
    "policy.errors": ("InputError", "PolicyError"),
    "policy.loading": ("CheckedPolicy",),
}
"""Where the types stand; the functions are those of `api`."""
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        found: Any = import_module("seatwarden.engine.version").VERSION
    elif name in __all__:
        found = getattr(import_module(f"seatwarden.{_ROOM_OF.get(name, 'api')}"), name)
    else:
        raise AttributeError(f"module 'seatwarden' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
