"""Running and recording policy tests."""
