"""Policy tests: the file and its cases."""
