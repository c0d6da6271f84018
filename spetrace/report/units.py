"""Counts, times, sizes and shares as people read them; all in plain ASCII."""

from __future__ import annotations

from collections.abc import Sequence

_TIMES = ((10**3, "us"), (10**6, "ms"), (10**9, "s"))
_SIZES = ((2**10, "KiB"), (2**20, "MiB"), (2**30, "GiB"), (2**40, "TiB"))


def render_count(value: int) -> str:
    """A count with thousands separators, exact."""
    return f"{value:,}"


def render_time(ns: int) -> str:
    """A time in ns as ns (exact), us, ms or s (three significant digits)."""
    if abs(ns) < 1000:
        return f"{ns} ns" if ns else "0"
    return _scaled(ns, _TIMES)


def render_size(count: int) -> str:
    """A size in bytes: without decimals where that is exact, else with three significant digits."""
    if count < 1024:
        return f"{count} B" if count else "0"
    for unit, name in _SIZES:
        if count % unit == 0 and count < 1024 * unit:
            return f"{count // unit} {name}"
    return _scaled(count, _SIZES)


def render_share(part: int, whole: int) -> str:
    """`part` of `whole` in percent, without the sign: "0" and "100" only where that is exact."""
    if part in (0, whole):
        return "100" if part else "0"
    if part * 1000 < whole:
        return "<0.1"
    if (whole - part) * 1000 < whole:
        return ">99.9"
    return f"{(part * 1000 + whole // 2) // whole / 10:.1f}"


def _scaled(value: int, units: Sequence[tuple[int, str]]) -> str:
    """`value` in the first unit that shows it below 1000, or in the last one."""
    sign, value = ("-", -value) if value < 0 else ("", value)
    for unit, name in units:
        if digits := _three_digits(value, unit):
            return f"{sign}{digits} {name}"
    unit, name = units[-1]
    return f"{sign}{(value + unit // 2) // unit:,} {name}"


def _three_digits(value: int, unit: int) -> str | None:
    """`value` / `unit` with three significant digits; None where it rounds to 1000 or more."""
    for decimals in (3, 2, 1, 0) if value < unit else (2, 1, 0):
        scaled = (value * 10**decimals + unit // 2) // unit
        if scaled < 1000:
            return f"{scaled / 10**decimals:.{decimals}f}"
    return None
