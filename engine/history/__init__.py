"""What the site looked like on every day that was seen: kept, brought back, counted over time."""

HISTORY_FILE = "history.sqlite"
"""The name of the history in a state folder."""
