"""What all tests share: how hypothesis searches. Each run tries other examples; CI the same ones, and more of them.

`pytest --hypothesis-profile=thorough` searches for long, before a release.
"""

import os

import pytest
from hypothesis import settings

settings.register_profile("seatwarden", deadline=None, max_examples=30)
settings.register_profile("ci", deadline=None, max_examples=60, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=2000)
settings.load_profile("ci" if "CI" in os.environ else "seatwarden")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """On CI nothing may be skipped: there every server and tool that a test needs is installed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if "CI" in os.environ and reporter is not None and reporter.stats.get("skipped") and exitstatus == 0:
        reporter.write_line("tests were skipped, and on CI none may be", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
