"""What terminals, files and quiet jobs get."""

import errno
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.cells import cell_len

from seatwarden.engine.cli.terminal import streams
from seatwarden.engine.cli.terminal.streams import is_closed_pipe, prepare_streams
from seatwarden.engine.common.tables import Column, plain_text
from tests.engine.cli.conftest import Run
from tests.paths import EXAMPLES, ROOT
from tests.platforms import WINDOWS

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
    assert any(line.startswith("season.policy:12") for line in lines) == (columns < 120), "the place stands below"


@pytest.mark.parametrize("columns", [80, 120])
def test_a_list_of_runs_cuts_folders_and_neither_date_nor_state(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("records", "a-long-name-of-a-folder" * 3, "20261121T020000Z-32381c6292e6")
    run(*PLAN, "-o", folder)
    printed = _on_terminal(columns, "log", "list", "records")
    assert "2026-11-21 02:00Z" in printed
    assert "what-if" in printed
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
    """An encoding that somebody asks for may lack letters of many names."""
    settings = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    seatwarden = [sys.executable, "-m", "seatwarden"]
    ran = subprocess.run([*seatwarden, *PLAN, "--format", "csv"], env=settings, capture_output=True, check=False)
    assert ran.returncode == 0
    assert b"Tu?ba" in ran.stdout
    assert b"warning: cp1252 lacks letters of this output (U+011F, U+0131, U+1EC5): each is a `?` there" in ran.stderr
    policy = tmp_path / "p.policy"
    policy.write_text('keep when user.name = "Tuğba"\n', encoding="utf-8")
    convert = [*seatwarden, "convert", str(policy), "--to", "policy"]
    ran = subprocess.run(convert, env=settings, capture_output=True, check=False)
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert ran.stderr.decode() == (
        f"error: cp1252 lacks the character U+011F{os.linesep}  = help: write to a file with --output{os.linesep}"
    )
    assert subprocess.run([*convert, "-o", str(tmp_path / "q.policy")], env=settings, check=False).returncode == 0
    assert "Tuğba" in (tmp_path / "q.policy").read_text(encoding="utf-8")


def test_redirected_output_keeps_every_letter(tmp_path: Path) -> None:
    """On Windows without PYTHONUTF8, and elsewhere in a locale of our days; what was redirected can be read again."""
    settings = {**os.environ, "PYTHONPATH": str(ROOT)}
    for name in ("PYTHONIOENCODING", "PYTHONUTF8"):
        settings.pop(name, None)
    if os.name != "nt":
        settings["LC_ALL"] = "C.UTF-8"
    policy = tmp_path / "p.policy"
    policy.write_text(
        'keep "Tuğba" when user.name = "李明"\nrelease analyzer when unused for 30 days\n', encoding="utf-8"
    )
    seatwarden = [sys.executable, "-m", "seatwarden"]
    for arguments in (["convert", str(policy), "--to", "yaml"], [*PLAN, "--format", "csv"]):
        with (tmp_path / "out.yaml").open("wb") as file:
            subprocess.run([*seatwarden, *arguments], env=settings, stdout=file, stderr=file, check=True)
        text = (tmp_path / "out.yaml").read_text(encoding="utf-8")
        assert "Tuğba" in text
        if arguments[0] == "convert":
            ran = subprocess.run([*seatwarden, "lint", "out.yaml"], env=settings, cwd=tmp_path, capture_output=True)
            assert (ran.returncode, ran.stdout.strip()) == (0, b"no findings in 1 file")


def _stream(encoding: str, terminal: bool) -> io.TextIOWrapper:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    stream.isatty = lambda: terminal  # type: ignore[method-assign]
    return stream


@pytest.mark.parametrize(
    ("system", "terminal", "environment", "encoding"),
    [
        ("nt", False, {}, "utf-8"),
        ("nt", True, {}, "cp1252"),
        ("nt", False, {"PYTHONIOENCODING": "cp1252"}, "cp1252"),
        ("posix", False, {}, "cp1252"),
    ],
)
def test_who_gets_utf8(
    monkeypatch: pytest.MonkeyPatch, system: str, terminal: bool, environment: dict[str, str], encoding: str
) -> None:
    monkeypatch.setattr(streams, "os", SimpleNamespace(name=system, environ=environment))
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, _stream("cp1252", terminal))
    prepare_streams()
    assert (sys.stdout.encoding, sys.stderr.encoding) == (encoding, encoding)


@pytest.mark.parametrize("arguments", [PLAN, (*PLAN, "--format", "json"), ("fields",), ("demo",)])
def test_nobody_reads_on(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """`… | head`: the command ends, and says nothing of it."""
    settings = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "seatwarden", *arguments]
    given: Any = {"cwd": tmp_path, "env": settings, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **given) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == (b"", 1)


def test_windows_says_of_a_closed_pipe_that_it_is_invalid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    invalid = OSError(errno.EINVAL, "Invalid argument")
    reads, writes = os.pipe()
    with open(reads, "rb"), open(writes, "w") as pipe, (tmp_path / "file").open("w") as file:
        for stdout, stderr, system, closed in (
            (pipe, file, "nt", True),
            (file, pipe, "nt", True),
            (io.StringIO(), file, "nt", False),
            (pipe, file, "posix", False),
        ):
            with monkeypatch.context() as there:
                there.setattr(sys, "stdout", stdout)
                there.setattr(sys, "stderr", stderr)
                there.setattr(streams, "os", SimpleNamespace(name=system, fstat=os.fstat))
                assert is_closed_pipe(invalid) is closed
                assert is_closed_pipe(BrokenPipeError(errno.EPIPE, "Broken pipe"))
                assert not is_closed_pipe(OSError(errno.ENOSPC, "full"))
                assert not is_closed_pipe(OSError(errno.EINVAL, "Invalid argument", "a name that no file has"))


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


@pytest.mark.parametrize("arguments", [PLAN, ("fields",), ("lint", PLAN[2]), ("plan",)])
def test_a_process_without_a_console(arguments: tuple[str, ...]) -> None:
    """Services and pythonw on Windows have neither stdout nor stderr."""
    if WINDOWS:
        python = [str(Path(sys.executable).with_name("pythonw.exe"))]
    else:
        python = ["sh", "-c", 'exec "$0" "$@" >&- 2>&-', sys.executable]
    ran = subprocess.run([*python, "-m", "seatwarden", *arguments], cwd=ROOT, check=False)
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
