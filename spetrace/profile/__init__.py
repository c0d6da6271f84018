"""Profiles: SPE records counted by instruction, data page, latency, event and CPU."""
