"""spetrace: Arm SPE sessions replayed under every KVM stage-2 strategy."""

from spetrace.kernel_cache import choose_kernel_cache

__version__ = "0.1.0"

choose_kernel_cache()
