"""Sessions and runs as traces for other tools' viewers."""
