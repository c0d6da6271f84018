"""The replay's own event log: JSON Lines, Parquet or Arrow."""
