"""The service: its jobs on schedule, its state, its log, and the page that tells how it is."""
