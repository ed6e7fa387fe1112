"""Damage to the register of notices that somebody accepts: all are told anew, and nothing is released for long."""

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from seatwarden.engine.errors import PlanRefused, UntrustedRecord
from seatwarden.engine.log.register import REGISTER_FILE, Override, RegisterState, read_register
from seatwarden.engine.notice.lines import DamageAccepted
from seatwarden.engine.notice.notices import Notices
from seatwarden.engine.notice.register import NOTICES_FILE
from seatwarden.engine.runs.damage import AcceptedDamage, files_aside
from seatwarden.engine.runs.record import locked_record
from tests.engine.notice.telling import LIMIT, TOLD_FIRST, Telling, people
from tests.engine.runs.test_erasure_killed import Killed, killed_before

PLAIN = "release analyzer when unused for 30 days\n" + LIMIT


def accept(site: Telling, reason: str = "the disk was full") -> AcceptedDamage:
    settings = site.settings
    with locked_record(settings.folder, settings.site.url, site.hand) as record:
        return record.accept_damage(settings.policy, reason, site.now.date())


def path_of(site: Telling) -> Path:
    return site.folder / "state" / NOTICES_FILE


def register_of(site: Telling) -> RegisterState:
    found = read_register(path_of(site).with_name(REGISTER_FILE))
    assert found is not None
    return found


def _cut(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-2]))


def _edited(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"announced":"2026-12-05"', b'"announced":"2026-11-25"'))


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


HARMS: list[Callable[[Path], None]] = [_cut, _edited, _emptied, Path.unlink]


@pytest.mark.parametrize(("harm", "policy"), [*((harm, PLAIN) for harm in HARMS), (_cut, TOLD_FIRST)])
def test_nothing_is_released_before_the_longest_notice_is_over(
    tmp_path: Path, harm: Callable[[Path], None], policy: str
) -> None:
    """Not of those who were told, not of anybody else, by no rule; and everybody whom a rule tells is told anew."""
    site = Telling(tmp_path, people(2))
    site.qrs.site["users"][1]["attributes"] = []  # nobody could tell the second
    site.days(5)
    harm(path_of(site))
    assert site.run().outcome == "failed"
    site.policy = policy
    done = accept(site)
    longest = 14 + (31 if policy == TOLD_FIRST else 0)
    assert done.nothing_before == site.on(5 + longest)
    kept = files_aside(path_of(site).parent)
    assert [path.name for path in kept] == ([] if harm is Path.unlink else [f"{NOTICES_FILE}.damaged-1"])
    assert done.kept == (kept[0] if kept else None)
    reports = site.days(longest)
    assert {report.outcome for report in reports} == {"done"}
    assert site.released == []
    assert reports[-1].plan is not None
    if policy == PLAIN:
        assert {one.because for one in reports[-1].plan.decisions} == {"notice"}
        site.days(1)
        assert sorted(site.released) == [(site.on(5 + longest), "l1"), (site.on(5 + longest), "l2")]
    else:
        assert [day for day, _, _ in site.post.told()] == [site.on(0), site.on(5)]


def test_who_and_why_stand_in_the_record(tmp_path: Path) -> None:
    site = Telling(tmp_path)
    site.days(2)
    head = register_of(site).heads.notices
    assert head is not None
    path_of(site).unlink()
    accept(site, "restored from an old backup")
    (line,) = [one for one in site.record.lines if isinstance(one, DamageAccepted)]
    assert (line.n, line.expected, line.lines, line.longest) == (2, head.leaf, head.lines, 14 + 31)
    (override,) = register_of(site).of_kind(Override)
    assert override.option == "notice accept-damage"
    assert "is missing, and had 5 lines" in override.before
    assert override.person.reason == "restored from an old backup"
    assert register_of(site).heads.notices == site.record.head


def test_what_is_not_damaged_is_not_accepted(tmp_path: Path) -> None:
    site = Telling(tmp_path)
    with pytest.raises(PlanRefused, match="is as it was written"):
        accept(site)
    site.days(2)
    with pytest.raises(PlanRefused, match="is as it was written"):
        accept(site)
    assert files_aside(path_of(site).parent) == []


def test_the_longest_notice_is_known_without_the_file_and_under_another_policy(tmp_path: Path) -> None:
    site = Telling(tmp_path, policy=TOLD_FIRST.replace("14", "60"))
    site.days(2)
    site.policy = TOLD_FIRST.replace("14", "3")
    path_of(site).unlink()
    assert accept(site).nothing_before == site.on(2 + 60)


def test_a_flipped_bit_blocks_nobody_for_a_thousand_years(tmp_path: Path) -> None:
    site = Telling(tmp_path)
    site.days(2)
    path_of(site).write_bytes(path_of(site).read_bytes().replace(b'"announced":"2026', b'"announced":"7026'))
    assert accept(site).nothing_before == site.on(2 + 14 + 31)


def test_damaged_twice(tmp_path: Path) -> None:
    site = Telling(tmp_path)
    site.days(2)
    _cut(path_of(site))
    accept(site)
    site.days(2)
    _emptied(path_of(site))
    assert site.run().outcome == "failed"
    accept(site)
    assert [path.name for path in files_aside(path_of(site).parent)] == [f"{NOTICES_FILE}.damaged-{n}" for n in (1, 2)]
    assert site.run().outcome == "done"


def test_a_plan_of_before_is_carried_out_for_nobody(tmp_path: Path) -> None:
    """Its register is gone for good: what it would release waits like all else, and blocks no later run."""
    site = Telling(tmp_path)
    site.days(1)
    site.policy = PLAIN
    site.qrs.site["licenses"]["analyzer"][0]["lastUsed"] = "2026-01-01T12:00:00.000Z"
    site.now += timedelta(days=14)
    site.crash()
    path_of(site).unlink()
    accept(site)
    report = site.run()
    assert report.outcome == "done"
    assert site.released == []


def test_killed_at_any_point_it_is_done_by_the_next_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never is there a register that is trusted and does not block."""
    before = Telling(tmp_path / "before")
    before.folder.mkdir()
    before.days(3)
    _cut(path_of(before))
    ended = False
    for call in range(60):
        folder = tmp_path / str(call)
        shutil.copytree(before.folder, folder)
        site = Telling(folder)
        site.now = before.now
        with killed_before(call, monkeypatch):
            try:
                accept(site)
                ended = True
            except Killed:
                pass
        if not ended:
            _check_killed(site)
        blocked = site.record.notices.nothing_before
        assert blocked is not None
        assert blocked >= site.on(3) + timedelta(days=14 + 31)
        assert site.run().outcome == "done"
        shutil.rmtree(folder)
        if ended:
            break
    assert ended


def _check_killed(site: Telling) -> None:
    settings = site.settings
    with locked_record(settings.folder, settings.site.url, site.hand) as record:
        try:
            found = record.standings().notices().notices.nothing_before
        except UntrustedRecord:
            found = None
    if found is None:
        accept(site)


def test_days_do_not_run_out() -> None:
    """A number of days that no calendar has blocks for ever, and ends in no traceback."""
    line = DamageAccepted(expected="0" * 64, lines=1, longest=10**9, day="2026-11-21", at="2026-11-21T02:00:00.000Z")
    assert Notices.of([line]).nothing_before == date.max
