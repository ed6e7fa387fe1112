"""The site file, read in one place."""
