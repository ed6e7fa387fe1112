"""Imported before processes are forked: whatever every apply and every run loads first."""

import influxdb_client

import seatwarden.engine.cli.commands.apply
import seatwarden.engine.cli.commands.restore
import seatwarden.engine.cli.commands.run
import seatwarden.engine.cli.main
import seatwarden.engine.qrs.client
import seatwarden.engine.runs.publish
import seatwarden.engine.runs.run
from seatwarden.grammar.parser import parse_policy

__all__ = ["influxdb_client", "seatwarden"]

parse_policy("release analyzer when unused for 30 days", "warm")
