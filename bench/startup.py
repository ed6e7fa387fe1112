"""Start-up: what a command takes that has nothing to do."""

from pathlib import Path
from statistics import median

from bench.measure import ROOT, ratio, run, seconds, table

_EMPTY_APP = """\
from pathlib import Path
from typing import Annotated
import typer
app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
@app.command()
def command(files: Annotated[list[Path] | None, typer.Argument()] = None, strict: bool = False) -> None:
    pass
app()
"""


def measure(folder: Path, runs: int) -> str:
    """The section of the report."""
    app = folder / "empty_app.py"
    app.write_text(_EMPTY_APP, encoding="utf-8")
    examples = ROOT / "examples"
    commands: dict[str, tuple[str | Path, ...]] = {
        '`python -c "import typer"`': ("-c", "import typer"),
        "a Typer program with one argument, one option, nothing to do": (app,),
        "`seatwarden --version`": ("-m", "seatwarden", "--version"),
        "`seatwarden lint butler.policy`": ("-m", "seatwarden", "lint", examples / "butler.policy"),
        "`seatwarden lint butler.yaml`": ("-m", "seatwarden", "lint", examples / "butler.yaml"),
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            times[name].append(run(*command).seconds)
    floor = next(iter(times.values()))
    rows = [(name, seconds(median(found)), f"{ratio(found, floor):.1f}×") for name, found in times.items()]
    return "## Start-up\n\n" + table(("process", "time", "to `import typer`"), rows)
