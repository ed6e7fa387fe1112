"""Verdicts: the reference evaluator and the fast one, decisions and their reasons."""
