"""Schedule text to tree."""
