"""Which strategies each record survives: a small number per record, its pattern."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spetrace.tables.results import OUTCOMES

Rows = npt.NDArray[np.unsignedinteger[Any]]
Codes = npt.NDArray[np.uint8]
Patterns = npt.NDArray[np.unsignedinteger[Any]]
Places = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

EVERY: Final = 0
"""The mark of all records."""
NOT_REPLAYED: Final = 1
"""That of those which were not replayed."""

_CAPTURED: Final = OUTCOMES.index("captured")
_AT_A_TIME: Final = 32
_GROWTH: Final = 1 << 20


class Marks(NamedTuple):
    """Sets of records that are counted apart; a record may be in several."""

    patterns: list[Mask]
    """By mark the patterns of its records."""
    lost: dict[str, int]
    """By strategy the mark of the records that it does not capture, or that were not replayed."""

    def of(self, patterns: Patterns) -> Iterator[tuple[int, Places | None]]:
        """The marks that records of these patterns have, each with their places; None: all."""
        present = np.bincount(patterns, minlength=len(self.patterns[EVERY])) > 0
        for mark, mask in enumerate(self.patterns):
            if mask[present].all():
                yield mark, None
            elif mask[present].any():
                yield mark, np.flatnonzero(mask[patterns])


class Survival:
    """Per row of table spe_records its record's pattern: 0 where it was not replayed."""

    def __init__(self) -> None:
        self.replayed = 0
        """Records that were added."""
        self._strategies: list[str] = []
        self._known: dict[tuple[int, ...], int] = {}
        self._by_row: Patterns = np.zeros(0, np.uint8)
        self._end = 0

    def add(self, rows: Rows, outcomes: Mapping[str, Codes]) -> None:
        """Add the records of these rows: by strategy what became of each, as in OUTCOMES."""
        self._strategies = list(outcomes)
        if not len(rows):
            return
        patterns = self._number(list(outcomes.values()))
        self._make_room(int(rows.max()) + 1, np.min_scalar_type(len(self._known)))
        self._by_row[rows] = patterns
        self.replayed += len(rows)

    def of(self, first: int, count: int) -> Patterns:
        """The patterns of rows [first, first + count)."""
        own = self._by_row[first : first + count]
        if len(own) == count:
            return own
        return np.concatenate((own, np.zeros(count - len(own), own.dtype)))

    def are_distinct(self, records: int) -> bool:
        """Whether each record that was added is another one of `records`."""
        found = int(np.count_nonzero(self._by_row))
        return 0 < found == self.replayed and self._end <= records

    def marks(self) -> Marks:
        """What to count of the records that were added, of which there must be one, and all others."""
        bits = [sum(bits << _AT_A_TIME * i for i, bits in enumerate(own)) for own in self._known]
        not_replayed = [True, *(False for _ in bits)]
        marks = {tuple(True for _ in not_replayed): EVERY, tuple(not_replayed): NOT_REPLAYED}
        lost = {}
        for number, name in enumerate(self._strategies):
            mask = (True, *(not own >> number & 1 for own in bits))
            lost[name] = marks.setdefault(mask, len(marks))
        return Marks([np.array(mask) for mask in marks], lost)

    def _number(self, outcomes: list[Codes]) -> Patterns:
        """Per record the number of its pattern, from 1."""
        codes: npt.NDArray[Any] = np.zeros(1, np.uint64)
        met: list[tuple[int, ...]] = [()]
        for start in range(0, len(outcomes), _AT_A_TIME):
            bits = _captured_bits(outcomes[start : start + _AT_A_TIME])
            both = pa.array(codes << np.uint64(_AT_A_TIME) | bits).dictionary_encode()
            codes = both.indices.to_numpy().astype(np.uint64)
            pairs = (divmod(pair, 1 << _AT_A_TIME) for pair in both.dictionary.to_pylist())
            met = [(*met[before], own) for before, own in pairs]
        numbers = [self._known.setdefault(own, len(self._known) + 1) for own in met]
        patterns: Patterns = np.array(numbers, np.min_scalar_type(len(self._known)))[codes]
        return patterns

    def _make_room(self, rows: int, dtype: np.dtype[Any]) -> None:
        self._end = max(self._end, rows)
        if rows > len(self._by_row):
            more = max(rows - len(self._by_row), len(self._by_row) // 4, _GROWTH)
            self._by_row = np.concatenate((self._by_row, np.zeros(more, self._by_row.dtype)))
        if dtype.itemsize > self._by_row.itemsize:
            self._by_row = self._by_row.astype(dtype)


def _captured_bits(outcomes: list[Codes]) -> npt.NDArray[np.uint64]:
    """Per record a bit for each strategy, the first one's lowest: whether it was captured."""
    everywhere = 0
    bits = np.zeros(len(outcomes[0]), np.uint32)
    for number, codes in enumerate(outcomes):
        captured = codes == _CAPTURED
        if captured.all():
            everywhere |= 1 << number
        else:
            bits |= captured.astype(np.uint32) << np.uint32(number)
    return (bits | np.uint32(everywhere)).astype(np.uint64)
