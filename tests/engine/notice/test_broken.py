"""What has broken the promise of notices once, or was thought to: each with the case that shows it."""

from pathlib import Path

from seatwarden.engine.errors import UntrustedRecord
from seatwarden.engine.log.register import REGISTER_FILE
from seatwarden.engine.notice.register import NOTICES_FILE
from tests.engine.notice.telling import LIMIT, NOTICE, Telling, people

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
