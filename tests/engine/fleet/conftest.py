"""A browser, for the page."""

from tests.engine.report.conftest import chromium

__all__ = ["chromium"]
