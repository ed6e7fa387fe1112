"""The command line, for logs that are forged."""

from tests.engine.cli.conftest import quick, run, site_file

__all__ = ["quick", "run", "site_file"]
