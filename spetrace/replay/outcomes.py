"""What became of each record, kept only where it was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from spetrace.replay.streams import Stream
from spetrace.tables.results import OUTCOMES

CODE = {name: code for code, name in enumerate(OUTCOMES)}
Codes = npt.NDArray[np.uint8]
NO_ROW: Final = (1 << 64) - 1


@dataclass(frozen=True)
class RecordOutcomes:
    """What became of each record under each strategy, in the order of the log."""

    rows: npt.NDArray[np.uint64]
    """The event log's column `row`; NO_ROW where null."""
    codes: dict[str, Codes]
    """By strategy a byte per record: its outcome's number in OUTCOMES."""


class Outcomes:
    """Nothing is kept; the counters tell enough."""

    def note(self, first: int, end: int, outcome: str) -> None:
        """Eligible records [first, end) have this outcome for good."""

    def note_others(self, first: int, end: int, outcome: str) -> None:
        """Records [first, end) among the others have this outcome."""

    def write(self, first: int, end: int) -> None:
        """Eligible records [first, end) were written: captured, unless discarded later."""

    def discard_last(self, records: int) -> None:
        """The last written records that are not captured yet are discarded."""

    def capture(self) -> None:
        """All written records are captured for good."""


class KeptOutcomes(Outcomes):
    """The outcomes of one stream, as part of its strategy's codes."""

    def __init__(self, eligible: Codes, others: Codes) -> None:
        self._eligible = eligible
        self._others = others
        self._written: list[tuple[int, int]] = []

    def note(self, first: int, end: int, outcome: str) -> None:
        """Eligible records [first, end) have this outcome for good."""
        self._eligible[first:end] = CODE[outcome]

    def note_others(self, first: int, end: int, outcome: str) -> None:
        """Records [first, end) among the others have this outcome."""
        self._others[first:end] = CODE[outcome]

    def write(self, first: int, end: int) -> None:
        """Eligible records [first, end) were written: captured, unless discarded later."""
        if first < end:
            self._written.append((first, end))

    def discard_last(self, records: int) -> None:
        """The last written records that are not captured yet are discarded."""
        while records:
            first, end = self._written.pop()
            start = max(first, end - records)
            self._eligible[start:end] = CODE["discarded"]
            records -= end - start
            if start > first:
                self._written.append((first, start))

    def capture(self) -> None:
        """All written records are captured for good."""
        self._written.clear()


def keep_outcomes(streams: Sequence[Stream], *, asked: bool) -> tuple[Codes, Sequence[Outcomes]]:
    """One strategy's codes, and per stream what writes its part of them; nothing unless `asked`.

    The streams' codes follow each other, in each those of eligible records before the others.
    """
    if not asked:
        return np.zeros(0, np.uint8), [Outcomes() for _ in streams]
    codes = np.zeros(sum(stream.records for stream in streams), np.uint8)
    kept = []
    end = 0
    for stream in streams:
        start, end = end, end + stream.records
        own = codes[start:end]
        kept.append(KeptOutcomes(own[: len(stream.eligible)], own[len(stream.eligible) :]))
    return codes, kept
