"""The users and licenses of a site at one moment."""
