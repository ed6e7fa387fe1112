"""Streams, styles and tables."""
