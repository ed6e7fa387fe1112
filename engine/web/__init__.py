"""A page for one person on this machine: the report of a plan, and a form to approve it or to reject it."""
