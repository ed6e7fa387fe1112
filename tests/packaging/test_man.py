"""The man page: made from the program as it is, and readable for what shows man pages."""

import shutil
import subprocess

import pytest

from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.lazy import COMMANDS
from tests.docs.man import PAGE, page


def test_it_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: make man"


def test_all_commands_and_exit_codes_are_in_it() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"\n.SS seatwarden {name}" in text
    for code in ExitCode:
        assert f"\n.TP\n.B {code:d}\n" in text


@pytest.mark.skipif(shutil.which("groff") is None, reason="there is no groff here")
def test_groff_has_nothing_to_say_about_it() -> None:
    shown = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-K", "utf8", PAGE],  # noqa: S607
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "seatwarden log verify" in shown.stdout
    assert "%LOCALAPPDATA%\\seatwarden" in shown.stdout
