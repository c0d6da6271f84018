"""Recordings to one time-ordered event log."""
