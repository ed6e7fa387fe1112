"""A person is forgotten: the rows about them go from all snapshots, those of all others stay, and so do counts."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from seatwarden.engine.history.erasing import erase_marked, mark, people_in_history, rows_on, unmark
from seatwarden.engine.history.store import History
from tests.engine.history.sites import START, at, license_row, snapshot_of, user_row
from tests.engine.simulator.test_license_audit import rule_row


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Ada is there, changes, and has changed Bo's row; `CORP\\ada2` is somebody else."""
    names = ["ada", "ada2", "bo"]
    with History(tmp_path / "history.sqlite", write=True) as history:
        for day in range(9):
            tags = [{"name": f"tag-{day % 3}"}]
            by = {"modifiedByUserName": "CORP\\Ada" if day > 3 else "CORP\\bo"}
            users = [user_row("ada", tags=tags), user_row("ada2", tags=tags), user_row("bo", **by)]
            history.add(snapshot_of(day, users, [license_row(name, at(day - 1)) for name in names]), "it")
        history.note_releases([("analyzer", "l-ada", START), ("analyzer", "l-bo", START)])
    return tmp_path / "history.sqlite"


def _erase(path: Path) -> None:
    with History(path, write=True) as history:
        found = rows_on(history, "corp\\ada", frozenset())
        assert found.ids == {"u-ada", "l-ada"}
        assert found.releases == 1
        mark(history, "corp\\ada", found)
        erase_marked(history)


def test_the_person_is_gone_and_all_others_are_there(path: Path) -> None:
    with History(path) as history:
        before = [json.loads(history.snapshot_json(moment)) for moment in history.moments()]
        counts = [moment.counts for moment in history.moments()]
    _erase(path)
    with History(path, write=True) as history:
        after = [json.loads(history.snapshot_json(moment)) for moment in history.moments()]
        assert [moment.counts for moment in history.moments()] == counts
        assert {moment.without for moment in history.moments()} == {1}
        assert [license_ for _, license_, _ in history.releases()] == ["l-bo"]
        assert rows_on(history, "CORP\\ada", frozenset({"u-ada", "l-ada"})).extent == 0
        assert not [who for who in people_in_history(history, "ada") if who[1] == "ada"]
        later = snapshot_of(20, [user_row("bo"), user_row("ada2")], [license_row("bo", at(19))])
        history.add(later, "it")
        assert history.snapshot_json(history.moments()[-1]) == later
    for old, new in zip(before, after, strict=True):
        for site in (old, new):
            site["users"] = [row for row in site["users"] if row["userId"] != "ada"]
            site["users"][1]["modifiedByUserName"] = ""
            rows = site["licenses"]["analyzer"]
            site["licenses"]["analyzer"] = [row for row in rows if row["user"]["userId"] != "ada"]
        assert new == old
    assert b"CORP\\Ada" not in path.read_bytes()


def test_what_is_marked_can_be_taken_back(path: Path) -> None:
    with History(path, write=True) as history:
        before = [history.snapshot_json(moment) for moment in history.moments()]
        mark(history, "CORP\\ada", rows_on(history, "CORP\\ada", frozenset()))
        unmark(history)
        erase_marked(history)
        assert [history.snapshot_json(moment) for moment in history.moments()] == before
        assert {moment.without for moment in history.moments()} == {0}


def test_those_who_were_erased_can_be_pruned(path: Path) -> None:
    _erase(path)
    with History(path, write=True) as history:
        last = history.snapshot_json(history.moments()[-1])
        assert history.prune(START + timedelta(days=5)) == 5
        assert len(history.moments()) == 4
        assert history.snapshot_json(history.moments()[-1]) == last
        assert history.prune(START + timedelta(days=5)) == 0


def test_license_rules_that_name_the_person_go_too(tmp_path: Path) -> None:
    """All of a snapshot, where one names them; those of other snapshots stay, without who last changed one."""
    path = tmp_path / "history.sqlite"
    naming = rule_row(1, '((user.userId="ada"))', name="Boss")
    other = rule_row(2, '((user.userDirectory="CORP"))', modifiedByUserName="CORP\\ada")
    with History(path, write=True) as history:
        for day, rules in enumerate([[naming, other], [other], None]):
            site = json.loads(snapshot_of(day, [user_row("ada"), user_row("bo")], [license_row("ada", at(day - 1))]))
            history.add(json.dumps(site | ({"licenseRules": rules} if rules else {})).encode(), "it")
        found = rows_on(history, "corp\\ada", frozenset())
        mark(history, "corp\\ada", found)
        erase_marked(history)
        left = [json.loads(history.snapshot_json(moment)).get("licenseRules") for moment in history.moments()]
    assert left == [None, [other | {"modifiedByUserName": ""}], None]
    assert b"ada" not in path.read_bytes()
