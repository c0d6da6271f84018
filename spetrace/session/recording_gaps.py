"""The spans in which an SPE recording could not record, and how much it may have missed in them.

How it works: AUX records and ranges of bytes that are missing have their bounds as offsets in the
stream. One pass over the records finds the times at all of these. A span is then what lies between
the last record before one offset and the first record after another.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from spetrace.session.event_run import Addresses, Integers
from spetrace.session.offset_marks import MARK_COLUMNS, Marks
from spetrace.session.programming import program
from spetrace.session.spe_streams import AuxParts, aux_parts
from spetrace.tables.recording import SpeData

_NEIGHBOURS: Final = 8
"""AUX records on each side of a span whose records tell the rate in it."""
_SCHEMA: Final = {
    "cpu": pl.Int32,
    "tid": pl.Int32,
    "start_ns": pl.Int64,
    "end_ns": pl.Int64,
    "cause": pl.String,
    "records_lost_estimate": pl.UInt64,
}
Mask = npt.NDArray[np.bool_]


class GapFinder:
    """Finds the spans of all streams of a recording while its records go by once."""

    def __init__(self, spe: SpeData) -> None:
        by_stream = spe.aux_records.partition_by("stream", as_dict=True, maintain_order=True)
        none = spe.aux_records.clear()
        self._streams = [
            _Stream(spe, number, parts, by_stream.get((number,), none))
            for number, parts in enumerate(aux_parts(spe))
        ]
        self._owners = list(zip(spe.stream_cpus, spe.stream_tids, strict=True))

    def add(self, stream: int, batch: pa.RecordBatch) -> None:
        """Look at the next records of a stream: batches with MARK_COLUMNS."""
        self._streams[stream].marks.add(batch)

    def gaps(self, area_bytes: int, page_size: int, *, one_clock: bool) -> pl.DataFrame:
        """What `recording_gaps` gives, once all records went by."""
        found = [pl.DataFrame(schema=_SCHEMA)]
        for (cpu, tid), stream in zip(self._owners, self._streams, strict=True):
            owner = {"cpu": cpu, "tid": tid}
            spans = stream.spans(area_bytes, page_size, one_clock)
            found += [_frame(some, owner) for some in spans]
        return pl.concat(found)


def recording_gaps(
    spe: SpeData, area_bytes: int, page_size: int, *, one_clock: bool
) -> pl.DataFrame:
    """Table recording_gaps without `source`, on the recording's clock, stream after stream.

    `truncated`: from the last record of an AUX record with that flag to the next record. `stopped`:
    from the end of an AUX record that did not fill the buffer to the next record; not after the
    stream's last one. `missing_data`: the records around bytes that AUX records announce and the
    recording lacks; it stands for truncations and stops within, as a truncation does for stops at its
    place. `collision`: the AUX record itself,
    in which some operations were not recorded.

    The estimate is how many records fit between the span's two at the rate of the AUX records around
    it (8 on each side), less those that are there; for a collision at least 1. `one_clock` says whether the AUX records'
    times are on the clock of the records' times. A stream in snapshot mode, whose offsets say
    nothing about time, has no spans.
    """
    finder = GapFinder(spe)
    for stream, batch in spe.batches(MARK_COLUMNS, in_order=False):
        finder.add(stream, batch)
    return finder.gaps(area_bytes, page_size, one_clock=one_clock)


class _Spans(NamedTuple):
    """Spans of one cause; the times hold where `has_start` and `has_end` say so.

    `estimate` is not a number where there is no rate.
    """

    cause: str
    start_ns: Integers
    end_ns: Integers
    has_start: Mask
    has_end: Mask
    estimate: npt.NDArray[np.float64]


class _Stream:
    """One AUX stream: its AUX records, the bytes it lacks, and the marks at the bounds of both."""

    def __init__(self, spe: SpeData, number: int, parts: AuxParts, own: pl.DataFrame) -> None:
        self.parts = parts
        self.truncated, self.collision = own["truncated"].to_numpy(), own["collision"].to_numpy()
        self.is_snapshot = bool(own["overwrite"].any())
        ends = _ends(parts.offset, parts.size)
        gone, back = _missing_ranges(spe, number, parts.offset, ends)
        bounds = (parts.offset, ends, gone, back)
        offsets, places = np.unique(np.concatenate(bounds), return_inverse=True)
        self.marks = Marks(offsets)
        cuts = np.cumsum([len(b) for b in bounds])[:-1]
        self._begin, self._end, self._gone, self._back = np.split(places.reshape(-1), cuts)

    def spans(self, area_bytes: int, page_size: int, one_clock: bool) -> list[_Spans]:
        """The stream's spans, cause after cause."""
        if self.is_snapshot or not len(self._end):
            return []
        is_full = program(self.parts, area_bytes, page_size).is_full
        is_inside = _lie_in(self._end, self._gone, self._back)
        truncated = np.flatnonzero(self.truncated & ~is_inside)
        truncated = truncated[np.unique(self._end[truncated], return_index=True)[1]]
        stopped = ~is_full & ~is_inside & ~np.isin(self._end, self._end[truncated])
        stopped[:-1] &= self._end[:-1] != self._end[1:]
        stopped[-1] = False
        return [
            self._after(truncated, "truncated", one_clock),
            self._collisions(np.flatnonzero(self.collision)),
            self._after(np.flatnonzero(stopped), "stopped", one_clock),
            self._missing(),
        ]

    def _after(self, rows: Integers, cause: str, one_clock: bool) -> _Spans:
        """From the ends of the AUX records `rows` to the next record."""
        spans = self._between(self._end[rows], self._end[rows], cause)
        start, has_start = spans.start_ns, spans.has_start
        if one_clock:
            told = self.parts.time_ns[rows]
            later = self.parts.has_time[rows] & (~has_start | (cause == "stopped"))
            start = np.where(later & (~has_start | (told > start)), told, start)
            start = np.where(spans.has_end, np.minimum(start, spans.end_ns), start)
            has_start = has_start | later
        spans = spans._replace(start_ns=start, has_start=has_start)
        return self._estimated(spans, self._rates(rows + 1 - _NEIGHBOURS, rows + 1 + _NEIGHBOURS))

    def _collisions(self, rows: Integers) -> _Spans:
        marks, begin, end = self.marks, self._begin[rows], self._end[rows]
        counts = marks.records_before[end] - marks.records_before[begin]
        has_any, unknown = counts > 0, np.full(len(rows), np.nan)
        spans = _Spans(
            "collision", marks.after_ns[begin], marks.before_ns[end], has_any, has_any, unknown
        )
        rates = self._rates(rows - _NEIGHBOURS, rows + 1 + _NEIGHBOURS, without=rows)
        return self._estimated(spans, rates, held=np.maximum(counts - 2, 0), least=1)

    def _missing(self) -> _Spans:
        spans = self._between(self._gone, self._back, "missing_data")
        rows = np.searchsorted(self._begin, self._gone, "right") - 1
        return self._estimated(spans, self._rates(rows - _NEIGHBOURS, rows + 1 + _NEIGHBOURS))

    def _between(self, low: Integers, high: Integers, cause: str) -> _Spans:
        """From the last record before the mark `low` to the first one after the mark `high`."""
        marks = self.marks
        return _Spans(
            cause,
            marks.before_ns[low],
            marks.after_ns[high],
            marks.has_before[low],
            marks.has_after[high],
            np.full(len(low), np.nan),
        )

    @staticmethod
    def _estimated(
        spans: _Spans, rates: npt.NDArray[np.float64], *, held: Any = 0, least: int = 0
    ) -> _Spans:
        """The spans with their estimates, where `held` records are between their two."""
        known = spans.has_start & spans.has_end
        lengths = np.maximum(spans.end_ns - spans.start_ns, 0)
        lost = np.maximum(rates * lengths - 1 - held, least)
        return spans._replace(estimate=np.where(known, lost, np.nan))

    def _rates(
        self, low: Integers, high: Integers, without: Integers | None = None
    ) -> npt.NDArray[np.float64]:
        """Records per ns in the AUX records from `low` up to `high`; not a number where none tells."""
        marks, begin, end = self.marks, self._begin, self._end
        steps = np.maximum(marks.records_before[end] - marks.records_before[begin] - 1, 0)
        lengths = np.maximum(marks.before_ns[end] - marks.after_ns[begin], 0)
        lengths[steps == 0] = 0
        low, high = np.clip(low, 0, len(steps)), np.clip(high, 0, len(steps))
        sums = []
        for values in (steps, lengths):
            below = np.concatenate((np.zeros(1, np.int64), np.cumsum(values)))
            total = below[high] - below[low]
            sums.append(total if without is None else total - values[without])
        rates: npt.NDArray[np.float64] = np.full(len(low), np.nan)
        np.divide(sums[0], sums[1], out=rates, where=sums[1] > 0)
        return rates


