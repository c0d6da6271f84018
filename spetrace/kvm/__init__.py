"""What KVM recordings mean: exits, faults, refaults and time per VM, computed from their tables."""
