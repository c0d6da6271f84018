"""Sweeps: one replay per point of a grid, on all cores or on a cluster, kept as they finish."""
