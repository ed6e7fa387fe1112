"""What terminals, files and quiet jobs get."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len

from seatwarden.engine.common.tables import Column, plain_text
from tests.engine.cli.conftest import Run
from tests.paths import EXAMPLES, ROOT

PLAN = ("plan", "--policy", str(EXAMPLES / "butler.yaml"), "--snapshot", str(EXAMPLES / "site.json"))


def _on_terminal(columns: int, *arguments: str, **environment: str) -> str:
    """What a command prints on a terminal of that many columns, escape codes included."""
    pty = pytest.importorskip("pty", reason="Windows has no pseudo-terminals of this kind")
    import fcntl
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    settings = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    for name in ("NO_COLOR", "COLUMNS", "LINES"):
        settings.pop(name, None)
    process = subprocess.Popen(
        [sys.executable, "-m", "seatwarden", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**settings, **environment},
    )
    os.close(theirs)
    printed = b""
    while True:
        try:
            part = os.read(ours, 65_536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        printed += part
    os.close(ours)
    process.wait()
    return printed.decode()


@pytest.mark.parametrize("columns", [80, 100, 120, 160])
def test_a_plan_takes_one_line_a_license(columns: int) -> None:
    printed = re.sub(r"\x1b\[[0-9;]*m", "", _on_terminal(columns, *PLAN, "--show", "all")).replace("\r", "")
    lines = printed.split("\n")
    assert max(map(cell_len, lines)) <= columns
    rows = [line for line in lines if re.match(r" (?:ADMIN|CORP|PARTNER|INTERNAL)\\", line)]
    assert len(rows) == 13
    head = next(line for line in lines if "Days" in line)
    row = next(line for line in rows if "asvensson" in line)
    assert row[: head.index("Days") + len("Days")].endswith(" 303"), "days stand to the right"
    assert "Name" in head


@pytest.mark.parametrize("size", ["--full", "--format=text"])
@pytest.mark.parametrize("columns", [80, 100, 120])
def test_an_explanation_breaks_between_words(columns: int, size: str) -> None:
    season = str(EXAMPLES / "season.policy")
    explain = ("explain", "asvensson", "--policy", season, "--snapshot", PLAN[4], size)
    printed = re.sub(r"\x1b\[[0-9;]*m", "", _on_terminal(columns, *explain)).replace("\r", "")
    whole = _on_terminal(400, *explain)
    assert max(map(cell_len, printed.split("\n"))) <= columns
    words = re.sub(r"\x1b\[[0-9;]*m", "", whole).split()
    assert sorted(printed.split()) == sorted(words), "every word stays whole"
    lines = [line.strip() for line in printed.split("\n")]
    assert any(line.startswith("season.policy:7") for line in lines) == (columns < 120), "the place stands below"


@pytest.mark.parametrize("columns", [80, 120])
def test_a_list_of_runs_cuts_folders_and_neither_date_nor_state(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("records", "a-long-name-of-a-folder" * 3, "20261121T020000Z-32381c6292e6")
    run(*PLAN, "-o", folder)
    printed = _on_terminal(columns, "log", "list", "records")
    assert "2026-11-21 02:00Z" in printed
    assert "planned" in printed
    assert re.search("…[^ ]*32381c6292e6 ", printed), "its end tells folders apart"


def test_colours_on_a_terminal_only_and_not_under_no_color() -> None:
    explain = ("explain", r"ADMIN\jdoe", *PLAN[1:])
    assert "\x1b[" in _on_terminal(100, *explain)
    plain = _on_terminal(100, *explain, NO_COLOR="1")
    assert "\x1b[3" not in plain
    assert "✓" in plain, "what colours say, signs say too"


@pytest.mark.parametrize("arguments", [PLAN, ("explain", r"ADMIN\jdoe", *PLAN[1:]), ("lint", PLAN[2]), ("fields",)])
def test_no_escape_codes_in_files(arguments: tuple[str, ...], tmp_path: Path) -> None:
    forced = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    forced.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "seatwarden", *arguments]
    with (tmp_path / "out.txt").open("wb") as file:
        subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, env=forced, check=False)
    assert b"\x1b" not in (tmp_path / "out.txt").read_bytes()


@pytest.mark.parametrize("encoding", ["cp437", "cp1252", "ascii", "utf-8"])
def test_consoles_of_any_encoding(encoding: str) -> None:
    settings = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding}
    for arguments in (PLAN, ("explain", r"ADMIN\jdoe", *PLAN[1:])):
        command = [sys.executable, "-m", "seatwarden", *arguments]
        ran = subprocess.run(command, env=settings, capture_output=True, check=False)
        assert ran.returncode == 0, ran.stderr
        assert ("asvensson" if arguments is PLAN else "jdoe") in ran.stdout.decode(encoding)


def test_letters_are_not_lost_in_silence(tmp_path: Path) -> None:
    """Windows redirects in an encoding of its own, which lacks letters of many names."""
    settings = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    seatwarden = [sys.executable, "-m", "seatwarden"]
    ran = subprocess.run([*seatwarden, *PLAN, "--format", "csv"], env=settings, capture_output=True, check=False)
    assert ran.returncode == 0
    assert b"Tu?ba" in ran.stdout
    assert b"warning: cp1252 lacks letters of this output" in ran.stderr
    policy = tmp_path / "p.policy"
    policy.write_text('keep when user.name = "Tuğba"\n', encoding="utf-8")
    convert = [*seatwarden, "convert", str(policy), "--to", "policy"]
    ran = subprocess.run(convert, env=settings, capture_output=True, check=False)
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert b"write to a file with --output" in ran.stderr
    assert subprocess.run([*convert, "-o", str(tmp_path / "q.policy")], env=settings, check=False).returncode == 0
    assert "Tuğba" in (tmp_path / "q.policy").read_text(encoding="utf-8")


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_marks_say_the_same_where_they_are_missing(encoding: str) -> None:
    """A `?` in an explanation is a truth that nobody knows."""
    command = [sys.executable, "-m", "seatwarden", "explain", r"ADMIN\jdoe", *PLAN[1:], "--full"]
    settings = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding}
    ran = subprocess.run(command, env=settings, capture_output=True, check=False)
    whole = subprocess.run(command, env={**settings, "PYTHONIOENCODING": "utf-8"}, capture_output=True, check=False)
    shown, wanted = ran.stdout.decode(encoding), whole.stdout.decode("utf-8")
    assert "?" not in wanted
    assert "?" not in shown
    assert [line.count("+ ") for line in shown.splitlines()] == [line.count("✓ ") for line in wanted.splitlines()]
    assert b"warning" not in ran.stderr


@pytest.mark.skipif(os.name == "nt", reason="closes streams by the shell")
@pytest.mark.parametrize("arguments", [PLAN, ("fields",), ("lint", PLAN[2]), ("plan",)])
def test_a_process_without_a_console(arguments: tuple[str, ...]) -> None:
    """Services and pythonw on Windows have neither stdout nor stderr."""
    command = ["sh", "-c", 'exec "$0" "$@" >&- 2>&-', sys.executable, "-m", "seatwarden", *arguments]
    ran = subprocess.run(command, cwd=ROOT, check=False)
    assert ran.returncode == (2 if arguments == ("plan",) else 0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
@pytest.mark.parametrize("arguments", [PLAN, (*PLAN, "--format", "json"), ("fields",)])
def test_a_full_disk_under_the_output(arguments: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "seatwarden", *arguments]
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stderr.startswith("error: the output cannot be written: No space left on device\n")
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr


def test_quiet_says_nothing_when_all_is_well(run: Run, tmp_path: Path) -> None:
    ran = run(*PLAN, "-o", tmp_path / "plan", "--quiet")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert (tmp_path / "plan" / "plan.jsonl").exists()
    assert run(*PLAN).out, "quiet is for one command"


def test_quiet_still_says_errors_and_what_was_asked_for(run: Run, tmp_path: Path) -> None:
    assert json.loads(run(*PLAN, "--quiet", "--format", "json").out)["decisions"]
    wrong = run("plan", "--quiet", "--policy", tmp_path / "none.policy", "--snapshot", EXAMPLES / "site.json")
    assert wrong.code == 2
    assert "none.policy" in wrong.err


def test_wide_and_narrow_characters_stay_in_their_columns() -> None:
    text = plain_text((Column("Name"), Column("Days", right=True)), [("李明", "7"), ("Åsa", "1,200")])
    ends = [cell_len(line.rstrip()) for line in text.split("\n")[1:] if line.strip() and "─" not in line]
    assert len(set(ends)) == 1
