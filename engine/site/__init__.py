"""What a site file says, read in one place."""
