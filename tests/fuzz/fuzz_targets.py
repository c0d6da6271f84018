"""What is fuzzed: one function per format, which reads bytes to the last record."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np

from spetrace.errors import InputError, TraceError
from spetrace.ingest.event_log.importer import read as read_event_log
from spetrace.ingest.event_text.importer import IMPORTER as EVENT_TEXT
from spetrace.ingest.perf_data.importer import IMPORTER as PERF_DATA
from spetrace.ingest.spe.decode import StreamIdentity, iter_batches
from spetrace.ingest.spe.segment import Piece
from spetrace.ingest.trace_dat.importer import IMPORTER as TRACE_DAT
from spetrace.quality import Quality
from spetrace.session import assumed_spe
from spetrace.session.options import AssumedSpe, SessionOptions
from spetrace.workflow.pipeline import replay_files

_RECORDS_MAX = 1 << 16
"""Of an assumed load: enough to see what it does, few enough to be quick."""


def perf_data(data: bytes) -> None:
    """A perf.data file, and every record in it."""
    try:
        recording = PERF_DATA.read("fuzzed", memoryview(data))
    except InputError:
        return
    if recording.spe is not None:
        for _ in recording.spe.batches():
            pass
    for frame in recording.tracepoints.values():
        assert len(frame) <= len(data)


def spe(data: bytes) -> None:
    """SPE bytes in two pieces; the first byte says where they are cut."""
    payload = np.frombuffer(data[1:], np.uint8)
    cut = min(data[0] if data else 0, len(payload))
    pieces = (Piece(0, payload[:cut]), Piece(cut, payload[cut:]))
    for _ in iter_batches(
        [pieces], StreamIdentity(0, 0, None), time_conversion=None, quality=Quality(), batch_rows=4
    ):
        pass


def trace_dat(data: bytes) -> None:
    """A trace.dat file."""
    try:
        for frame in TRACE_DAT.read("fuzzed", memoryview(data)).tracepoints.values():
            assert len(frame) >= 0
    except InputError:
        return


def event_text(data: bytes) -> None:
    """A text log."""
    try:
        EVENT_TEXT.read("fuzzed", memoryview(data))
    except InputError:
        return


def event_log(data: bytes) -> None:
    """An event log in any of its forms."""
    try:
        read_event_log("fuzzed", memoryview(data))
    except InputError:
        return


def replay(data: bytes) -> None:
    """A file of any format, replayed and saved; the first byte says with which options."""
    ways = data[0] if data else 0
    options = SessionOptions(
        assume_spe=AssumedSpe(100_000) if ways & 1 else None,
        stage2_from="tracepoints" if ways & 2 else None,
        infer_read_only=bool(ways & 2),
        costs="measured" if ways & 4 else None,
    )
    with tempfile.TemporaryDirectory() as folder:
        file, output = Path(folder, "fuzzed"), Path(folder, "results")
        file.write_bytes(data[1:])
        code = 0
        try:
            with patch.object(assumed_spe, "RECORDS_MAX", _RECORDS_MAX):
                replay_files([file], options, output=output, outcomes=bool(ways & 8))
        except TraceError as error:
            code = error.exit_code
        assert code in (0, 2, 3, 4)
        left = {path.name for path in Path(folder).iterdir()}
        assert left == ({"fuzzed"} if code else {"fuzzed", "results"})


TARGETS: dict[str, Callable[[bytes], None]] = {
    "perf_data": perf_data,
    "spe": spe,
    "trace_dat": trace_dat,
    "event_text": event_text,
    "event_log": event_log,
    "replay": replay,
}
