"""The plan of a run: its decisions, its limits, its records."""
