"""What the model charges, and what each cost rests on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CostBasis:
    """One cost: its value and where that comes from; counts and percentiles where it was measured."""

    name: str
    ns: int | None
    """None where a capture was asked for the cost and can't supply it."""
    basis: str
    """"measured", "file", "given" (--cost), "event log" or "default"."""
    text: str = ""
    """A sentence: what was measured, or why it was not."""
    count: int | None = None
    p50_ns: int | None = None
    p90_ns: int | None = None
    p99_ns: int | None = None
    """Percentiles of what was measured, before anything was taken off."""
