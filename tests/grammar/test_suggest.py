import pytest

from seatwarden.grammar.suggest import did_you_mean

KNOWN = ("user.userDirectory", "user.roles", "inactive", "releaseThresholdDays")


@pytest.mark.parametrize(
    ("word", "help_"),
    [
        ("user.directory", "did you mean `user.userDirectory`?"),
        ("USER.ROLES", "did you mean `user.roles`?"),
        ("inactiv", "did you mean `inactive`?"),
        ("releaseTresholdDays", "did you mean `releaseThresholdDays`?"),
        ("zzz", None),
        ("", None),
    ],
)
def test_did_you_mean(word: str, help_: str | None) -> None:
    assert did_you_mean(word, KNOWN) == help_
    assert did_you_mean(word, ()) is None
