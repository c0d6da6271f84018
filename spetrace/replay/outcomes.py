"""What became of each record, kept only where it was asked for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spetrace.replay.temporary import TemporaryBytes
from spetrace.tables.results import OUTCOMES

CODE = {name: code for code, name in enumerate(OUTCOMES)}
Codes = npt.NDArray[np.uint8]
_AT_A_TIME = 1 << 20


class OutcomeCodes:
    """One strategy's outcomes, a byte per record: its number in OUTCOMES.

    Records are numbered window after window, in each vCPU after vCPU, of each the eligible ones
    before the others. The codes of all windows but the last are in a temporary file.
    """

    def __init__(self) -> None:
        self._file: TemporaryBytes | None = None
        self._start = 0
        self._last: Codes = np.zeros(0, np.uint8)

    def begin(self, records: int) -> int:
        """Go on to a window of so many records; the number of the first of them."""
        if len(self._last):
            self._file = self._file or TemporaryBytes("outcomes")
            self._file.write(self._start, self._last)
        self._start += len(self._last)
        self._last = np.zeros(records, np.uint8)
        return self._start

    def fill(self, first: int, end: int, outcome: str) -> None:
        """Records [first, end) have this outcome."""
        code = CODE[outcome]
        if first >= self._start:
            self._last[first - self._start : end - self._start] = code
            return
        assert self._file is not None
        stop = min(end, self._start)
        for at in range(first, stop, _AT_A_TIME):
            self._file.write(at, np.full(min(_AT_A_TIME, stop - at), code, np.uint8))
        self._last[: max(end - self._start, 0)] = code

    def read(self, first: int, count: int) -> Codes:
        """The outcomes of `count` records of one window from `first` on."""
        if first >= self._start:
            return self._last[first - self._start :][:count]
        assert self._file is not None
        return self._file.read(first, count)


class Outcomes:
    """Nothing is kept; the counters tell enough."""

    def enter(self, eligible: int, others: int) -> None:
        """A window begins: the numbers of the first eligible record in it, and of the first other."""

    def note(self, first: int, end: int, outcome: str) -> None:
        """Eligible records [first, end) of the window have this outcome for good."""

    def note_others(self, first: int, end: int, outcome: str) -> None:
        """Records [first, end) among the others of the window have this outcome."""

    def write(self, first: int, end: int) -> None:
        """Eligible records [first, end) were written: captured, unless discarded later."""

    def discard_last(self, records: int) -> None:
        """The last written records that are not captured yet are discarded."""

    def capture(self) -> None:
        """All written records are captured for good."""


class KeptOutcomes(Outcomes):
    """The outcomes of one vCPU, as part of its strategy's codes."""

    def __init__(self, codes: OutcomeCodes) -> None:
        self._codes = codes
        self._eligible = self._others = 0
        self._written: list[tuple[int, int]] = []
        """Numbers of the records that are written and not captured yet."""

    def enter(self, eligible: int, others: int) -> None:
        """A window begins: the numbers of the first eligible record in it, and of the first other."""
        self._eligible, self._others = eligible, others

    def note(self, first: int, end: int, outcome: str) -> None:
        """Eligible records [first, end) of the window have this outcome for good."""
        self._codes.fill(self._eligible + first, self._eligible + end, outcome)

    def note_others(self, first: int, end: int, outcome: str) -> None:
        """Records [first, end) among the others of the window have this outcome."""
        self._codes.fill(self._others + first, self._others + end, outcome)

    def write(self, first: int, end: int) -> None:
        """Eligible records [first, end) were written: captured, unless discarded later."""
        if first < end:
            self._written.append((self._eligible + first, self._eligible + end))

    def discard_last(self, records: int) -> None:
        """The last written records that are not captured yet are discarded."""
        while records:
            first, end = self._written.pop()
            start = max(first, end - records)
            self._codes.fill(start, end, "discarded")
            records -= end - start
            if start > first:
                self._written.append((first, start))

    def capture(self) -> None:
        """All written records are captured for good."""
        self._written.clear()
