"""A browser, for the HTML of messages."""

from tests.engine.report.conftest import chromium

__all__ = ["chromium"]
