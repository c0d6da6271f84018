"""Facts of the Arm architecture and pure functions on them; no state, no input or output."""
