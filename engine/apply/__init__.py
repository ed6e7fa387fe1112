"""Acting on a plan: one license at a time, and the steps around."""
