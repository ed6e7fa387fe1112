"""The third floor: snapshots, decisions, explanations, plans, and the command line on the roof."""
