"""What all tests share: how hypothesis searches. Each run tries other examples; CI the same ones, and more of them."""

import faulthandler
import os
import signal
import sys

import pytest
from hypothesis import settings

from tests.platforms import WINDOWS
from tests.profiles import register

register()
# jsonschema makes 38 parsers of it, five seconds in each worker, for a format that no schema of ours has.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
# pytest-xdist sets it for its workers, and what commands print would be as wide as that.
os.environ.pop("COLUMNS", None)
# Every process that a test starts would compile all of it anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# A shell lets what it starts in the background ignore Ctrl-C, and so would all that tests start and end by it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# What hangs ends, and says where. pytest's own limit begins a thread for each test, which takes Wine longer than most.
if "END_AFTER_SECONDS" in os.environ:
    faulthandler.dump_traceback_later(int(os.environ["END_AFTER_SECONDS"]), exit=True, file=2)
settings.load_profile("ci" if "CI" in os.environ else "seatwarden")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What asks Windows itself is no test elsewhere: it is not skipped there, but left out."""
    left_out = [item for item in items if item.get_closest_marker("windows") and not WINDOWS]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """On CI nothing may be skipped: there every server and tool that a test needs is installed.

    Windows is another matter: what it lacks, each such test says.
    """
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or WINDOWS or "CI" not in os.environ or exitstatus != 0:
        return
    if reporter.stats.get("skipped"):
        reporter.write_line("tests were skipped, and on CI none may be", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
