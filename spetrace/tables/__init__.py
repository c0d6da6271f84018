"""The tables that spetrace reads and writes, each declared once."""
