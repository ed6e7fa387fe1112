"""What all rooms use and none is about: files, timestamps, text, network."""
