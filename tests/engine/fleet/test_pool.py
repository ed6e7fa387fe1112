"""A pool of sites on one key: nobody who is at work at one of them loses the license by what another says."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from seatwarden.engine.fleet.fleet import check_fleet, run_fleet
from seatwarden.engine.fleet.pool import PoolLook, PoolUser, PoolVerdicts, PoolView, Seat, SeatRow, seats_to_release
from seatwarden.engine.fleet.result import SiteResult
from seatwarden.engine.log.register import LOCK_FILE
from seatwarden.engine.simulator.server import Fault
from seatwarden.engine.snapshot.model import User
from tests.engine.cli.applying import read_outcomes
from tests.engine.cli.conftest import Run, run
from tests.engine.fleet.fleets import by_name
from tests.engine.fleet.shared_key import REMOVED, UNUSED, SharedKey, days_ago, shared_key
from tests.engine.idle import LICENSES, USERS

TAGGED = f'keep "tag" when user.tags = "License do not release"\n{UNUSED}'
TAG = {"name": "License do not release"}


__all__ = ["run"]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib3.util.retry.Retry.sleep", lambda *args: None)


def _run(
    pool: SharedKey, limit: str = "", then: Callable[[], object] | None = None, **more: Any
) -> dict[str, SiteResult]:
    """A run of the fleet; `then` happens between the plans and the releases."""
    fleet, means = pool.fleet.fleet(limit), pool.fleet.means()
    planned: list[str] = []

    def tell(result: SiteResult) -> None:
        planned.append(result.site)
        if len(planned) == 2 and then is not None:
            then()

    sites = [site for site in fleet.sites if site.name in more.get("only", ("a", "b"))]
    return by_name(run_fleet(fleet, sites, replace(means, tell=tell), dry_run=False).results)


def _deleted(pool: SharedKey) -> list[str]:
    return [*pool.a.deleted, *pool.b.deleted]


# Each rule, and the case that breaks without it ------------------------------------------------------------------


def test_each_seat_is_released_once_where_it_was_used_last(tmp_path: Path) -> None:
    with shared_key(tmp_path) as pool:
        pool.row("b", "user03")["lastUsed"] = days_ago(60)
        results = _run(pool)
        assert pool.b.deleted == ["b-l-03"]
        assert sorted(pool.a.deleted) == ["l-00", "l-01", "l-02", "l-04", "l-05"]
        assert (pool.holders("a"), pool.holders("b")) == ([], [])
    assert {name: (one.outcome, one.released) for name, one in results.items()} == {"a": ("done", 5), "b": ("done", 1)}


def test_what_is_so_at_all_sites_is_released_though_one_of_them_marks_it_otherwise(tmp_path: Path) -> None:
    present = "release analyzer when unused for 30 days and not user.removedExternally\nlimit release to 1000 per run\n"
    with shared_key(tmp_path, a=present, b=present) as pool:
        pool.row("b", "user03")["lastUsed"] = days_ago(60)
        _run(pool)
        assert pool.b.deleted == ["b-l-03"]


@pytest.mark.parametrize("in_pool", [True, False])
def test_removed_externally_at_b_takes_nobody_who_is_at_work_at_a(tmp_path: Path, in_pool: bool) -> None:
    with shared_key(tmp_path, a=UNUSED, b=REMOVED) as pool:
        for user in USERS:
            pool.row("a", user)["lastUsed"] = days_ago(1)
        if not in_pool:  # what the key's own marks do without a pool
            pool.write("a", UNUSED, ours="")
            pool.write("b", REMOVED, ours="")
        _run(pool)
        assert len(_deleted(pool)) == (0 if in_pool else LICENSES)


def test_removed_externally_everywhere_counts(tmp_path: Path) -> None:
    with shared_key(tmp_path, a=REMOVED, b=REMOVED) as pool:
        pool.user("a", "user02")["removedExternally"] = True
        _run(pool)
        assert _deleted(pool) == ["l-02"]


def test_the_last_use_at_any_site_counts_at_all(tmp_path: Path) -> None:
    with shared_key(tmp_path) as pool:
        pool.row("b", "user01")["lastUsed"] = days_ago(2)
        pool.row("b", "user04")["createdDate"] = days_ago(3)
        _run(pool)
        assert {"user01", "user04"} == set(pool.holders("a")) == set(pool.holders("b"))


def test_a_last_use_that_is_not_known_keeps(tmp_path: Path) -> None:
    with shared_key(tmp_path) as pool:
        pool.row("b", "user01")["lastUsed"] = "yesterday"
        del pool.row("a", "user04")["createdDate"]
        _run(pool)
        assert set(pool.holders("a")) == {"user01", "user04"}


def test_a_tag_at_a_keeps_at_b(tmp_path: Path) -> None:
    with shared_key(tmp_path, a=TAGGED, b=UNUSED) as pool:
        pool.user("a", "user03")["tags"] = [TAG]
        pool.row("b", "user03")["lastUsed"] = days_ago(50)  # it would be B that releases
        _run(pool)
        assert pool.holders("b") == ["user03"]


def test_a_site_away_keeps_everybody(tmp_path: Path) -> None:
    with shared_key(tmp_path) as pool:
        pool.a.faults.append(Fault("status", status=403))
        results = _run(pool)
        assert _deleted(pool) == []
    assert {one.outcome for one in results.values()} == {"refused"}
    assert "`a` cannot be looked at" in results["b"].why[0]


def test_a_site_with_another_clock_keeps_everybody(tmp_path: Path) -> None:
    with shared_key(tmp_path) as pool:
        pool.a.be_at(datetime.now(UTC) - timedelta(minutes=6))
        results = _run(pool)
        assert _deleted(pool) == []
    assert "more than 5 minutes off" in results["b"].why[0]


def test_a_site_whose_file_cannot_be_read_may_be_in_the_pool(tmp_path: Path) -> None:
    with shared_key(tmp_path) as pool:
        path = pool.fleet.folder / "a" / "site.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace("dryRun", "dryRnu"), encoding="utf-8")
        results = _run(pool)
        assert _deleted(pool) == []
    assert (results["a"].outcome, results["b"].outcome) == ("failed", "refused")
    assert "whether `a` is in it is not known" in results["b"].why[0]


def test_a_site_left_out_keeps_everybody(tmp_path: Path) -> None:
    with shared_key(tmp_path) as pool:
        results = _run(pool, only=("b",))
        assert _deleted(pool) == []
    assert "`--only` leaves out `a`" in results["b"].why[0]


# Between the plans and the releases ---------------------------------------------------------------------------------


def _used(pool: SharedKey) -> None:
    for user in USERS:
        pool.row("a", user)["lastUsed"] = days_ago(0)


def _used_where_nothing_is_released(pool: SharedKey) -> None:
    for user in USERS:
        pool.row("b", user)["lastUsed"] = days_ago(0)


def _tagged(pool: SharedKey) -> None:
    for user in USERS:
        pool.user("b", user)["tags"] = [TAG]


def _assigned_anew(pool: SharedKey) -> None:
    for user in USERS:
        pool.assign_anew(user)


def _away(pool: SharedKey) -> None:
    pool.b.faults.append(Fault("status", status=503))


def _out_of_time(pool: SharedKey) -> None:
    pool.b.be_at(datetime.now(UTC) + timedelta(minutes=6))


def _back(pool: SharedKey) -> None:
    for user in USERS:
        pool.user("b", user)["removedExternally"] = False


@pytest.mark.parametrize(
    "meanwhile", [_used, _used_where_nothing_is_released, _tagged, _assigned_anew, _away, _out_of_time]
)
def test_what_happens_meanwhile_at_any_site_keeps(tmp_path: Path, meanwhile: Callable[[SharedKey], None]) -> None:
    with shared_key(tmp_path, b=TAGGED) as pool:
        _run(pool, then=lambda: meanwhile(pool))
        assert _deleted(pool) == []


def test_who_is_back_at_one_site_meanwhile_is_kept(tmp_path: Path) -> None:
    with shared_key(tmp_path, a=REMOVED, b=REMOVED) as pool:
        for user in USERS:
            pool.user("a", user)["removedExternally"] = True
        _run(pool, then=lambda: _back(pool))
        assert _deleted(pool) == []


def test_the_second_look_is_right_before_each_delete(tmp_path: Path) -> None:
    """User by user: while the first is released at A, the last one logs in at B."""
    with shared_key(tmp_path) as pool:
        whole = pool.a._repository.answer

        def answer(method: str, *rest: Any) -> Any:
            if method == "DELETE":
                rows = pool.b._repository.site["licenses"]["analyzer"]
                for row in rows:
                    row["lastUsed"] = days_ago(0)
            return whole(method, *rest)

        pool.a._repository.answer = answer  # type: ignore[assignment,method-assign]
        results = _run(pool)
        assert len(pool.a.deleted) == 1
    journal = read_outcomes(next((pool.fleet.folder / "a" / "state" / "runs").glob("*")))
    assert sorted(journal.results.values()) == ["released", *["skipped"] * (LICENSES - 1)]
    assert results["a"].results["skipped"] == LICENSES - 1


# Operators -------------------------------------------------------------------------------------------------------


def test_two_operators_release_each_seat_once(tmp_path: Path) -> None:
    with shared_key(tmp_path) as pool:
        fleet = pool.fleet.fleet()
        threads = [
            threading.Thread(target=run_fleet, args=(fleet, fleet.sites, pool.fleet.means()), kwargs={"dry_run": False})
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(_deleted(pool)) == len(set(_deleted(pool))) <= LICENSES
        _run(pool)
        assert sorted(_deleted(pool)) == [f"l-{n:02}" for n in range(LICENSES)]


def test_while_somebody_works_at_one_site_nothing_is_released_at_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seatwarden.engine.fleet.pool_steps._WAIT_SECONDS", 0.05)
    with shared_key(tmp_path) as pool:
        lock = FileLock(pool.fleet.folder / "b" / "state" / LOCK_FILE)
        results = _run(pool, then=lock.acquire)
        lock.release()
        assert _deleted(pool) == []
    assert results["a"].outcome == "refused"
    assert (results["a"].due, results["a"].released) == (LICENSES, 0)


def test_a_row_of_before_is_left_alone_until_it_is_gone(tmp_path: Path) -> None:
    with shared_key(tmp_path, delayed=True) as pool:
        _run(pool)
        assert sorted(pool.a.deleted) == [f"l-{n:02}" for n in range(LICENSES)]
        assert pool.holders("b") == USERS
        _run(pool)
        assert pool.b.deleted == [], "these rows are seats that were released already"
        pool.synchronize()
        with pool.b.site_lock() as site:
            assert site["licenses"]["analyzer"] == []


def test_limits_count_people(tmp_path: Path) -> None:
    with shared_key(tmp_path) as pool:
        results = _run(pool, f"{LICENSES} per run")
        assert len(_deleted(pool)) == LICENSES
    assert sum(one.allowed or 0 for one in results.values()) == LICENSES


def test_a_site_that_only_says_who_uses_has_no_verdict(tmp_path: Path) -> None:
    with shared_key(tmp_path, b='keep "all" when user.userId != ""\n') as pool:
        _run(pool)
        assert _deleted(pool) == []
        pool.write("b", "", ours="licensePool: {name: emea, useOnly: true}")
        pool.row("b", "user05")["lastUsed"] = days_ago(1)
        _run(pool)
        assert pool.holders("a") == ["user05"]
        assert pool.b.deleted == []


# Alone -----------------------------------------------------------------------------------------------------------


def test_two_directories_are_two_seats_and_said(tmp_path: Path) -> None:
    with shared_key(tmp_path) as pool:
        pool.user("b", "user01")["userDirectory"] = "OTHER"
        pool.row("b", "user01")["user"]["userDirectory"] = "OTHER"
        results = _run(pool)
    assert any("two seats" in one.text for one in results["a"].warnings)
    assert (results["a"].allowed, results["b"].allowed) == (LICENSES, 1)


def test_used_meanwhile_where_nobody_has_a_verdict_keeps(tmp_path: Path) -> None:
    with shared_key(tmp_path) as pool:
        pool.write("b", "", ours="licensePool: {name: emea, useOnly: true}")
        _run(pool, then=lambda: _used_where_nothing_is_released(pool))
        assert _deleted(pool) == []


@pytest.mark.parametrize("ours", ["licensePool: emea", "licensePool: {name: emea, useOnly: true}"])
@pytest.mark.parametrize("meanwhile", [True, False])
def test_a_hold_at_any_site_keeps_at_all(run: Run, tmp_path: Path, ours: str, meanwhile: bool) -> None:
    until = (datetime.now(UTC) + timedelta(days=30)).date()
    with shared_key(tmp_path) as pool:
        pool.write("b", UNUSED, ours=ours)
        words = ("hold", "add", "CORP\\user02", "--until", until, "--reason", "on leave")
        site = pool.fleet.folder / "b" / "site.yaml"

        def hold() -> None:
            assert run(*words, "--site", site).code == 0

        if not meanwhile:
            hold()
        _run(pool, then=hold if meanwhile else None)
        assert pool.holders("a") == ["user02"]


def test_a_site_of_a_pool_is_never_released_alone(run: Run, tmp_path: Path) -> None:
    with shared_key(tmp_path) as pool:
        site = pool.fleet.folder / "b" / "site.yaml"
        alone = run("run", "--site", site)
        assert (alone.code, "never released alone" in alone.err) == (1, True)
        assert run("run", "--site", site, "--dry-run").code == 0
        assert run("plan", "--site", site, "-o", tmp_path / "plan").code == 0
        applied = run("apply", tmp_path / "plan", "--site", site, "--yes")
        assert (applied.code, "never released alone" in applied.err) == (1, True)
        pool.write("b", UNUSED, ours="")  # the site file forgets it, the register does not
        for command in (("run",), ("apply", tmp_path / "plan", "--yes")):
            forgotten = run(*command, "--site", site)
            assert (forgotten.code, "knows this site as one of the pool `emea`" in forgotten.err) == (1, True)
        assert _deleted(pool) == []
        pool.write("b", UNUSED, ours="licensePool: none")
        assert run("run", "--site", site).code == 0
        assert len(pool.b.deleted) == LICENSES
        pool.write("b", UNUSED, ours="")
        assert run("run", "--site", site).code == 0


# Keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "pools", "why"),
    [
        (("x", "x"), ("emea", "emea"), None),
        (("x", "y"), ("", ""), None),
        ((None, None), ("", ""), None),
        ((None, "x"), ("emea", "emea"), None),
        (("x", "x"), ("", ""), "it has the signed key of `b`, and is not in one pool with it"),
        (("x", "x"), ("emea", ""), "it has the signed key of `b`, and is not in one pool with it"),
        (("x", "x"), ("none", "none"), "it has the signed key of `b`, and is not in one pool with it"),
        (("x", "x"), ("emea", "apac"), "it has the signed key of `b`, and is not in one pool with it"),
        (("x", "y"), ("emea", "emea"), "it is in the pool `emea` with `b`, and has another signed key"),
    ],
)
def test_one_key_is_one_pool_and_keys_are_never_told(
    tmp_path: Path, keys: tuple[str | None, ...], pools: tuple[str, ...], why: str | None
) -> None:
    with shared_key(tmp_path) as pool:
        for name, key, own in zip(("a", "b"), keys, pools, strict=True):
            pool.write(name, UNUSED, ours=f"licensePool: {own}" if own else "")
            with pool.fleet.sites[name].site_lock() as site:
                site["license"] = {"key": f"secret-{key}" if key else None, "product": "Qlik Sense"}
        fleet = pool.fleet.fleet()
        report = check_fleet(fleet, fleet.sites, pool.fleet.means())
    results = by_name(report.results)
    assert results["a"].why == ([] if why is None else [why])
    assert (results["b"].outcome == "failed") == (why is not None)
    assert "secret" not in repr(report)


# The meet by itself ----------------------------------------------------------------------------------------------

SEAT: Seat = ("corp\\user00", "analyzer")
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
ROW_A, ROW_B = SeatRow("a1", MOMENT, MOMENT + timedelta(days=9)), SeatRow("b1", MOMENT, MOMENT)


def _looks(**of_b: Any) -> PoolView:
    b = PoolLook("b", "emea", rows={SEAT: (ROW_B,)})
    return PoolView([PoolLook("a", "emea", rows={SEAT: (ROW_A,)}), replace(b, **of_b)])


def _says(**verdicts: bool) -> dict[str, PoolVerdicts]:
    return {name: PoolVerdicts(name, {SEAT: {f"{name}1": release}}) for name, release in verdicts.items()}


def test_a_seat_that_all_release_is_released_at_the_site_of_the_latest_use() -> None:
    assert seats_to_release(_looks(), _says(a=True, b=True)) == {SEAT: "a"}
    later = SeatRow("b1", MOMENT, MOMENT + timedelta(days=10))
    assert seats_to_release(_looks(rows={SEAT: (later,)}), _says(a=True, b=True)) == {SEAT: "b"}
    equal = replace(later, last_use=ROW_A.last_use)
    assert seats_to_release(_looks(rows={SEAT: (equal,)}), _says(a=True, b=True)) == {SEAT: "a"}


@pytest.mark.parametrize(
    ("of_b", "verdicts"),
    [
        ({}, {"a": True, "b": False}),
        ({}, {"a": False, "b": True}),
        ({}, {"a": True}),
        ({"held": frozenset([SEAT])}, {"a": True, "b": True}),
        ({"released": {SEAT: MOMENT}}, {"a": True, "b": True}),
        ({"released": {SEAT: MOMENT + timedelta(days=5)}}, {"a": True, "b": True}),
        ({"rows": {SEAT: (ROW_B, SeatRow("b2", MOMENT, MOMENT))}}, {"a": True, "b": True}),
        ({"rows": {SEAT: (ROW_B,)}, "use_only": True, "held": frozenset([SEAT])}, {"a": True}),
    ],
)
def test_one_objection_keeps(of_b: dict[str, Any], verdicts: dict[str, bool]) -> None:
    assert seats_to_release(_looks(**of_b), _says(**verdicts)) == {}


def test_after_a_release_only_rows_that_are_newer_count() -> None:
    before = {"released": {SEAT: MOMENT - timedelta(days=1)}}
    assert seats_to_release(_looks(**before), _says(a=True, b=True)) == {SEAT: "a"}


@given(st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=4))
def test_a_mark_counts_only_where_it_is_everywhere(facts: list[bool | None]) -> None:
    view = PoolView(
        PoolLook(f"s{n}", "emea", users={"corp\\u": PoolUser(f"{n}", fact, fact)}) for n, fact in enumerate(facts)
    )
    user = view.user(User(id="0", user_id="U", user_directory="Corp", inactive=True, removed_externally=True))
    wanted = True if all(fact is True for fact in facts) else False if False in facts else UNSET
    assert user.inactive is wanted
    assert user.removed_externally is wanted
