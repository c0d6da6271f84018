"""What a text log holds, gathered chunk by chunk."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from spetrace.ingest.event_text import line_layout as layout
from spetrace.ingest.event_text.header import Header
from spetrace.ingest.event_text.lines import PERF_SCRIPT
from spetrace.ingest.event_text.odd_texts import count_oddities
from spetrace.ingest.event_text.relative_times import Origin, RelativeTimes
from spetrace.ingest.event_text.scan import Scan
from spetrace.ingest.event_text.tables import Tables
from spetrace.quality import Quality
from spetrace.tables.recording import Recording

_NAMES_SHOWN = 256
_SKIPPED_SHOWN = 5


class Contents:
    """The events of a text log by tracepoint, its losses, and the facts about it."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.tables = Tables(header.tool == PERF_SCRIPT)
        self.unparsed = 0
        self.tracepoints = 0
        self.has_texts = False
        self._is_perf = header.tool == PERF_SCRIPT
        self._counts: Counter[str] = Counter()
        self._skipped: Counter[str] = Counter()
        self._forms: set[int] = set()
        self._times = RelativeTimes(self._is_perf)
        self._threadless = 0
        self._quality = Quality()

    def add(self, scan: Scan) -> None:
        """Take one chunk."""
        lines = scan.lines
        self.unparsed += lines.unparsed + scan.unfit
        self.tracepoints += scan.tracepoints
        self._quality.add("perf_lost_events" if self._is_perf else "trace_lost_events", lines.lost)
        self._quality.add("trace_lost_unknown", lines.lost_unknown)
        self._quality.add("text_side_band_lines", lines.side_band)
        if self.header.overwritten is None:
            self._quality.add("trace_lost_unknown", lines.buffers_started)
        events = lines.events
        self._forms.update(np.unique(events[:, layout.TIME_FORM]).tolist())
        self._threadless += int((events[:, layout.PID] == layout.ABSENT).sum())
        self.has_texts = self.has_texts or bool(
            (events[:, layout.TEXT_END] > events[:, layout.TEXT]).any()
        )
        self._times.add(events[:, layout.TIME], layout.SINCE_START in self._forms)
        self._counts.update(scan.counts)
        self._skipped.update(scan.skipped)
        self._skipped.update(self.tables.add(scan))

    @property
    def count(self) -> int:
        """How many lines are events."""
        return self.tables.count

    def recording(self, name: str, size: int) -> Recording:
        """All of it as the recording of the file `name` of `size` bytes."""
        origin = self._times.origin
        summed = self._times.summed() if origin == Origin.EVENT_BEFORE else None
        count_oddities(
            self._quality,
            self._counts,
            origin,
            self._threadless,
            self._is_perf and not self.tables.has_guest,
        )
        self._quality.add("trace_overrun_events", self.header.overwritten or 0)
        self._count_unparsed()
        return Recording(
            name,
            f"{self.header.tool} (text)",
            size,
            clock="unknown" if self.count else None,
            clock_is_ns=layout.PLAIN not in self._forms,
            properties=self._properties(origin),
            quality=self._quality,
            tracepoints=self.tables.finish(summed),
        )

    def _count_unparsed(self) -> None:
        names = list(self._skipped)[:_SKIPPED_SHOWN]
        detail = f"events of no known format: {', '.join(names)}" if names else None
        count = self.unparsed + self._skipped.total()
        self._quality.add("text_unparsed_lines", count, detail)

    def _properties(self, origin: Origin | None) -> dict[str, Any]:
        properties: dict[str, Any] = {"tool": self.header.tool, "source": "text"}
        if self.header.tracer:
            properties["tracer"] = self.header.tracer
        if self.header.cpus is not None:
            properties["cpus"] = self.header.cpus
        if self._forms and layout.PLAIN not in self._forms:
            properties["precision_ns"] = 1 if self._forms == {layout.NANOSECONDS} else 1000
        if origin is not None:
            properties["times_since"] = origin.value
        if self.tables.instances:
            properties["instances"] = list(self.tables.instances)[:_NAMES_SHOWN]
        return properties | {"events": dict(self._counts.most_common(_NAMES_SHOWN))}
