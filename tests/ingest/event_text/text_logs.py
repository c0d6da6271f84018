"""Text logs for tests: reading one, and its tracepoints' rows without what is null."""

from __future__ import annotations

import gzip
from pathlib import Path

from spetrace.ingest.event_text.importer import read, sniff
from spetrace.tables.recording import Recording


def read_text(text: str | bytes) -> Recording:
    data = text.encode() if isinstance(text, str) else text
    assert sniff(data[: 1 << 16])
    return read("trace.txt", memoryview(data))


def read_capture(path: Path) -> Recording:
    data = path.read_bytes()
    return read_text(gzip.decompress(data) if path.suffix == ".gz" else data)


def rows(recording: Recording, event: str) -> list[dict]:
    return [
        {k: v for k, v in row.items() if v is not None}
        for row in recording.tracepoints[event].to_dicts()
    ]


def counts(recording: Recording) -> dict[str, int]:
    return {event: len(frame) for event, frame in recording.tracepoints.items()}
