"""What has broken the promise of notices once, or was thought to: each with the case that shows it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from seatwarden.engine.common.files import write_atomically
from seatwarden.engine.errors import UntrustedRecord
from seatwarden.engine.log.register import REGISTER_FILE
from seatwarden.engine.notice.interval import interval_of
from seatwarden.engine.notice.outcome import MessageOutcome
from seatwarden.engine.notice.register import NOTICES_FILE
from seatwarden.policy.schedule.check import load_schedule
from tests.engine.notice.telling import LIMIT, LONG_AGO, NOTICE, REMINDED, TOLD_FIRST, Telling, people, person
from tests.engine.support import license_row, site_of

NO_NOTICE = "release analyzer when unused for 30 days\n" + LIMIT
KEYED = NOTICE + "pseudonyms: {key: people.key, k: 1}\n"


def _cut(path: Path, lines: int) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:lines]))


def test_a_line_cut_off_between_two_deletes_ends_the_run(tmp_path: Path) -> None:
    """What is left is as long as the register of runs knows, and shorter than the run does."""
    site = Telling(tmp_path, people(3))
    site.days(14)

    def cut(license_id: str) -> None:
        site.released.append((site.now.date(), license_id))
        _cut(site.settings.folder / NOTICES_FILE, len(site.record.lines) - 1)

    site.qrs.on_delete = cut
    report = site.run()
    assert isinstance(report.error, UntrustedRecord)
    assert len(site.released) == 1


def test_notices_cut_and_the_register_of_runs_gone(tmp_path: Path) -> None:
    """A new register of runs knows of no head; it did not write those notices."""
    site = Telling(tmp_path)
    site.days(10)
    (site.settings.folder / REGISTER_FILE).unlink()
    _cut(site.settings.folder / NOTICES_FILE, 2)
    site.policy = NO_NOTICE
    report = site.run()
    assert isinstance(report.error, UntrustedRecord)
    assert site.released == []


def test_notices_of_another_site_tell_nobody_here(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    one, other = Telling(tmp_path / "a"), Telling(tmp_path / "b")
    other.hand.draw(1)  # the ids of the two are not the same
    one.days(14)
    other.settings.folder.mkdir(parents=True)
    (other.settings.folder / NOTICES_FILE).write_bytes((one.settings.folder / NOTICES_FILE).read_bytes())
    other.now = one.now
    report = other.run()
    assert isinstance(report.error, UntrustedRecord)
    assert (other.released, other.post.messages) == ([], [])


@pytest.mark.parametrize("value", [None, "garbage", "missing"])
@pytest.mark.parametrize("name", ["lastUsed", "createdDate"])
def test_a_date_that_is_unreadable_for_a_day_ends_nothing(tmp_path: Path, name: str, value: str | None) -> None:
    site = Telling(tmp_path)
    site.days(5)
    (row,) = site.qrs.site["licenses"]["analyzer"]
    before = row.pop(name)
    if value != "missing":
        row[name] = value
    site.days(1)
    row[name] = before
    site.days(9)
    assert len(site.notices) == 1
    assert site.released == [(site.on(14), "l1")]


@pytest.mark.parametrize("value", ["garbage", "missing"])
def test_whoever_may_have_used_it_keeps_it_whatever_the_rule_asks(tmp_path: Path, value: str) -> None:
    """The message said so, also where no rule reads the last use."""
    policy = "release analyzer when user.inactive\n  after notice of 14 days\n" + LIMIT
    site = Telling(tmp_path, site_of([person(1, inactive=True)], [license_row(1, LONG_AGO)]), policy=policy)
    site.days(10)
    (row,) = site.qrs.site["licenses"]["analyzer"]
    if value == "missing":
        del row["lastUsed"]
    else:
        row["lastUsed"] = value
    report = site.days(10)[-1]
    assert site.released == []
    assert report.plan
    assert "waits: its last use" in report.plan.decisions[0].reason
    row["lastUsed"] = LONG_AGO
    site.days(1)
    assert [one for _, one in site.released] == ["l1"]


def test_a_wrong_clock_shortens_no_late_reminder(tmp_path: Path) -> None:
    """The days of the notice are long over when the reminder is accepted; its own have just begun."""
    site = Telling(tmp_path, policy=REMINDED)
    site.post.on_message = lambda m: MessageOutcome("refused", "550 no") if m.facts.reminder else None
    site.days(16)
    site.post.on_message = lambda m: None
    site.days(1)
    site.now += timedelta(days=20)  # in truth it is the next day
    site.days(1)
    assert site.released == []
    site.days(2)
    assert [one for _, one in site.released] == ["l1"]


def test_a_mailbox_for_trials_that_refuses_is_asked_once_a_day(tmp_path: Path) -> None:
    site = Telling(tmp_path, ours=NOTICE + "  redirectTo: me@example.org\n")
    site.post.on_message = lambda m: MessageOutcome("refused", "550 no")
    for _ in range(3):
        site.run()
    assert len(site.post.messages) == 1
    site.now += timedelta(days=1)
    site.run()
    assert len(site.post.messages) == 2


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles", "UTC"])
@pytest.mark.parametrize("month", [3, 4, 9, 10])
def test_the_day_on_which_the_clocks_change_is_one_day(zone: str, month: int) -> None:
    """A run a day lets silences count one day, where a day of 25 hours lies among them, too."""
    schedule = load_schedule("every 24 hours", "licenseRelease")
    assert interval_of(schedule, datetime(2026, month, 1, 12, tzinfo=UTC), ZoneInfo(zone)) == 1


@pytest.mark.parametrize("ours", [NOTICE, KEYED], ids=["named", "hidden"])
def test_whoever_was_told_first_goes_first(tmp_path: Path, ours: str) -> None:
    """Whatever the order of ids or pseudonyms is."""
    write_atomically(tmp_path / "people.key", b"k" * 32)
    order = (3, 1, 5, 2, 4)
    rows = [license_row(n, f"2026-01-0{place}T12:00:00.000Z") for place, n in enumerate(order, 1)]
    site = Telling(
        tmp_path, site_of([person(n) for n in order], rows), ours=ours, policy=TOLD_FIRST.replace("1000", "1")
    )
    site.days(5)  # one is told a day
    assert [to.partition("@")[0][4:] for _, to, _ in site.post.told()] == list("31524")
    tried: list[str] = []

    def refused(license_id: str) -> tuple[int, str]:
        tried.append(license_id)
        return 409, ""

    site.qrs.on_delete = refused
    site.days(14)
    assert set(tried) == {"l3"}


def test_user_names_in_other_letters_are_the_same_person(tmp_path: Path) -> None:
    site = Telling(tmp_path)
    site.days(5)
    for row in (*site.qrs.site["users"], *(one["user"] for one in site.qrs.site["licenses"]["analyzer"])):
        row |= {"userId": "USER1", "userDirectory": "acme"}
    site.policy = NO_NOTICE
    site.days(12)
    assert site.released == [(site.on(14), "l1")]


@pytest.mark.parametrize(("told", "now"), [("Pacific/Auckland", "America/Los_Angeles"), ("America/Los_Angeles", "UTC")])
@pytest.mark.parametrize("hour", [6, 12, 23])
def test_the_day_has_come_in_the_zone_it_was_told_in_and_in_that_of_today(
    tmp_path: Path, told: str, now: str, hour: int
) -> None:
    site = Telling(tmp_path, policy=f'timezone "{told}"\n' + TOLD_FIRST)
    site.now = site.now.replace(hour=hour)
    site.days(3)
    site.policy = f'timezone "{now}"\n' + NO_NOTICE
    ((_, message, _),) = site.post.messages
    moments: list[datetime] = []
    site.qrs.on_delete = lambda license_id: moments.append(site.now)
    site.days(14)
    (moment,) = moments
    assert all(moment.astimezone(ZoneInfo(zone)).date() >= message.facts.announced for zone in (told, now))


def test_a_torn_line_is_none_and_an_empty_file_is_damage(tmp_path: Path) -> None:
    site = Telling(tmp_path)
    site.days(3)
    path = site.settings.folder / NOTICES_FILE
    with path.open("ab") as file:
        file.write(b'{"kind":"intent","noti')
    site.days(14)
    assert site.released == [(site.on(14), "l1")]
    path.write_bytes(b"")
    assert isinstance(site.run().error, UntrustedRecord)


def test_a_license_listed_twice_is_told_of_once_at_most(tmp_path: Path) -> None:
    site = Telling(tmp_path, site_of([person(1)], [license_row(1, LONG_AGO), license_row(1, LONG_AGO)]))
    site.days(16)
    assert len({message.id for _, message, _ in site.post.messages}) <= 1
    assert site.released == []


def test_a_register_of_runs_that_is_gone_with_that_of_notices_releases_nothing(tmp_path: Path) -> None:
    """The plans of before still say that there was one."""
    site = Telling(tmp_path)
    site.days(10)
    (site.settings.folder / REGISTER_FILE).unlink()
    (site.settings.folder / NOTICES_FILE).unlink()
    site.policy = "release analyzer when unused for 30 days\n" + LIMIT
    reports = site.days(3)
    assert {report.outcome for report in reports} == {"failed"}
    assert site.released == []


def test_a_line_that_is_cut_off_right_before_a_release_stops_it(tmp_path: Path) -> None:
    site = Telling(tmp_path, people(2))
    site.days(14)
    path = site.settings.folder / NOTICES_FILE

    def cut(license_id: str) -> None:
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))

    site.qrs.on_look = cut
    report = site.run()
    assert report.outcome == "failed"
    assert isinstance(report.error, UntrustedRecord)
    assert site.released == []
    site.qrs.on_look = lambda license_id: None
    assert site.run().outcome == "failed"  # what was cut off is known by the register of runs
