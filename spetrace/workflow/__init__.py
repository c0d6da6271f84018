"""What a command or a call of the Python API does from end to end: read, assemble, replay, save."""
