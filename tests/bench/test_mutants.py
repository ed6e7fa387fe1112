"""What is said of mutants: which may survive, and what fails CI. That mutmut makes and runs them is mutmut's."""

import subprocess
from pathlib import Path

import pytest

from bench.mutants import Change, Mutant, Room, _change, accepted, changed_functions, report, rooms
from tests.paths import ROOT

DECIDE = "engine/decide/decide.py"
GUARDED = [Room("engine/decide", (), guarded=True)]
WAS = Change(DECIDE, "if one < two:", "if one <= two:")


def _mutants(*fates: tuple[Change, bool | None]) -> list[Mutant]:
    return [Mutant(f"m{number}", change, noticed) for number, (change, noticed) in enumerate(fates)]


def test_rooms_and_their_tests_are_there() -> None:
    for room in rooms():
        assert (ROOT / room.name).is_dir() or (ROOT / f"{room.name}.py").is_file()
        assert any((ROOT / test).exists() for test in room.tests)
    guarded = {room.name for room in rooms() if room.guarded}
    assert guarded == {"engine/decide", "engine/facts", "engine/plan/limits", "engine/apply", "engine/log"}


def test_what_is_accepted_is_in_the_code_and_has_a_reason() -> None:
    """An entry whose line has gone is none any more."""
    for change, reason in accepted().items():
        code = (ROOT / change.file).read_text(encoding="utf-8")
        stripped = [line.strip() for line in code.splitlines()]
        assert all(line in stripped for line in change.was.splitlines()), change
        assert reason
        assert change.was != change.becomes


def test_a_room_has_its_files_and_no_others() -> None:
    room, module = Room("engine/log", (), guarded=True), Room("engine/plan/limits", (), guarded=True)
    files = ("engine/log/chain.py", "engine/logs.py", "engine/plan/limits.py", "engine/plan/plan.py")
    assert [(room.has(file), module.has(file)) for file in files] == [
        (True, False),
        (False, False),
        (False, True),
        (False, False),
    ]


def test_a_change_is_read_from_a_diff() -> None:
    diff = "--- a\n+++ a\n@@ -1,3 +1,3 @@\n def f():\n-    if one < two:\n+    if one <= two:\n         return 1"
    assert _change(DECIDE, diff) == WAS


@pytest.mark.parametrize(
    ("mutant", "allowed", "fine"),
    [
        ((WAS, True), {}, True),
        ((WAS, None), {}, True),
        ((WAS, False), {}, False),
        ((WAS, False), {WAS: "the same"}, True),
        ((WAS, False), {Change(DECIDE, WAS.was, "if one > two:"): "another"}, False),
        ((Change("engine/explain/due.py", "a", "b"), False), {}, True),  # told, but nobody is stopped
    ],
)
def test_a_new_survivor_in_a_guarded_room_fails(
    mutant: tuple[Change, bool | None],
    allowed: dict[Change, str],
    fine: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert report(_mutants(mutant), allowed, GUARDED) is fine
    said = capsys.readouterr().out
    survived = mutant[1] is False and mutant[0] not in allowed
    assert ("becomes = " in said) is survived


@pytest.mark.parametrize(
    ("becomes", "fine"),
    [
        ("list(zip(*rows, strict=False))", True),
        ("list(zip(*rows, strict=None))", True),
        ("list(zip(*rows, ))", True),
        ("list(zip(strict=True))", False),
        ("list(zip(*None, strict=True))", False),
        ("None", False),
    ],
)
def test_a_zip_that_is_less_strict_may_survive(becomes: str, fine: bool) -> None:
    assert report(_mutants((Change(DECIDE, "list(zip(*rows, strict=True))", becomes), False)), {}, GUARDED) is fine


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    other = Change("engine/log/chain.py", "x = 1", "x = None")
    report(_mutants((WAS, True), (WAS, False), (other, False), (other, None)), {WAS: "the same"}, GUARDED)
    *_, header, decide, chain, both = capsys.readouterr().out.splitlines()
    assert header.split() == ["module", "mutants", "noticed", "accepted", "survived", "not", "run"]
    assert decide.split() == [DECIDE, "2", "1", "1", "0", "0"]
    assert chain.split() == ["engine/log/chain.py", "2", "0", "0", "1", "1"]
    assert both.split() == ["all", "4", "1", "1", "1", "1"]


CODE = """\
def one():
    return 1

class Some:
    def one(self):
        return 1

    def two(self):
        return 2

def last():
    print()
    return 1
"""


def test_what_a_commit_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)  # noqa: S607

    monkeypatch.setattr("bench.mutants.ROOT", tmp_path)
    assert changed_functions("HEAD~1") == {}  # no repository
    (tmp_path / "engine" / "log").mkdir(parents=True)
    chain = tmp_path / "engine" / "log" / "chain.py"
    chain.write_text(CODE)
    (tmp_path / "README.md").write_text("one\n")
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "one")
    assert changed_functions("HEAD~1") == {}  # the first commit
    chain.write_text(CODE.replace("return 2", "return 3").replace("    print()\n", ""))
    (tmp_path / "README.md").write_text("two\n")
    git("commit", "-q", "-a", "-m", "two")
    assert changed_functions("HEAD~1") == {"engine/log/chain.py": {("two", "Some"), ("last", None)}}
    chain.write_text(f"ONE = 1\n{chain.read_text()}")
    git("commit", "-q", "-a", "-m", "three")
    assert changed_functions("HEAD~1") == {}  # tables at the top are not changed by mutants
