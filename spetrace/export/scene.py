"""All that one trace shows, before it is written: marks, facts, and what was left out of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from spetrace.export.lanes import in_lanes
from spetrace.export.tracks import Marks


@dataclass
class Scene:
    """Marks on tracks, with what people must know about them."""

    marks: list[Marks] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    """Where the trace comes from, by name."""
    left_out: list[str] = field(default_factory=list)
    """Sentences about what is in the tables and not in the trace."""

    def add(self, marks: Iterable[Marks]) -> None:
        """Add marks (none where they are empty), overlapping slices in lanes."""
        for each in marks:
            laid, lost = in_lanes(each)
            if lost:
                tracks = ", ".join(sorted({track.name for track in each.tracks}))
                self.left_out.append(f"{tracks}: {lost:,} slices overlap too many others")
            if len(laid):
                self.marks.append(laid)

    def start_ns(self) -> int | None:
        """The earliest time; None where there is nothing."""
        return min((int(marks.start.min()) for marks in self.marks), default=None)

    def end_ns(self) -> int:
        """The latest time at which something begins; 0 where there is nothing."""
        return max((int(marks.start.max()) for marks in self.marks), default=0)
