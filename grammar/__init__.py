"""The first floor: policy text to tree and back; source spans. Knows nothing of what a policy means."""
