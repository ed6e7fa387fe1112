"""A browser, for the pages."""

from tests.engine.report.conftest import chromium

__all__ = ["chromium"]
