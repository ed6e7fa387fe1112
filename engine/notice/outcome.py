"""What came of one message: apart from the way it went, which takes a while to import."""

from dataclasses import dataclass
from typing import Literal

DeliveryResult = Literal["accepted", "refused", "no-answer"]


@dataclass(frozen=True, slots=True)
class MessageOutcome:
    """What came of one message, and what was said of it, on one line and without a secret."""

    result: DeliveryResult
    reply: str
