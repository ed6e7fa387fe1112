"""The decision log: its chain and lines, how they are written, read and replayed; the journal."""
