"""What a text log holds, gathered chunk by chunk."""

from __future__ import annotations

from collections import Counter
from typing import Any

import polars as pl

from spetrace.ingest.event_text.header import Header
from spetrace.ingest.event_text.key_values import read_key_values
from spetrace.ingest.event_text.kvm_formats import FORMATS
from spetrace.ingest.event_text.lines import Lines
from spetrace.ingest.event_text.print_format import read_fields
from spetrace.quality import Quality
from spetrace.tables.recording import Recording

_NAMES_SHOWN = 256
_SKIPPED_SHOWN = 5


class Contents:
    """The events of a text log by tracepoint, its losses, and the facts about it."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.index = 0
        self.unparsed = 0
        self._known: dict[str, list[pl.DataFrame]] = {}
        self._others: list[pl.DataFrame] = []
        self._counts: Counter[str] = Counter()
        self._instances: dict[str, None] = {}
        self._digits: set[int | None] = set()
        self._quality = Quality()

    def add(self, lines: Lines) -> None:
        """Take one chunk's lines."""
        events = lines.events.drop("digits")
        self.index += len(events)
        self.unparsed += lines.unparsed
        self._quality.add("trace_lost_events", lines.lost)
        self._quality.add("trace_lost_unknown", lines.lost_unknown)
        if self.header.overwritten is None:
            self._quality.add("trace_lost_unknown", lines.buffers_started)
        self._digits.update(lines.events["digits"].unique().to_list())
        self._instances |= dict.fromkeys(
            events["instance"].drop_nulls().unique(maintain_order=True)
        )
        self._counts.update(_counted(events["event"]))
        known = pl.col("event").is_in(list(FORMATS))
        for (name,), group in events.filter(known).partition_by("event", as_dict=True).items():
            frame = read_fields(group.drop("event"), FORMATS[name])
            self.unparsed += len(group) - len(frame)
            self._known.setdefault(name, []).append(frame)
        self._others.append(events.filter(~known))

    def recording(self, name: str, size: int) -> Recording:
        """All of it as the recording of the file `name` of `size` bytes."""
        frames = self._frames()
        self._quality.add("trace_overrun_events", self.header.overwritten or 0)
        return Recording(
            name,
            f"{self.header.tool} (text)",
            size,
            clock="unknown" if self.index else None,
            clock_is_ns=None not in self._digits,
            properties=self._properties(),
            quality=self._quality,
            tracepoints={event: self._finished(f) for event, f in frames.items() if len(f)},
        )

    def _frames(self) -> dict[str, pl.DataFrame]:
        frames = {event: pl.concat(parts) for event, parts in self._known.items()}
        skipped: dict[str, int] = {}
        if self._others:
            others = pl.concat(self._others)
            listed = read_key_values(others)
            skipped = _counted(others["event"])
            for event, frame in listed.items():
                skipped[event] -= len(frame)
            frames |= listed
        names = [event for event, count in skipped.items() if count]
        detail = (
            f"events of no known format: {', '.join(names[:_SKIPPED_SHOWN])}" if names else None
        )
        self._quality.add("text_unparsed_lines", self.unparsed + sum(skipped.values()), detail)
        return dict(sorted(frames.items()))

    def _finished(self, frame: pl.DataFrame) -> pl.DataFrame:
        frame = frame.with_columns(pl.col("comm", "instance").cast(pl.Categorical))
        return frame if self._instances else frame.drop("instance")

    def _properties(self) -> dict[str, Any]:
        properties: dict[str, Any] = {"tool": self.header.tool, "source": "text"}
        if self.header.tracer:
            properties["tracer"] = self.header.tracer
        if self.header.cpus is not None:
            properties["cpus"] = self.header.cpus
        if self._digits and None not in self._digits:
            properties["precision_ns"] = 1000 if 6 in self._digits else 1
        if self._instances:
            properties["instances"] = list(self._instances)[:_NAMES_SHOWN]
        return properties | {"events": dict(self._counts.most_common(_NAMES_SHOWN))}


def _counted(names: pl.Series) -> dict[str, int]:
    counts = names.value_counts(sort=True, name="count")
    return dict(zip(counts[names.name], counts["count"], strict=True))
