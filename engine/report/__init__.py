"""The report: one self-contained HTML page of a run, for people who would rather look than read."""
