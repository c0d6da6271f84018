"""Strategies by what they capture and pin: those that coincide as one, and who is on the front."""

from __future__ import annotations

from dataclasses import dataclass

from spetrace.report.charts.series import bounds_of
from spetrace.report.counters import totals
from spetrace.tables.run import Run


@dataclass(frozen=True)
class Standing:
    """The strategies that capture the same number of records with the same peak of pinned memory."""

    names: tuple[str, ...]
    captured: int
    missed: int
    """Records that the upper bound captures and these do not."""
    pinned_bytes: int
    overhead_ns: tuple[int, int]
    """With setup: the least and the most of them."""
    has_setup: bool
    kind: str
    """"front", "dominated" or "bound"."""


def standings_of(run: Run) -> list[Standing]:
    """All standings, by pinned memory; the bounds are in no one's way to the front."""
    total, bounds = totals(run), bounds_of(run)
    upper = [total[name]["captured"] for name, bound in bounds.items() if bound == "upper"]
    records = max((row["records"] for row in total.values()), default=0)
    best = max(upper, default=records)
    groups: dict[tuple[int, int, bool], list[str]] = {}
    for name, row in total.items():
        place = (row["pinned_bytes_peak"], row["captured"], bool(bounds.get(name)))
        groups.setdefault(place, []).append(name)
    front = _front([(pinned, captured) for pinned, captured, bound in groups if not bound])
    standings = []
    for (pinned, captured, bound), names in sorted(groups.items()):
        overheads = [total[name]["overhead_ns"] + total[name]["setup_ns"] for name in names]
        on_front = "front" if (pinned, captured) in front else "dominated"
        kind = "bound" if bound else on_front
        missed = max(best - captured, 0)
        ends = (min(overheads), max(overheads))
        has_setup = any(total[name]["setup_ns"] for name in names)
        standings.append(Standing(tuple(names), captured, missed, pinned, ends, has_setup, kind))
    return standings


def _front(places: list[tuple[int, int]]) -> set[tuple[int, int]]:
    """Of (pinned, captured) those that no other beats in one without losing in the other."""
    front, most = set(), -1
    for pinned, captured in sorted(places, key=lambda place: (place[0], -place[1])):
        if captured > most:
            front.add((pinned, captured))
            most = captured
    return front
