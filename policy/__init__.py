"""The second floor: what a policy means; vocabulary, type check, front ends, diagnostics."""
