"""What a POST came to: every answer to it, and what QRS shows when it is asked before and afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.apply.pending import Pending, carry_out, journal_so_far, open_journal
from seatwarden.engine.apply.restorer import Restore
from seatwarden.engine.errors import NoAnswer, NotAuthorized, RemoteError
from seatwarden.engine.log.lines import RegisterHead
from seatwarden.engine.log.restore import BackLine, BackPart, RestoreHeader, RestoreLog, read_restore, write_restore
from seatwarden.engine.plan.circumstances import NOBODY, Clocks
from seatwarden.engine.snapshot.model import License, Seats, User
from seatwarden.engine.snapshot.reader import decode_license, decode_user
from seatwarden.grammar.ast import LicenseType
from tests.engine.support import SEED, hand_at, license_row, user
from tests.profiles import examples
from tests.strategies import NOW, as_json

RELEASED = "2026-11-20T02:00:00.000Z"
ROW = decode_license(as_json(license_row(1)), "license")
QUARANTINED = decode_license(as_json(license_row(1, quarantined=True, quarantineEnd="2026-12-01T00:00:00.000Z")), "row")
ODD = decode_license(as_json(license_row(1, quarantined=None)), "license")


@dataclass
class Site:
    """A site with one user, who holds `rows`; `answer` is what a POST comes to, `later` what is shown after it."""

    rows: list[License] = field(default_factory=list)
    answer: tuple[int, str] | RemoteError = (201, "{}")
    later: list[License] | RemoteError = field(default_factory=lambda: [ROW])
    free: int | None = 1
    is_there: bool = True
    posts: list[str] = field(default_factory=list)

    def users(self) -> list[User]:
        return [decode_user(as_json(user(1)), "user")] if self.is_there else []

    def user(self, user_id: str) -> User | None:
        return self.users()[0] if self.is_there else None

    def licenses_of(self, license_type: LicenseType, user_id: str) -> list[License]:
        if self.posts and isinstance(self.later, RemoteError):
            raise self.later
        return self.later if self.posts and isinstance(self.later, list) else self.rows

    def seats(self) -> Mapping[LicenseType, Seats]:
        return {"analyzer": Seats(available=self.free)} if self.free is not None else {}

    def allocate(self, license_type: LicenseType, user_id: str) -> tuple[int, str]:
        self.posts.append(user_id)
        if isinstance(self.answer, RemoteError):
            raise self.answer
        return self.answer


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> RestoreLog:
    return sealed(tmp_path_factory.mktemp("restore"))


def sealed(folder: Path) -> RestoreLog:
    """A restore of one license."""
    head = RegisterHead("0" * 16, "runs.jsonl", 1, "0" * 64, 2)
    header = RestoreHeader(
        run_id="20261121T020000Z-0123456789ab",
        tool="seatwarden",
        site="test",
        of_run="20261120T020000Z-0123456789ab",
        of_root="0" * 64,
        clocks=Clocks("2026-11-21T02:00:00.000Z"),
        overview={},
        register=head,
    )
    part = BackPart(salt=b"", license_id="l1", user="ACME\\user1", user_name=None)
    line = BackLine(line=3, license_type="analyzer", released=RELEASED, person=part)
    write_restore(folder, header, [line], NOBODY, SEED)
    return read_restore(folder)


def attempt(log: RestoreLog, site: Site, path: Path) -> tuple[str, str]:
    """The result of giving back, once."""
    path.unlink(missing_ok=True)
    data, state = journal_so_far(path, log)
    pending = Pending(log, path, (), data, state, [*log.line_of])
    journal, action = open_journal(pending, hand_at(lambda: NOW)), Restore(log, site)
    try:
        done = carry_out(
            pending, lambda key: action, journal, parallel=1, clock=lambda: NOW, progress=lambda outcome: None
        )
    finally:
        journal.close()
    (outcome,) = done.outcomes
    return outcome.result, outcome.detail


@pytest.mark.parametrize(
    ("answer", "given_", "none", "silent"),
    [
        ((201, "{}"), "restored", "restored", "restored"),
        ((200, "{}"), "restored", "restored", "restored"),
        ((400, "no"), "held", "failed", "unknown"),
        ((409, "has one"), "held", "failed", "unknown"),
        ((429, "busy"), "held", "failed", "unknown"),
        ((500, "a defect"), "restored", "failed", "unknown"),
        ((503, "busy"), "restored", "failed", "unknown"),
        (NoAnswer("reset"), "restored", "unknown", "unknown"),
        (RemoteError("no HTTP"), "restored", "failed", "unknown"),
        (NotAuthorized("refused us (403)"), "failed", "failed", "failed"),
    ],
    ids=str,
)
def test_what_a_post_came_to(
    log: RestoreLog, tmp_path: Path, answer: tuple[int, str] | RemoteError, given_: str, none: str, silent: str
) -> None:
    """It is sent once, whatever comes; what QRS shows then decides."""
    looks: list[list[License] | RemoteError] = [[ROW], [], RemoteError("answered 500")]
    for expected, later in zip((given_, none, silent), looks, strict=True):
        site = Site(answer=answer, later=later)
        assert attempt(log, site, tmp_path / "outcomes.jsonl")[0] == expected
        assert site.posts == ["u1"]


@pytest.mark.parametrize(
    ("site", "result", "why"),
    [
        (Site(rows=[ROW]), "held", "the person has a license of type analyzer again"),
        (Site(rows=[QUARANTINED, ROW]), "held", "the person has a license of type analyzer again"),
        (Site(rows=[ODD]), "held", "the person has a license of type analyzer again"),
        (
            Site(rows=[QUARANTINED]),
            "skipped",
            "a license of the person is in quarantine until 2026-12-01 00:00Z: reinstate it in the QMC",
        ),
        (Site(is_there=False), "skipped", "the user is gone"),
        (Site(free=0), "skipped", "no license of type analyzer is free"),
        (Site(free=-1), "skipped", "no license of type analyzer is free"),
        (Site(free=None), "skipped", "QRS does not say how many licenses of type analyzer are free"),
    ],
)
def test_nothing_is_sent(log: RestoreLog, tmp_path: Path, site: Site, result: str, why: str) -> None:
    assert attempt(log, site, tmp_path / "outcomes.jsonl") == (result, why)
    assert site.posts == []


@examples(60)
@given(
    rows=st.lists(st.sampled_from([ROW, QUARANTINED, ODD]), max_size=2),
    free=st.none() | st.integers(-1, 2),
    is_there=st.booleans(),
)
def test_a_post_is_sent_to_somebody_without_a_row_and_with_a_free_license_only(
    log: RestoreLog,
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[License],
    free: int | None,
    is_there: bool,
) -> None:
    site = Site(rows=rows, free=free, is_there=is_there)
    result, _ = attempt(log, site, tmp_path_factory.getbasetemp() / "restorer.jsonl")
    assert (result == "restored") == bool(site.posts) == (is_there and not rows and free is not None and free > 0)


def test_one_whom_two_users_could_be_is_nobody(log: RestoreLog, tmp_path: Path) -> None:
    site = Site()
    both = [*site.users(), decode_user(as_json({**user(1), "id": "other"}), "user")]
    site.users = lambda: both  # type: ignore[method-assign]
    result, why = attempt(log, site, tmp_path / "outcomes.jsonl")
    assert (result, "lists the user more than once" in why, site.posts) == ("skipped", True, [])
