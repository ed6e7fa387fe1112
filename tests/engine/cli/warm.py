"""Imported before processes are forked: whatever every apply and every run loads first."""

import influxdb_client

import engine.cli.apply
import engine.cli.main
import engine.cli.run
import engine.qrs.client
import engine.service.aftermath
import engine.service.unattended
from grammar.parser import parse_policy

__all__ = ["engine", "influxdb_client"]

parse_policy("release analyzer when unused for 30 days", "warm")
