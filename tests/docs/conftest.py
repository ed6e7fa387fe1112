"""The documentation's commands are run as the command line's tests run theirs."""

from tests.engine.cli.conftest import run

__all__ = ["run"]
