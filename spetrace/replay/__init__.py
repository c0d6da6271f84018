"""One event log re-run under every stage-2 strategy."""
