"""The importer of event logs (JSON Lines, Parquet, Arrow IPC file and stream)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from spetrace.ingest.event_log.arrow_files import (
    ARROW_MAGIC,
    PARQUET_MAGIC,
    STREAM_MAGIC,
    read_arrow,
    read_parquet,
)
from spetrace.ingest.event_log.columns import in_time_order
from spetrace.ingest.event_log.json_lines import BOM, read_json_lines
from spetrace.ingest.importer import Importer
from spetrace.quality import Quality
from spetrace.tables.events import EVENTS
from spetrace.tables.recording import Recording

_BINARY = {
    PARQUET_MAGIC: ("Parquet", read_parquet),
    ARROW_MAGIC: ("Arrow", read_arrow),
    STREAM_MAGIC: ("Arrow stream", read_arrow),
}


def sniff(head: bytes) -> bool:
    """Whether a file that begins so is an event log: `{` after blanks, Parquet or Arrow."""
    return head.startswith(tuple(_BINARY)) or head.removeprefix(BOM).lstrip().startswith(b"{")


def read(name: str, data: memoryview) -> Recording:
    """An event log as a recording with `events` (sorted by ts) and its session line's `parameters`.

    `row` is the event's place in the file, from 0, where the file has no such column. Raises
    InputError for the first line or row that is no event.
    """
    format_, parameters, tables = _tables(data)
    events = pa.concat_tables([EVENTS.empty(), *tables]).unify_dictionaries()
    events, late = in_time_order(events)
    quality = Quality()
    quality.add("events_out_of_order", late)
    return Recording(
        name,
        f"event log ({format_})",
        len(data),
        properties={"events": _counts(events)},
        quality=quality,
        events=events,
        parameters=parameters,
    )


def _tables(data: memoryview) -> tuple[str, dict[str, Any], Iterator[pa.Table]]:
    for magic, (format_, read_) in _BINARY.items():
        if data[: len(magic)] == magic:
            return format_, {}, read_(data)
    parameters, tables = read_json_lines(data)
    return "JSON Lines", parameters, tables


def _counts(events: pa.Table) -> dict[str, int]:
    return {str(c["values"]): c["counts"].as_py() for c in pc.value_counts(events["kind"])}


IMPORTER = Importer("event log", sniff, read)
