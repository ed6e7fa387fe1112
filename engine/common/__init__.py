"""Tools of all rooms: files, timestamps, text, network."""
