"""A run as terminal text, mail, HTML, JSON and Parquet."""
