"""What became of each record, kept only where it was asked for."""

from __future__ import annotations

import numpy as np

from spetrace.replay.log_columns import Places
from spetrace.replay.streams import Stream
from spetrace.tables.results import OUTCOMES

CODE = {name: code for code, name in enumerate(OUTCOMES)}


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
    """One byte per record of a stream: its outcome's number in OUTCOMES."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.eligible = np.zeros(len(stream.eligible), np.uint8)
        self.others = np.zeros(len(stream.others), np.uint8)
        self._written: list[tuple[int, int]] = []

    def note(self, first: int, end: int, outcome: str) -> None:
        """Eligible records [first, end) have this outcome for good."""
        self.eligible[first:end] = CODE[outcome]

    def note_others(self, first: int, end: int, outcome: str) -> None:
        """Records [first, end) among the others have this outcome."""
        self.others[first:end] = CODE[outcome]

    def write(self, first: int, end: int) -> None:
        """Eligible records [first, end) were written: captured, unless discarded later."""
        if first < end:
            self._written.append((first, end))

    def discard_last(self, records: int) -> None:
        """The last written records that are not captured yet are discarded."""
        while records:
            first, end = self._written.pop()
            start = max(first, end - records)
            self.eligible[start:end] = CODE["discarded"]
            records -= end - start
            if start > first:
                self._written.append((first, start))

    def capture(self) -> None:
        """All written records are captured for good."""
        self._written.clear()

    def scatter(self, log: Places, codes: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> None:
        """Put the outcomes into `codes`, which has one per record place in `log`."""
        codes[np.searchsorted(log, self.stream.eligible)] = self.eligible
        codes[np.searchsorted(log, self.stream.others)] = self.others
