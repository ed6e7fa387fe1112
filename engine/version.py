"""The tool's version, as its package metadata says."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("seatwarden")
except PackageNotFoundError:  # run from a source tree that was never installed
    VERSION = "0+source"
