"""The command `seatwarden`, and the way its errors are told. The commands stand in `lazy.py`."""

import errno
import sys
from typing import Annotated

import typer

from seatwarden.engine.cli.exits import ExitCode, exit_code
from seatwarden.engine.cli.lazy import LazyGroup
from seatwarden.engine.cli.terminal.output import complain_of, forget_warnings, note
from seatwarden.engine.cli.terminal.streams import (
    is_closed_pipe,
    leave_closed_pipe,
    letters_lost,
    nowhere,
    prepare_streams,
)
from seatwarden.engine.common.rights import LEFT_TO_FOLDERS, left_to_folders
from seatwarden.engine.version import VERSION
from seatwarden.grammar.errors import SeatwardenError
from seatwarden.policy.errors import InputError

app = typer.Typer(
    name="seatwarden",
    cls=LazyGroup,
    help="Decides by a written policy which Qlik Sense licenses are given back after disuse, and proves why.",
    epilog="New here? `seatwarden demo` shows everything on a simulated site, and touches none of yours.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
    forget_warnings()
    try:
        _run_app()
    except SeatwardenError as error:
        complain_of(error)
        sys.exit(exit_code(error))
    except OSError as error:
        if is_closed_pipe(error):
            leave_closed_pipe()
            sys.exit(ExitCode.NO)
        if error.filename is not None:
            complain_of(InputError(f"`{error.filename}` cannot be used: {error.strerror}"))
        elif error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            sys.stdout = nowhere()  # what is left in it cannot be written either
            complain_of(InputError(f"the output cannot be written: {error.strerror}", "make room, then do it again"))
        else:
            raise
        sys.exit(ExitCode.BAD_INPUT)
    finally:
        if left_to_folders():
            note(f"warning: {LEFT_TO_FOLDERS}")
            note("  = help: install it where seatwarden is: pip install pywin32")
        if lost := letters_lost():
            note(f"warning: {sys.stdout.encoding} lacks letters of this output ({lost}): each is a `?` there")
            note("  = help: set the environment variable PYTHONIOENCODING=utf-8, and what comes is UTF-8")


def _run_app() -> None:
    """Runs a command, and writes what is still to be written while errors are told."""
    try:
        # Not expanded on Windows: a user `*` is nobody's file there. Only `lint` takes patterns.
        app(prog_name="seatwarden", windows_expand_args=False)
    finally:
        sys.stdout.flush()


if __name__ == "__main__":
    main()
