"""Told before it happens: who was told of a release, and whose licenses are held for a while."""
