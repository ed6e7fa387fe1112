"""What a site file says of the history: whether runs keep what they saw, for how long, and how the site allocates."""

from dataclasses import dataclass

from seatwarden.policy.errors import InputError
from seatwarden.policy.yaml.kinds import SWITCH, between, map_of
from seatwarden.policy.yaml.settings import Section, Setting

KEEP_DAYS = (31, 36_500)
"""The least and the most days for which a history can keep snapshots."""


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """Whether runs keep what they saw, for how many days, and whether who logs in again is given a license again."""

    keep: bool = True
    keep_days: int = 800
    reallocates: bool = False


_PLAIN = HistorySettings()
_HISTORY = Section(
    (
        Setting("keep", SWITCH, "each run keeps what it saw in `history.sqlite`; never with `pseudonyms`", _PLAIN.keep),
        Setting("keepDays", between(*KEEP_DAYS, "days"), "for how long", _PLAIN.keep_days),
        Setting(
            "reallocates",
            SWITCH,
            "a license rule gives who logs in a license again, so that who comes back after a release is seen",
            _PLAIN.reallocates,
        ),
    )
)
HISTORY = map_of(_HISTORY, lambda values: HistorySettings(values["keep"], values["keepDays"], values["reallocates"]))


def check_keep_days(days: int, name: str) -> int:
    """The days, where the site file could have them, too. Raises InputError, which calls them by `name`."""
    least, most = KEEP_DAYS
    if not least <= days <= most:
        raise InputError(f"`{name}` is from {least} to {most:,}", f"{days:,} is out of range, as in the site file")
    return days
