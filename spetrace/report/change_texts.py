"""Differences, changes in percent and ratios as people read them; all in plain ASCII."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from spetrace.report.units import render_count, render_size, render_time

_NS_PER_S = 10**9


def renderer(unit: str | None) -> Callable[[int], str]:
    """How values of a unit become text."""
    known = {"ns": render_time, "bytes": render_size, "byte ns": _render_byte_time}
    return known.get(unit or "", render_count)


def render_signed(value: int, render: Callable[[int], str]) -> str:
    """A difference with its sign; "0" for none."""
    sign = "+" if value > 0 else "-" if value else ""
    return f"{sign}{render(abs(value))}"


def render_change(percent: Fraction | None) -> str:
    """A change in percent of what was, to two digits behind the point; None: what was is 0."""
    if percent is None:
        return "from 0"
    if not percent:
        return "0 %"
    sign, size = "+" if percent > 0 else "-", abs(percent)
    if size < Fraction(1, 100):
        return f"{sign}<0.01 %"
    decimals = 2 if size < 10 else 1 if size < 100 else 0
    return f"{sign}{_fixed(size, decimals)} %"


def render_ratio(ratio: Fraction | None) -> str:
    """B / A with three digits behind the point below 10; "-" where A is 0."""
    if ratio is None:
        return "-"
    if ratio < Fraction(1, 1000):
        return "<0.001" if ratio else "0"
    decimals = 3 if ratio < 10 else 1 if ratio < 1000 else 0
    return _fixed(ratio, decimals)


def _fixed(value: Fraction, decimals: int) -> str:
    """A value that is not negative, rounded half up, with thousands separators."""
    scaled = int(value * 10**decimals + Fraction(1, 2))
    whole, rest = divmod(scaled, 10**decimals)
    return f"{whole:,}.{rest:0{decimals}}" if decimals else f"{whole:,}"


def _render_byte_time(value: int) -> str:
    return f"{render_size(value // _NS_PER_S)} s" if value else "0"
