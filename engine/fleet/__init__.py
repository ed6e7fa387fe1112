"""Many sites at once: what belongs to a fleet, the work of one site, who does it, the limit over all, how it ended."""
