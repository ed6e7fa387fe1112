"""Guarantees: sentences about all rules together, proved for all facts there can be, or refuted by an example."""
