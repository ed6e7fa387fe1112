"""Told before it happens: who was told of a release, when, and what follows from it."""
