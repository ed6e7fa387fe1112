"""Unattended work: one run from snapshot to outcomes, the monitors, and the service that does them on schedule."""
