"""The tool's version."""

VERSION = "0.2.0"
"""As `pyproject.toml` has it; a test holds them together. To ask the package's metadata takes 15 ms at every start."""
