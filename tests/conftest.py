"""What all tests share: how hypothesis searches. Each run tries other examples; CI the same ones, and more of them."""

import os

import pytest
from hypothesis import settings

from tests.profiles import register

register()
# pytest-xdist sets it for its workers, and what commands print would be as wide as that.
os.environ.pop("COLUMNS", None)
settings.load_profile("ci" if "CI" in os.environ else "seatwarden")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """On CI nothing may be skipped: there every server and tool that a test needs is installed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if "CI" in os.environ and reporter is not None and reporter.stats.get("skipped") and exitstatus == 0:
        reporter.write_line("tests were skipped, and on CI none may be", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
