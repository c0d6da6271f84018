"""Records counted by value, owner and mark, batch after batch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spetrace.fidelity.survival import EVERY, Mask, Places

Values = npt.NDArray[np.unsignedinteger[Any]]
Int64s = npt.NDArray[np.int64]
Number = TypeVar("Number", bound=np.integer[Any])
_MERGED_FROM: Final = 1 << 20
"""Groups that are held before those of the same value, owner and mark are put together."""
_NO_KEY: Final = -1


class Groups(NamedTuple):
    """Records of the same key and mark: a number per group in each column."""

    key: Int64s
    mark: Int64s
    records: Int64s

    def of_mark(self, mark: int, size: int) -> Int64s:
        """Per key below `size` the records that have the mark."""
        own = self.mark == mark
        return summed(self.key[own], self.records[own], size)


class Tally(NamedTuple):
    """Distinct pairs of value and owner in the order in which they came, and their records."""

    values: npt.NDArray[np.uint64]
    owners: Int64s
    groups: Groups
    """A key is the place of its pair."""

    def totals(self) -> Int64s:
        """Records per key."""
        return self.groups.of_mark(EVERY, len(self.values))


class Tallying:
    """Counts the records of batches; what is held grows with the distinct pairs."""

    def __init__(self) -> None:
        self._parts: list[Tally] = []
        self._held = 0
        self._merge_at = _MERGED_FROM

    def add(
        self,
        values: Values,
        owners: Int64s,
        known: Mask | None,
        marked: Iterable[tuple[int, Places | None]],
    ) -> None:
        """Count a batch: records with `values` (those `known`, None: all) of `owners` (or one for all).

        `marked` are the marks among them, each with the places of its records (None: all).
        """
        part = _tally(values, owners, known, marked)
        self._parts.append(part)
        self._held += len(part.groups.key)
        if self._held > self._merge_at:
            self._parts = [self.take()]
            self._held = len(self._parts[0].groups.key)
            self._merge_at = max(_MERGED_FROM, 2 * self._held)

    def take(self) -> Tally:
        """What was counted so far."""
        parts = self._parts
        nothing = [np.zeros(0, np.int64)]
        values = np.concatenate([np.zeros(0, np.uint64), *(part.values for part in parts)])
        owners = np.concatenate([*nothing, *(part.owners for part in parts)])
        first, keys = _distinct(values, owners)
        starts = np.cumsum([0, *(len(part.values) for part in parts)])
        places = (p.groups.key + start for p, start in zip(parts, starts, strict=False))
        key = keys[np.concatenate([*nothing, *places])]
        mark = np.concatenate([*nothing, *(part.groups.mark for part in parts)])
        count = np.concatenate([*nothing, *(part.groups.records for part in parts)])
        return Tally(values[first], owners[first], _merged(key, mark, count))


def summed(numbers: Int64s, counts: Int64s, size: int) -> Int64s:
    """Per number below `size` the sum of its counts."""
    return np.bincount(numbers, counts, minlength=size).astype(np.int64)


def _tally(
    values: Values,
    owners: Int64s,
    known: Mask | None,
    marked: Iterable[tuple[int, Places | None]],
) -> Tally:
    if known is not None:
        values = values[known]
        owners = owners if len(owners) == 1 else owners[known]
    first, codes = _distinct(values.astype(np.uint64, copy=False), owners)
    keys = codes
    if known is not None:
        keys = np.full(len(known), _NO_KEY, np.int64)
        keys[known] = codes
    groups = [_group(keys if at is None else keys[at], mark) for mark, at in marked]
    columns = (np.concatenate(column) for column in zip(*groups, strict=True))
    owner = owners if len(owners) == len(values) else np.broadcast_to(owners, len(values))
    return Tally(values[first].astype(np.uint64), owner[first], Groups(*columns))


def _group(keys: Int64s, mark: int) -> Groups:
    """The records of one mark by key."""
    counts = np.bincount(keys - _NO_KEY)[1:]
    found = np.flatnonzero(counts)
    return Groups(found, np.full(len(found), mark), counts[found])


def _merged(key: Int64s, mark: Int64s, count: Int64s) -> Groups:
    """Groups of the same key and mark put together."""
    marks = int(mark.max(initial=0)) + 1
    found, group = np.unique(key * marks + mark, return_inverse=True)
    return Groups(*np.divmod(found, marks), summed(group, count, len(found)))


def _distinct(values: npt.NDArray[np.uint64], owners: Int64s) -> tuple[Int64s, Int64s]:
    """Where each distinct pair is first, in that order, and the number of each entry's pair."""
    distinct, codes = _numbered(values)
    count = len(distinct)
    if len(owners) > 1:
        owner, owner_codes = _numbered(owners)
        if len(owner) > 1:
            pairs, codes = _numbered(owner_codes * max(len(distinct), 1) + codes)
            count = len(pairs)
    first = np.empty(count, np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return first, codes


def _numbered(values: npt.NDArray[Number]) -> tuple[npt.NDArray[Number], Int64s]:
    encoded = pa.array(values).dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return encoded.dictionary.to_numpy(zero_copy_only=False), codes
