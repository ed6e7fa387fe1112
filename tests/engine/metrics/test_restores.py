"""The point of a restore."""

from datetime import UTC, datetime

from seatwarden.engine.metrics.point import line
from seatwarden.engine.metrics.restores import restore_point

AT = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


def test_its_line() -> None:
    point = restore_point("https://qlik:4242", {"restored": 3, "held": 1}, 2, "seal 1", (("env", "PROD"),), AT)
    assert line(point) == (
        "seatwarden_restore,env=PROD,site=https://qlik:4242 "
        'failed=0,held=1,regretted=2,restored=3,seal="seal 1",skipped=0,unknown=0 1796029200000'
    )
