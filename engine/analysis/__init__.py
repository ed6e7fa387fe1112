"""Questions about policies over snapshots."""
