"""What the page's server answers: a status, a page with its security policy, and headers beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PageReply:
    """An answer. Without a security policy it has no content; after one that is the `last` the server ends."""

    status: int
    content: bytes = b""
    security: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    last: bool = False
