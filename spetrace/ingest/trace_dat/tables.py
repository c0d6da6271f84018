"""One table per tracepoint from its records."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.errors import InputError
from spetrace.ingest.event_fields import Records, decode_fields
from spetrace.ingest.event_format import EventFormat, parse_event_format
from spetrace.ingest.trace_dat.event_stream import Group
from spetrace.ingest.trace_dat.threads import UNKNOWN_PID, Threads
from spetrace.ingest.trace_metadata import Metadata
from spetrace.ingest.tracepoint_frame import absent, build_frame, pid_field, table_name
from spetrace.quality import Quality


class Streams(NamedTuple):
    """What is the same for all events of a stream, by stream number."""

    cpus: npt.NDArray[np.int32]
    instances: pl.Series | None
    """Names of the trace buffers; None where there is only the top one."""


class Event(NamedTuple):
    """A tracepoint under the name that its table has."""

    name: str
    format: EventFormat


class Formats(NamedTuple):
    """The tracepoints by id, and why the formats of others can't be read."""

    events: dict[int, Event]
    damaged: dict[int, InputError]


def read_formats(metadata: Metadata, ids: Collection[int]) -> Formats:
    """The tracepoints of `ids`."""
    formats = Formats({}, {})
    names: set[str] = set()
    for id_ in ids:
        system, text = metadata.formats[id_]
        try:
            format_ = parse_event_format(text, system, metadata.long_size)
        except InputError as error:
            formats.damaged[id_] = error
        else:
            formats.events[id_] = Event(table_name(format_, names), format_)
    return formats


class TableMaker:
    """Makes the tables of one file, as `Recording.tracepoints` describes them."""

    def __init__(
        self, data: npt.NDArray[np.uint8], streams: Streams, threads: Threads, big_endian: bool
    ) -> None:
        self._data = data
        self._streams = streams
        self._threads = threads
        self._big_endian = big_endian

    def make(self, format_: EventFormat, group: Group, quality: Quality) -> pl.DataFrame:
        """The table of some events of one tracepoint; fields that they do not hold are counted."""
        records = Records(self._data, group.offsets, group.lengths, self._big_endian)
        pid = pid_field(format_)
        own = decode_fields(records, format_.fields if pid is None else (pid, *format_.fields))
        pids = own.pop(0).values if pid is not None else absent("pid", len(group.places))
        common = self._common(group, pids.cast(pl.Int32, strict=False))
        return build_frame(common, format_, own, quality)

    def _common(self, group: Group, pids: pl.Series) -> list[pl.Series]:
        # Copies: the group's arrays are parts of a batch's, which a kept frame would keep.
        numbers = pids.fill_null(UNKNOWN_PID).to_numpy()
        columns = [
            pl.Series("index", group.places.copy()).set_sorted(),
            pl.Series("time_ns", group.times.copy()),
            pl.Series("cpu", self._streams.cpus[group.streams]),
            pids.alias("pid"),
            self._threads.comms(numbers).alias("comm"),
            self._threads.tgids(numbers).alias("tgid"),
        ]
        if self._streams.instances is not None:
            columns.append(self._streams.instances[group.streams].alias("instance"))
        return columns
