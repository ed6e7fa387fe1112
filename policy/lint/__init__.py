"""Lint: what is right in form, and probably not what was meant. One file a family of findings."""
