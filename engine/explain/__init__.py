"""Explanations: the reasons why a license is kept or released, and what would change that."""
