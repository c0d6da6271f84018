"""What the data section of a perf.data file holds, collected in one walk over its records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from spetrace.errors import InputError
from spetrace.ingest.perf_data.abi import RecordType
from spetrace.ingest.perf_data.aux_records import AuxRecords, join_aux_records, parse_aux_records
from spetrace.ingest.perf_data.auxtrace import (
    AuxtraceInfo,
    Chunks,
    join_chunks,
    parse_auxtrace_info,
    parse_chunks,
)
from spetrace.ingest.perf_data.compression import compressed_payloads, iter_compressed_blocks
from spetrace.ingest.perf_data.events import EventTable
from spetrace.ingest.perf_data.features import Features
from spetrace.ingest.perf_data.framing import Block, Bytes, RecordWalk
from spetrace.ingest.perf_data.header import Header
from spetrace.ingest.perf_data.kernel import BAD_SIZE, CUT
from spetrace.ingest.perf_data.lost import LostEvents
from spetrace.ingest.perf_data.sample_id import sample_events
from spetrace.ingest.perf_data.side_band import SideBand
from spetrace.ingest.perf_data.tool_records import (
    add_event_update,
    add_header_attr,
    add_header_feature,
    parse_id_index,
    parse_time_conversion,
)
from spetrace.ingest.perf_data.tracepoint_samples import TracepointSamples
from spetrace.ingest.perf_data.tracing_data import find_tracing_data
from spetrace.quality import Quality
from spetrace.tables.recording import TimeConversion

_KNOWN_TYPES = np.array([int(t) for t in RecordType], np.uint32)


@dataclass
class Contents:
    """Records of a data section by what they are good for, in file order."""

    events: EventTable
    features: Features
    quality: Quality
    tracepoint_samples: TracepointSamples
    time_conversion: TimeConversion | None = None
    auxtrace_info: AuxtraceInfo | None = None
    other_trace: bool = False
    """Whether the AUX data are of another kind than Arm SPE."""
    idx_of_id: dict[int, int] = field(default_factory=dict)
    side_band: SideBand = field(default_factory=SideBand)
    _chunks: list[Chunks] = field(default_factory=list)
    _aux_records: list[AuxRecords] = field(default_factory=list)
    _compressed: list[memoryview] = field(default_factory=list)
    _lost: LostEvents = field(default_factory=LostEvents)

    @property
    def chunks(self) -> Chunks:
        """All AUXTRACE records."""
        return join_chunks(self._chunks)

    @property
    def aux_records(self) -> AuxRecords:
        """All AUX records."""
        return join_aux_records(self._aux_records)

    def read(self, data: Bytes, header: Header) -> None:
        """Collect from the data section of the mapped file `data`.

        A killed recording has no size of it: it is read up to the end of the file, and so is one
        that is cut.
        """
        end = len(data) if header.killed else min(header.data.end, len(data))
        start = min(header.data.offset, end)
        walk = RecordWalk(data, start, end, header.order, payloads=True)
        for block in walk:
            self._add_chunks(block)
            self._add(block)
        self._count_stop(walk, header)
        for block in iter_compressed_blocks(self._compressed, header.order, self.quality):
            self._add(block)
        self._compressed = []
        self.quality.add("perf_lost_events", self._lost.total)

    def _add_chunks(self, block: Block) -> None:
        if self.features.tracing_data is None:
            self.features.tracing_data = find_tracing_data(block)
        self._chunks.append(parse_chunks(block, self.quality))
        self._compressed += compressed_payloads(block, self.quality)

    def _add(self, block: Block) -> None:
        self._add_tool_records(block)
        self._aux_records.append(parse_aux_records(block, self.events, self.quality))
        samples = block.rows(RecordType.SAMPLE)
        owners = sample_events(block, samples, self.events)
        self.events.count_samples(owners)
        self.tracepoint_samples.add(block, samples, owners, self.events, self.quality)
        self._lost.add(block)
        self.side_band.add(block, self.events, self.quality)
        unknown = ~np.isin(block.types, _KNOWN_TYPES)
        self.quality.add("perf_unknown_records", int(unknown.sum()))

    def _add_tool_records(self, block: Block) -> None:
        for type_, add in _TOOL_RECORDS.items():
            for row in block.rows(type_):
                try:
                    add(self, block.body(row), block.order)
                except InputError as error:
                    self.quality.add("perf_damaged_records", 1, str(error))

    def _count_stop(self, walk: RecordWalk, header: Header) -> None:
        """Count what the walk could not read, unless the file lacks it as its header says."""
        at, how, missing = walk.stop
        file_ends = header.data.end - len(walk.data)
        if not header.killed and file_ends > 0:
            self.quality.add("file_truncated_bytes", file_ends, "data section")
        elif how == CUT and walk.end == len(walk.data):
            self.quality.add("file_truncated_bytes", missing, f"the record at byte {at}")
        elif how == CUT:
            self.quality.add("perf_damaged_records", 1, f"byte {at}: reaches past the data section")
        if how == BAD_SIZE:
            self.quality.add("perf_damaged_records", 1, f"byte {at}: a size below 8; rest unread")

    def _set_auxtrace_info(self, body: memoryview, order: str) -> None:
        self.auxtrace_info = parse_auxtrace_info(body, order)
        self.other_trace = self.auxtrace_info is None

    def _set_time_conversion(self, body: memoryview, order: str) -> None:
        self.time_conversion = parse_time_conversion(body, order)


_TOOL_RECORDS: dict[RecordType, Callable[[Contents, memoryview, str], None]] = {
    RecordType.HEADER_ATTR: lambda c, body, order: add_header_attr(body, order, c.events),
    RecordType.EVENT_UPDATE: lambda c, body, order: add_event_update(body, order, c.events),
    RecordType.HEADER_FEATURE: lambda c, body, order: add_header_feature(body, order, c.features),
    RecordType.AUXTRACE_INFO: Contents._set_auxtrace_info,
    RecordType.ID_INDEX: lambda c, body, order: c.idx_of_id.update(parse_id_index(body, order)),
    RecordType.TIME_CONV: Contents._set_time_conversion,
}
