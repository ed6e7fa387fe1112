"""The versions of the tool and of the logs that it writes."""

VERSION = "0.2.0"
"""As `pyproject.toml` has it; a test holds them together. To ask the package's metadata takes 15 ms at every start."""
FORMAT = 2
"""Version of the logs' format: see docs/formats.md. Readers refuse a higher one."""
