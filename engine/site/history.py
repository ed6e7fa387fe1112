"""What a site file says of the history: whether runs keep what they saw, for how long, and how the site allocates."""

from dataclasses import dataclass

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
