"""perf.data among the formats that spetrace reads."""

from __future__ import annotations

from spetrace.ingest.importer import Importer
from spetrace.ingest.perf_data.header import starts_perf_data
from spetrace.tables.recording import Recording


def _read(name: str, data: memoryview) -> Recording:
    from spetrace.ingest.perf_data.reader import read_perf_data

    return read_perf_data(name, data)


IMPORTER = Importer("perf.data", starts_perf_data, _read)
