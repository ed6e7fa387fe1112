"""The page to review a plan."""
