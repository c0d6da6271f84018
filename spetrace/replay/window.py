"""A stretch of the event log, prepared for all strategies, and files of such stretches.

Replays walk the log window by window, so that a long one need not be in memory. Windows are kept as
two Arrow IPC files of one batch per window: `streams` (a row per vCPU with its columns as lists)
and `items`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Final
from weakref import finalize

import polars as pl
import pyarrow as pa

from spetrace.replay.items import SCHEMA
from spetrace.replay.streams import COLUMNS, Stream, Streams
from spetrace.replay.temporary import NamelessFile, room_for

WINDOWS_HELD: Final = 4
"""So many are held in memory: no file is made for them, which would take some time."""
_STREAMS: Final = pa.schema(
    [("vm", pa.uint16()), ("vcpu", pa.uint16())]
    + [(name, pa.large_list(pa.from_numpy_dtype(type_))) for name, type_ in COLUMNS.items()]
)
_ITEMS: Final = SCHEMA.to_frame().to_arrow(compat_level=pl.CompatLevel.newest()).schema


@dataclass(frozen=True)
class Window:
    """Consecutive events of the log; places count from its first."""

    count: int
    """Events in it."""
    columns: Streams
    items: pl.DataFrame
    """All other events, in log order, as in `items.SCHEMA`."""

    @cached_property
    def streams(self) -> list[Stream]:
        """Of each vCPU that has any event of a stream in it."""
        return self.columns.filled()

    @property
    def records(self) -> int:
        """Records of all vCPUs."""
        return sum(stream.records for stream in self.streams)


class WindowWriter:
    """Writes windows to two files as they come."""

    def __init__(self, streams: Any, items: Any) -> None:
        self.counts: list[int] = []
        """Events of each window written."""
        self._streams = pa.ipc.new_file(streams, _STREAMS)
        self._items = pa.ipc.new_file(items, _ITEMS)

    def write(self, window: Window) -> None:
        """Append a window."""
        self.counts.append(window.count)
        self._streams.write_batch(_stream_rows(window.columns))
        items = window.items.to_arrow(compat_level=pl.CompatLevel.newest()).combine_chunks()
        self._items.write_batch(_as_batch(items))

    def write_all(self, windows: Iterable[Window]) -> Iterable[Window]:
        """Append windows; none are held."""
        for window in windows:
            self.write(window)
        return ()

    def close(self) -> None:
        """Finish both files."""
        self._streams.close()
        self._items.close()


class StoredWindows:
    """The windows of two files, one at a time, as often as asked for."""

    def __init__(self, streams: Any, items: Any, counts: Sequence[int]) -> None:
        self._streams = pa.ipc.open_file(streams)
        self._items = pa.ipc.open_file(items)
        self._counts = counts

    def __iter__(self) -> Iterator[Window]:
        for number, count in enumerate(self._counts):
            yield Window(count, _streams_of(self._streams.get_batch(number)), self.items(number))

    def __len__(self) -> int:
        return len(self._counts)

    def items(self, number: int) -> pl.DataFrame:
        """The items of one window."""
        return pl.DataFrame(self._items.get_batch(number))


def keep_windows(windows: Iterable[Window]) -> Iterable[Window]:
    """The same windows, to be gone through any number of times.

    Where they are more than a few, all go to temporary files that have no name. Raises OutputError
    where there is no room for these.
    """
    made = iter(windows)
    held = list(islice(made, WINDOWS_HELD + 1))
    if len(held) <= WINDOWS_HELD:
        return held
    with room_for("the event log"):
        return _spooled(held, made)


def _spooled(held: list[Window], others: Iterable[Window]) -> StoredWindows:
    with ExitStack() as closing:
        streams, items = (closing.enter_context(NamelessFile()) for _ in range(2))
        writer = WindowWriter(streams, items)
        while held:
            writer.write(held.pop(0))
        writer.write_all(others)
        writer.close()
        stored = StoredWindows(streams, items, writer.counts)
        finalize(stored, closing.pop_all().close)
        return stored


def _as_batch(table: pa.Table) -> pa.RecordBatch:
    batches = table.to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)


def _stream_rows(streams: Streams) -> pa.RecordBatch:
    vms, vcpus = ([name[i] for name in streams.names] for i in range(2))
    lists = (
        pa.LargeListArray.from_arrays(pa.array(streams.offsets[name]), streams.values[name])
        for name in COLUMNS
    )
    columns = [pa.array(vms, pa.uint16()), pa.array(vcpus, pa.uint16()), *lists]
    return pa.RecordBatch.from_arrays(columns, schema=_STREAMS)


def _streams_of(rows: pa.RecordBatch) -> Streams:
    lists = {name: rows.column(name) for name in COLUMNS}
    return Streams(
        list(zip(*(rows.column(name).to_pylist() for name in ("vm", "vcpu")), strict=True)),
        {name: column.values.to_numpy() for name, column in lists.items()},
        {name: column.offsets.to_numpy() for name, column in lists.items()},
    )
