"""trace-cmd recordings (trace.dat versions 6 and 7)."""
