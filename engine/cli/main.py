"""The command `seatwarden`: its commands, and what becomes of errors. One file a command."""

import sys
from typing import Annotated

import typer

from engine.cli import (
    apply,
    convert,
    demo,
    diff,
    explain,
    fields,
    fmt,
    frequency,
    init,
    lint,
    log,
    plan,
    run,
    schema,
    serve,
    site,
    snapshot,
    test,
)
from engine.cli.exits import ExitCode
from engine.cli.output import complain, prepare_streams
from engine.decision_log import DamagedLog
from engine.qrs.errors import RemoteError
from engine.version import VERSION
from policy.diagnostics import PolicyError
from policy.errors import InputError

app = typer.Typer(
    name="seatwarden",
    help="Decides by a written policy which Qlik Sense licenses are given back after disuse, and proves why.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
# In the order in which an administrator meets them.
app.command("demo")(demo.demo)
app.command("init")(init.init)
app.command("plan")(plan.plan)
app.command("explain")(explain.explain)
app.command("apply")(apply.apply)
app.command("run")(run.run)
app.command("serve")(serve.serve)
app.command("lint")(lint.lint)
app.command("fmt")(fmt.fmt)
app.command("convert")(convert.convert_command)
app.command("fields")(fields.fields)
app.command("schema")(schema.schema)
app.command("test")(test.run_tests)
app.command("diff")(diff.diff)
app.command("frequency")(frequency.frequency)
app.command("snapshot")(snapshot.snapshot)
app.add_typer(site.app, name="site")
app.add_typer(log.app, name="log")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"seatwarden {VERSION}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Runs the command line; ends the process with one of `ExitCode`."""
    prepare_streams()
    try:
        app(prog_name="seatwarden")
    except PolicyError as error:
        for diagnostic in error.diagnostics:
            complain(diagnostic, error.sources)
        sys.exit(ExitCode.BAD_INPUT)
    except InputError as error:
        complain(error)
        sys.exit(ExitCode.BAD_INPUT)
    except RemoteError as error:
        complain(error)
        sys.exit(ExitCode.REMOTE_FAILED)
    except DamagedLog as error:
        log.report_damage(error)
        sys.exit(ExitCode.NO)


if __name__ == "__main__":
    main()
