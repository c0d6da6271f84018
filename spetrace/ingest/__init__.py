"""Recorded files to tables."""
