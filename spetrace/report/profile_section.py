"""A table of a profile as text: what every format draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spetrace.report.units import render_count, render_share


@dataclass(frozen=True)
class Heading:
    """One column: its heading (lines are separated by newlines), and whether it is text."""

    text: str
    doc: str
    is_text: bool = False
    dispensable: int = 0
    """Where there is not enough room, columns are left out by this number, the largest first; 0
    never."""


@dataclass(frozen=True)
class Section:
    """One table with its title; `note` says what it leaves out or rests on."""

    title: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


SAMPLES = Heading("samples", "sample records")


def percent(whole: str) -> Heading:
    """The heading of a percentage of `whole`."""
    return Heading("%", f"of {whole}, in percent")


def share(part: int, whole: int) -> str:
    """A percentage; "-" of nothing."""
    return render_share(part, whole) if whole else "-"


def counted(part: int, whole: int) -> tuple[str, str]:
    """A count and its percentage."""
    return render_count(part), share(part, whole)


def mean(total: int, count: int) -> str:
    """A mean with one decimal; "-" of nothing."""
    return f"{total / count:,.1f}" if count else "-"


def cycles(value: int | None) -> str:
    """A latency; "-" where there is none."""
    return "-" if value is None else render_count(value)


def left_out(shown: int, distinct: int, what: str) -> str:
    """How many of how many are shown."""
    return f"{shown:,} of {distinct:,} {what}." if shown < distinct else ""


def without_empty(sections: Sequence[Section]) -> tuple[Section, ...]:
    """The sections that have rows."""
    return tuple(section for section in sections if section.rows)
