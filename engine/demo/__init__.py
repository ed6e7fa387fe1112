"""The demonstration site and the tour through it."""
