"""A defect of ours, for the log of what goes on all the same: whole, but without secrets."""

import traceback
from typing import Any

from seatwarden.engine.site.settings import Settings
from seatwarden.policy.yaml.secrets import conceal


def describe_defect(error: Exception, settings: Settings) -> dict[str, Any]:
    """The error and its traceback; libraries write what they were given into the texts of their errors."""
    trace = "".join(traceback.format_exception(error))
    return {"error": conceal(repr(error), settings.secrets), "traceback": conceal(trace, settings.secrets)}
