"""The modes of a plan: whether it can ever be applied."""

from datetime import timedelta
from typing import Literal, TypeAlias

Mode: TypeAlias = Literal["live", "dry run", "what-if"]
"""`what-if`: made from a file, or for another moment than its own. It is never applied. A dry run may be, later."""
LIVE: Mode = "live"
DRY_RUN: Mode = "dry run"
WHAT_IF: Mode = "what-if"

MAX_AGE_HOURS = 24
"""A plan that is older is not applied, unless somebody says so."""

OTHER_MOMENT = timedelta(hours=1)
"""From how far on the moment that is decided for is another one than now."""
