"""The check of limits: no two about one thing, and none that counts nothing."""

from collections.abc import Iterator

from seatwarden.grammar.ast import AnyLimit, Limit, Reserve
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.operators import MAX_SHIFT


def check_limits(limits: tuple[AnyLimit, ...]) -> Iterator[Diagnostic]:
    """SW108 a limit set twice, SW004 a limit over no time or over centuries."""
    first: dict[tuple[object, ...], AnyLimit] = {}
    for limit in limits:
        about = _about(limit)
        if about in first:
            related = ((first[about].span, "first here"),)
            message, help_ = "the same limit is set twice", "remove one of them"
            yield Diagnostic("SW108", "error", message, limit.span, "here again", help_, related)
        first.setdefault(about, limit)
        over = limit.over if isinstance(limit, Limit) else None
        if over is not None and not 0 < over.days <= MAX_SHIFT:
            message = f"a limit over {over.days:,} days counts nothing"
            yield Diagnostic("SW004", "error", message, over.span, f"1 to {MAX_SHIFT:,} days", "write `per 7 days`")


def _about(limit: AnyLimit) -> tuple[object, ...]:
    if isinstance(limit, Reserve):
        return (limit.license_type,)
    return limit.license_type, limit.percent is None, limit.over.days if limit.over else None
