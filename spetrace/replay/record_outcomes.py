"""What became of each record under each strategy, window by window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from spetrace.replay.outcomes import Codes, OutcomeCodes
from spetrace.replay.streams import Places, Rows, Stream
from spetrace.replay.window import Window
from spetrace.replay.window_maker import NO_ROW
from spetrace.tables.results import OUTCOME, OUTCOMES


class WindowOutcomes(NamedTuple):
    """The outcomes of the records of one window, vCPU after vCPU."""

    rows: Rows
    """The event log's column `row`; NO_ROW where null."""
    codes: dict[str, Codes]
    """By strategy a byte per record: its outcome's number in OUTCOMES."""


class RecordOutcomes:
    """The outcomes of all records of a finished replay, to be gone through any number of times."""

    def __init__(self, windows: Iterable[Window], codes: Mapping[str, OutcomeCodes]) -> None:
        self._windows = windows
        self._codes = codes

    def by_window(self) -> Iterator[WindowOutcomes]:
        """All records in the log's order of windows."""
        first = 0
        for window in self._windows:
            count = window.records
            codes = {name: kept.read(first, count) for name, kept in self._codes.items()}
            yield WindowOutcomes(_rows(window.streams), codes)
            first += count

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Table outcomes: strategy after strategy, the records of each in the log's order."""
        names, strategies = pa.array(OUTCOMES), pa.array(list(self._codes))
        for number, kept in enumerate(self._codes.values()):
            first = 0
            for window in self._windows:
                order = _log_order(window.streams)
                rows = _rows(window.streams)[order]
                codes = kept.read(first, window.records)[order]
                strategy = np.full(len(codes), number, np.int32)
                columns = [
                    pa.DictionaryArray.from_arrays(pa.array(strategy), strategies),
                    pa.array(rows, mask=rows == NO_ROW),
                    pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), names),
                ]
                yield pa.RecordBatch.from_arrays(columns, schema=OUTCOME.schema)
                first += window.records

    def table(self) -> pa.Table:
        """Table outcomes, in memory."""
        return pa.Table.from_batches(self.batches(), schema=OUTCOME.schema)


def _rows(streams: Iterable[Stream]) -> Rows:
    parts = [part for stream in streams for part in (stream.rows, stream.other_rows)]
    return np.concatenate([np.zeros(0, np.uint64), *parts])


def _log_order(streams: Iterable[Stream]) -> Places | slice:
    """The log's order of the records of all streams."""
    places = [part for stream in streams for part in (stream.eligible, stream.others)]
    filled = [part for part in places if len(part)]
    if len(filled) < 2:
        return slice(None)
    return np.argsort(np.concatenate(filled), kind="stable").astype(np.uint32)
