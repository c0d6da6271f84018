"""Arm SPE sample records: bytes to columns."""
