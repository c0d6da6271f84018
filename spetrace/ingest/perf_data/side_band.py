"""What perf records beside the events: mappings of files, their build ids, threads and their names."""

from __future__ import annotations

import polars as pl

from spetrace.ingest.perf_data.build_ids import (
    join_build_ids,
    parse_build_id_section,
    parse_build_ids,
)
from spetrace.ingest.perf_data.events import EventTable
from spetrace.ingest.perf_data.framing import Block
from spetrace.ingest.perf_data.mappings import join_mappings, parse_mappings, with_build_ids
from spetrace.ingest.perf_data.threads import name_threads, parse_namings
from spetrace.quality import Quality


class SideBand:
    """Collects the side-band records, a block at a time."""

    def __init__(self) -> None:
        self._mappings: list[pl.DataFrame] = []
        self._build_ids: list[pl.DataFrame] = []
        self._namings: list[pl.DataFrame] = []

    def add(self, block: Block, events: EventTable, quality: Quality) -> None:
        """Collect what a block holds; damaged records are counted."""
        for parts, found in (
            (self._mappings, parse_mappings(block, events, quality)),
            (self._build_ids, parse_build_ids(block, quality)),
            (self._namings, parse_namings(block, events, quality)),
        ):
            if len(found):
                parts.append(found)

    def mappings(self, feature: memoryview | None, order: str, quality: Quality) -> pl.DataFrame:
        """Table mappings without `source`; `feature` is the section BUILD_ID where there is one."""
        noted = self._build_ids
        if feature is not None:
            noted = [*noted, parse_build_id_section(feature, order, quality)]
        return with_build_ids(join_mappings(self._mappings), join_build_ids(noted))

    def threads(self) -> pl.DataFrame:
        """Table threads without `source`."""
        return name_threads(self._namings)
