"""Who lost a license and was told before: the auditor sees when, at whose address, and for which day."""

from pathlib import Path

from seatwarden.engine.audit.answers import Listing
from seatwarden.engine.audit.audit import AuditRequest, audit
from seatwarden.engine.notice.register import NOTICES_FILE
from tests.engine.notice.telling import REMINDED, Telling, people


def _listing(site: Telling, title: str) -> Listing | None:
    (lost,) = [one for one in audit(AuditRequest(site.settings.folder), site.now).answers if one.number == 1]
    return next((one for one in lost.listings if one.title == title), None)


def test_each_message_to_who_lost_a_license(tmp_path: Path) -> None:
    site = Telling(tmp_path, people(2), policy=REMINDED)
    site.days(3)
    site.use(2)  # told, came back, lost nothing
    site.days(13)
    assert [one for _, one in site.released] == ["l1"]
    found = _listing(site, "Told before")
    assert found is not None
    assert [(one.cells, one.words) for one in found.entries] == [
        (
            ("2026-11-21 02:00Z", "analyzer", "ACME\\user1"),
            "notice at the own address, announced for 2026-12-05: accepted",
        ),
        (
            ("2026-12-02 02:00Z", "analyzer", "ACME\\user1"),
            "reminder at the own address, announced for 2026-12-05: accepted",
        ),
    ]
    lines = (site.settings.folder / NOTICES_FILE).read_bytes().splitlines()
    for entry in found.entries:
        first, second = (int(place.rpartition(":")[2]) for place in entry.sources)
        assert (b'"kind":"intent"' in lines[first - 1], b'"kind":"outcome"' in lines[second - 1]) == (True, True)


def test_a_register_that_cannot_be_read_is_a_fault_and_no_listing(tmp_path: Path) -> None:
    site = Telling(tmp_path)
    site.days(1)
    (site.settings.folder / NOTICES_FILE).write_bytes(b"{}\n")
    assert _listing(site, "Told before") is None
    assert not audit(AuditRequest(site.settings.folder), site.now).sound
