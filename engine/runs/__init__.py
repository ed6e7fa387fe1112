"""One unattended run, recovery of an interrupted one, and publishing what a run did."""
