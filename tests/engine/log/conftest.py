"""The command line, for logs that are forged."""

from tests.engine.cli.conftest import certificates, quick, run, site_file

__all__ = ["certificates", "quick", "run", "site_file"]
