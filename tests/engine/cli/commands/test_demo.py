"""`seatwarden demo` and the command as a process of its own."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from seatwarden.engine.cli.circumstances import clock
from seatwarden.engine.demo import mailbox, year
from seatwarden.engine.demo.files import own_folder
from tests.engine.cli.conftest import Run
from tests.paths import ROOT
from tests.platforms import split_command


def test_the_tour(run: Run, tmp_path: Path) -> None:
    ran = run("demo", "--folder", tmp_path / "demo")
    assert (ran.code, ran.err) == (0, "")
    for words in (
        "$ seatwarden plan --site",
        "Sealed plan written to",
        "KEPT — protected by",
        "IN THIS RUN — release professional",
        "KEPT — not due yet",
        "KEPT — in quarantine",
        ": verified",
        "All that took 7 requests to QRS, and nothing was released",
        "Killed\n",
        "done by an earlier run)",
        "19 released, 0 gone, 0 skipped, 0 failed, 0 unknown",
        "19 licenses were deleted on the simulated site, 19 different ones.",
    ):
        assert words in ran.out


def test_told_before_it_happens(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two weeks that end today: the dates are those of the clock, the message is the one that was sent."""
    real = clock()
    monkeypatch.setattr("seatwarden.engine.cli.commands.demo.clock", lambda: real)
    out = run("demo", "--folder", tmp_path / "demo").out.partition("Told before it happens")[2]
    days = [f"{real - timedelta(days=before):%Y-%m-%d}" for before in (14, 9, 3, 0)]
    story = [line for line in out.splitlines() if line[:10] in days]
    assert [line[:10] for line in story] == days
    assert [line[12:] for line in story] == [
        "Nothing is released yet, 4 messages sent. One of them:",
        "Elena Fernández has opened Qlik Sense, and keeps the license.",
        "3 reminders sent.",
        "3 licenses released, on the day that was told.",
    ]
    message = out.partition(story[0])[2].partition(story[1])[0]
    assert "  | To: efernandez@corp.example.com\n" in message
    assert f"on {real.day} {real:%B %Y}" in " ".join(message.replace("\n  | ", " ").split())
    assert max(map(len, [*message.splitlines(), *story])) <= 80
    assert "  restored  analyzer      CORP\\rcohen\n1 restored, 0 held" in out