def _ends(offsets: Addresses, sizes: Addresses) -> Addresses:
    """Where ranges end; one that passes the last offset of all ends there."""
    return offsets + np.minimum(sizes, ~offsets)


def _missing_ranges(
    spe: SpeData, number: int, starts: Addresses, ends: Addresses
) -> tuple[Addresses, Addresses]:
    """Where bytes begin and end that AUX records announce and no piece of the stream holds."""
    pieces = [(at, len(data)) for segment in spe.segments(number) for at, data in segment]
    held = np.array(pieces, np.uint64).reshape(-1, 2)
    held_ends = _ends(held[:, 0], held[:, 1])
    edges = np.concatenate((starts, ends, held[:, 0], held_ends))
    one = np.ones(len(starts), np.int64), np.ones(len(held), np.int64)
    announced = np.concatenate((one[0], -one[0], 0 * one[1], 0 * one[1]))
    present = np.concatenate((0 * one[0], 0 * one[0], one[1], -one[1]))
    order = np.argsort(edges, kind="stable")
    edges = edges[order]
    is_missing = (np.cumsum(announced[order]) > 0) & (np.cumsum(present[order]) <= 0)
    is_missing[:-1] &= edges[1:] > edges[:-1]
    low = edges[:-1][is_missing[:-1]]
    high = edges[1:][is_missing[:-1]]
    joins = low[1:] == high[:-1]
    return low[np.append(True, ~joins)[: len(low)]], high[np.append(~joins, True)[: len(high)]]


def _lie_in(marks: Integers, low: Integers, high: Integers) -> Mask:
    """Which marks are in one of the ascending ranges, bounds included."""
    if not len(low):
        return np.zeros(len(marks), bool)
    place = np.searchsorted(low, marks, "right") - 1
    return (place >= 0) & (marks <= high[place])


def _frame(spans: _Spans, owner: dict[str, int | None]) -> pl.DataFrame:
    count = len(spans.start_ns)
    known = np.isfinite(spans.estimate)
    estimate = np.where(known, spans.estimate, 0).round().astype(np.uint64)
    columns: dict[str, Any] = {
        "cpu": [owner["cpu"]] * count,
        "tid": [owner["tid"]] * count,
        "start_ns": pl.Series(spans.start_ns).set(pl.Series(~spans.has_start), None),
        "end_ns": pl.Series(spans.end_ns).set(pl.Series(~spans.has_end), None),
        "cause": [spans.cause] * count,
        "records_lost_estimate": pl.Series(estimate).set(pl.Series(~known), None),
    }
    return pl.DataFrame(columns, schema=_SCHEMA)
