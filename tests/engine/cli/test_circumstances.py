"""Who, where and how, as the record has it: the command as it was given, without what may name somebody."""

import subprocess
import sys
from pathlib import Path

from tests.docs.edits import read
from tests.docs.records import make_record


def test_the_command_is_on_record(tmp_path: Path) -> None:
    state = make_record(tmp_path)
    said = [line["person"]["command"] for line in read(state / "runs.jsonl") if line["kind"] in ("planned", "override")]
    site = tmp_path / "site.yaml"
    dry, run = f"seatwarden run --site {site} --dry-run", f"seatwarden run --site {site}"
    assert said == [run, dry, run, run, f"seatwarden apply … --site {site} --yes --limit 2"]


def test_nothing_is_needed_that_no_dependency_brings() -> None:
    """Typer has a Click of its own: another one is on a developer's machine by chance."""
    code = "import sys; sys.modules['click'] = None; import seatwarden.engine.cli.circumstances"
    subprocess.run([sys.executable, "-c", code], check=True)
