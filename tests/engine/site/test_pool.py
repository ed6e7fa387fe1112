"""`licensePool` of a site file beside a policy that downgrades: in a pool nobody is."""

from pathlib import Path

import pytest

from seatwarden.policy.errors import PolicyError
from tests.engine.service.sites import settings_of, write_site

DOWNGRADE = "downgrade professional when unused for 60 days\n"


@pytest.mark.parametrize("written", ["emea", "{name: emea}"])
def test_a_site_of_a_pool_downgrades_nobody(tmp_path: Path, written: str) -> None:
    site = write_site(tmp_path, 4242, policy=DOWNGRADE, ours=f"licensePool: {written}")
    with pytest.raises(PolicyError, match="not done where sites share their licenses") as refused:
        settings_of(site, scheduled=False)
    (found,) = refused.value.diagnostics
    assert (found.code, found.span.line) == (
        "SW205",
        next(n for n, line in enumerate(site.read_text().splitlines(), 1) if "licensePool" in line),
    )


@pytest.mark.parametrize("written", ["none", "{name: emea, useOnly: true}"])
def test_one_that_shares_nothing_or_releases_nothing_may(tmp_path: Path, written: str) -> None:
    site = write_site(tmp_path, 4242, policy=DOWNGRADE, ours=f"licensePool: {written}")
    assert settings_of(site, scheduled=False).policy.downgrades
    policy = "release professional when unused for 60 days\n"
    other = write_site(tmp_path, 4242, policy=policy, ours="licensePool: emea")
    assert not settings_of(other, scheduled=False).policy.downgrades
