"""Imported before processes are forked: whatever every apply loads first."""

import engine.cli.main
import engine.qrs.client
from grammar.parser import parse_policy

__all__ = ["engine"]

parse_policy("release analyzer when unused for 30 days", "warm")
