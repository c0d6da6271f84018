"""Helpers of the perf.data tests: bytes to a recording, and what it holds."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa

from spetrace.ingest.importer import read_recording
from spetrace.ingest.perf_data.importer import IMPORTER
from spetrace.ingest.perf_data.segments import iter_segments
from spetrace.ingest.perf_data.spe_data import PerfSpeData
from spetrace.tables.recording import Recording, SpeData
from spetrace.tables.spe_records import SPE_RECORDS


def read_bytes(data: bytes) -> Recording:
    return IMPORTER.read("test", memoryview(data))


def read_spe(data: bytes) -> tuple[Recording, PerfSpeData]:
    recording = read_bytes(data)
    assert isinstance(recording.spe, PerfSpeData)
    return recording, recording.spe


def read_spe_file(path: Path) -> tuple[Recording, SpeData]:
    recording = read_recording(path)
    assert recording.spe is not None
    return recording, recording.spe


def spe_rows(spe: SpeData) -> pl.DataFrame:
    """All records, stream after stream."""
    batches = [batch for _, batch in spe.batches()]
    frame = pl.from_arrow(pa.Table.from_batches(batches, SPE_RECORDS.schema))
    assert isinstance(frame, pl.DataFrame)
    return frame


def segment_bytes(spe: PerfSpeData, stream: int = 0) -> list[tuple[int, bytes]]:
    """Where each segment of a stream starts, and its bytes."""
    return [
        (segment[0].aux_offset, b"".join(piece.data.tobytes() for piece in segment))
        for segment in iter_segments(spe.streams[stream], spe.data)
    ]
