"""Schedules: their meaning, their check, their occurrences."""
