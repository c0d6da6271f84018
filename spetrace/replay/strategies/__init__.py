"""The stage-2 strategies, one file each."""
