"""The results of commands, as they are shown."""
