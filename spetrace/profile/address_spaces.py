"""Address spaces of a recording: processes and the kernel, and how far each is laid out at a time.

A place in code is an address in an *epoch*: one address space between two of its mappings. Records
are counted by (epoch, address), so that each such pair is looked up only once.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.profile.interval_map import IntervalMap
from spetrace.profile.timed_lookup import START, Int64s, TimedLookup

KERNEL = -1
"""Stands for the kernel where a process id is expected."""
UNKNOWN = -2
"""Stands for a process that isn't known where a process id is expected."""

_SHIFT = 34
"""Room for thread ids of 32 bits and the two numbers below zero."""
_LAST_ADDRESS = (1 << 64) - 1


def _key(sources: Int64s, numbers: Int64s) -> Int64s:
    """Input and process or thread as one number."""
    return (sources << _SHIFT) + numbers


class AddressSpaces:
    """All address spaces of `sources` inputs.

    `mappings` and `threads` are the tables of those names.
    """

    def __init__(self, mappings: pl.DataFrame, threads: pl.DataFrame, sources: int) -> None:
        self.mappings = mappings
        self._starts = mappings["start"].to_numpy()
        self._sizes = mappings["size_bytes"].to_numpy()
        named = _processes_of_threads(mappings, threads)
        owners = _key(_numbers(mappings, "source"), _numbers(mappings, "pid", KERNEL))
        processes = _key(_numbers(named, "source"), _numbers(named, "pid"))
        every = np.arange(sources)
        always = [_key(every, np.full(sources, number)) for number in (KERNEL, UNKNOWN)]
        self._keys = np.unique(np.concatenate((*always, owners, processes)))
        self._threads = TimedLookup(
            _key(_numbers(named, "source"), _numbers(named, "tid")), _start_times(named)
        )
        self._thread_spaces = self._codes(processes)
        spaces = self._codes(owners)
        self._mapped = TimedLookup(spaces, _start_times(mappings))
        counts = np.bincount(spaces, minlength=len(self._keys))
        self.is_mapped = counts > 0
        """Per space whether anything is mapped in it."""
        self._first_mapping = np.concatenate(([0], np.cumsum(counts)))
        self._first_epoch = self._first_mapping[:-1] + np.arange(len(self._keys))

    @property
    def sources(self) -> Int64s:
        """Input of each space."""
        return np.asarray((self._keys - UNKNOWN) >> _SHIFT, np.int64)

    @property
    def pids(self) -> Int64s:
        """Process of each space, or KERNEL or UNKNOWN."""
        return np.asarray(self._keys - (self.sources << _SHIFT), np.int64)

    def kernel(self, sources: Int64s) -> Int64s:
        """The kernel's space per input."""
        return self._codes(_key(sources, np.full(len(sources), KERNEL)))

    def of_threads(self, sources: Int64s, tids: Int64s, times: Int64s) -> Int64s:
        """The space of each thread at a time: that of its process, or the unknown one."""
        unknown = self._codes(_key(sources, np.full(len(sources), UNKNOWN)))
        if not len(self._thread_spaces):
            return unknown
        entry = self._threads.find(_key(sources, tids), times)
        return np.where(entry >= 0, self._thread_spaces[entry], unknown)

    def epochs(self, spaces: Int64s, times: Int64s) -> Int64s:
        """The epoch of each space at a time."""
        first, counted = self._mapped.count_before(spaces, times)
        return np.asarray(self._first_epoch[spaces] + np.maximum(counted - first, 0), np.int64)

    def last_epochs(self, spaces: Int64s) -> Int64s:
        """The epoch of each space at the recording's end."""
        mapped = self._first_mapping[spaces + 1] - self._first_mapping[spaces]
        return np.asarray(self._first_epoch[spaces] + mapped, np.int64)

    def spaces_of(self, epochs: Int64s) -> Int64s:
        """The space of each epoch."""
        return np.asarray(np.searchsorted(self._first_epoch, epochs, "right") - 1, np.int64)

    def find(self, epochs: Int64s, addresses: npt.NDArray[np.uint64]) -> Int64s:
        """Row of `mappings` that each address lies in at that epoch; -1 where there is none.

        The newest mapping of an address holds.
        """
        order = np.lexsort((addresses, epochs))
        found = np.full(len(epochs), -1, np.int64)
        bounds = np.flatnonzero(np.diff(epochs[order], prepend=-1, append=-1))
        ranges, space, laid = IntervalMap(), -1, 0
        for begin, end in pairwise(bounds.tolist()):
            epoch = int(epochs[order[begin]])
            own = int(np.searchsorted(self._first_epoch, epoch, "right")) - 1
            if own != space:
                ranges, space, laid = IntervalMap(), own, int(self._first_mapping[own])
            until = int(self._first_mapping[own] + epoch - self._first_epoch[own])
            self._lay(ranges, laid, until)
            laid = until
            at = order[begin:end]
            found[at] = ranges.find(addresses[at])
        return found

    def _lay(self, ranges: IntervalMap, first: int, end: int) -> None:
        rows = self._mapped.order[first:end]
        starts, sizes = self._starts[rows].tolist(), self._sizes[rows].tolist()
        for row, start, size in zip(rows.tolist(), starts, sizes, strict=True):
            ranges.assign(start, min(start + size, _LAST_ADDRESS), row)

    def _codes(self, keys: Int64s) -> Int64s:
        return np.asarray(np.searchsorted(self._keys, keys), np.int64)


def _processes_of_threads(mappings: pl.DataFrame, threads: pl.DataFrame) -> pl.DataFrame:
    """source, tid, pid, time_ns by the table of threads, and by whoever mapped something."""
    known = [
        table.select("source", pl.col("tid", "pid").cast(pl.Int64), "time_ns")
        for table in (threads, mappings)
    ]
    return pl.concat(known).filter(pl.col("tid") >= 0, pl.col("pid") >= 0)


def _numbers(table: pl.DataFrame, column: str, absent: int = UNKNOWN) -> Int64s:
    return table[column].cast(pl.Int64).fill_null(absent).to_numpy()


def _start_times(table: pl.DataFrame) -> Int64s:
    return table["time_ns"].fill_null(START).to_numpy()
