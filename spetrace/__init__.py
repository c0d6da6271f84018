"""spetrace: Arm SPE sessions replayed under every KVM stage-2 strategy."""

__version__ = "0.1.0"