def test_a_mail_server_of_the_demo_that_takes_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something between it and us, such as a guard against viruses: the story does not go on as if people were told."""
    monkeypatch.setattr(mailbox._Conversation, "_content", _go_away)
    ran = run("demo", "--folder", tmp_path / "demo")
    assert (ran.code, "the demo's own mail server did not get a message: " in ran.err) == (2, True)
    assert "One of them" not in ran.out


def _go_away(conversation: object) -> bytes:
    raise ConnectionError


def test_what_the_demo_suggests_works(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    *suggestions, history, stay = _suggestions(run("demo").out.split("Try next:")[1])
    assert len(suggestions) == 7
    for words in suggestions:
        assert run(*words).code == 0
    assert (history, stay) == (["demo", "--history"], ["demo", "--stay"])


def test_twelve_months_and_what_a_backtest_says(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of fewer people and nights here; docs/backtest.md has all."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(year, "NIGHTS", 60)
    monkeypatch.setattr(year, "USERS_OF_A_YEAR", 60)
    ran = run("demo", "--history")
    assert (ran.code, ran.err) == (0, "")
    assert "A simulated site with 60 users, seen in 60 nights" in ran.out
    assert "60 snapshots" in ran.out
    folder = tmp_path / "seatwarden-demo"
    assert '<svg class="curve"' in (folder / "backtest.html").read_text(encoding="utf-8")
    for words in _suggestions(ran.out.split("Try next:")[1]):
        assert run(*words).code == 0
    config = (folder / "butler.yaml").read_text(encoding="utf-8")
    (folder / "butler.yaml").write_text(config.replace("analyzer:", "analyzer:  # mine"), encoding="utf-8")
    again = run("demo", "--history")
    assert (again.code, again.out) == (0, ran.out)
    assert "# mine" in (folder / "butler.yaml").read_text(encoding="utf-8"), "what was edited stays"


def test_a_history_has_no_site_to_stay(run: Run, tmp_path: Path) -> None:
    ran = run("demo", "--history", "--stay", "--folder", tmp_path / "demo")
    assert (ran.code, "`--history` has none" in ran.err) == (2, True)
    assert not (tmp_path / "demo").exists()


@pytest.mark.skipif(os.name == "nt", reason="a process of its own cannot be sent Ctrl-C there")
def test_a_site_that_stays(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    command = [sys.executable, "-m", "seatwarden", "demo", "--stay"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=environment) as demo:
        try:
            assert demo.stdout is not None
            said = [demo.stdout.readline() for _ in range(7)]
            assert "Ctrl-C" in said[0]
            for words in _suggestions("".join(said)):
                ran = run(*words, *(["--yes"] if words[0] == "apply" else []))
                assert (ran.code, ran.err) == (0, "")
        finally:
            demo.send_signal(signal.SIGINT)
        assert demo.stdout.read() == "\nThe simulated site is gone, its files stay.\n"
    assert demo.returncode == 0


def test_nothing_in_the_working_folder_is_run(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for module in ("seatwarden", "policy", "grammar", "engine", "typer", "json"):
        Path(f"{module}.py").write_text("raise SystemExit(open('was-run', 'a').write(__name__))", encoding="utf-8")
    assert run("demo").code == 0
    assert not Path("was-run").exists()


def test_a_process_that_ends_before_it_is_killed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = "import os, sys\nprint('no room left', file=sys.stderr, flush=True)\nos._exit(7)\n"
    (tmp_path / "sitecustomize.py").write_text(ends, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    ran = run("demo", "--folder", tmp_path / "demo")
    message = "error: this process ended by itself, with exit code 7, before it could be killed"
    assert (ran.code, ran.err) == (2, f"no room left\n{message}\n")
    assert "Killed" not in ran.out


def _suggestions(text: str) -> list[list[str]]:
    return [split_command(line.strip())[1:] for line in text.splitlines() if line.startswith("  seatwarden ")]


def test_the_demo_can_be_run_again(run: Run, tmp_path: Path) -> None:
    assert [run("demo", "--folder", tmp_path / "demo").code for _ in range(2)] == [0, 0]


def test_as_a_process() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "seatwarden", "--version"], capture_output=True, text=True, check=True
    )
    assert ended.stdout.startswith("seatwarden ")
    ended = subprocess.run([sys.executable, "-m", "seatwarden", "plan"], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: ")


def test_what_was_edited_stays(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    assert run("demo", "--folder", folder).code == 0
    config = folder / "butler.yaml"
    first = config.read_text(encoding="utf-8")
    assert "as you edited it" not in run("demo", "--folder", folder).out
    edited = config.read_text(encoding="utf-8").replace("releaseThresholdDays: 30", "releaseThresholdDays: 45")
    config.write_text(edited, encoding="utf-8")
    ran = run("demo", "--folder", folder)
    assert (ran.code, "is kept as you edited it, but for the port" in ran.out) == (0, True)
    again = config.read_text(encoding="utf-8")
    assert _without_port(again) == _without_port(edited) != _without_port(first)
    config.write_text(edited.replace("    port:", "    # port:"), encoding="utf-8")
    ran = run("demo", "--folder", folder)
    assert (ran.code, "has no `port` under `configQRS` any more" in ran.err) == (2, True)


def _without_port(text: str) -> list[str]:
    return [line for line in text.splitlines() if "port:" not in line]


@pytest.mark.parametrize("name", ["butler.yaml", "snapshot.json", "notes.txt"])
def test_files_of_others_are_not_touched(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("configQRS: {host: q, port: 4242}\n", encoding="utf-8")
    ran = run("demo", "--folder", tmp_path)
    assert (ran.code, "has files that are not the demo's" in ran.err) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert "port: 4242" in (tmp_path / name).read_text(encoding="utf-8")


def test_a_snapshot_of_ones_own_beside_the_demo(run: Run, tmp_path: Path) -> None:
    (tmp_path / "butler.yaml").write_text("# This one is simulated, and gone when the demo ends.\n", encoding="utf-8")
    (tmp_path / "snapshot.json").write_text("{}", encoding="utf-8")
    ran = run("demo", "--folder", tmp_path)
    assert (ran.code, "snapshot.json` is not the demo's" in ran.err) == (2, True)


def test_a_running_demo_keeps_its_folder(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with own_folder(folder) as first, own_folder(folder) as second:
        assert (first, second) == (folder, tmp_path / "demo-2")
        ran = run("demo", "--folder", folder)
    assert (ran.code, ran.out.splitlines()[0]) == (
        0,
        f"A demo is running in {folder}: this one has {tmp_path / 'demo-3'}.",
    )
    assert not (folder / "butler.yaml").exists()
