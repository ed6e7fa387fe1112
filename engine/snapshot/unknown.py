"""What is not known, and why."""

import msgspec
from msgspec import Struct


class Unknown(Struct, frozen=True, gc=False):
    """A fact that is absent or unreadable; `reason` says which and why. The decision log has it as `unknown`."""

    reason: str = msgspec.field(name="unknown")
