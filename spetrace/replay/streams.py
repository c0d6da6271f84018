"""The sample records and ERETs of one vCPU as columns that a replay can search.

What a record meets depends on the strategy only through S, the pointer and the mappings. Whether
profiling would be enabled for it but for S depends on the log alone (E, E0SPE, E1SPE, EL), so the
records are split by that once, for all strategies: *eligible* ones, whose sizes are summed up, and
the others, which only need counting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.uint32]
"""Positions in a window of the log, ascending."""
Integers = npt.NDArray[np.int64]
Rows = npt.NDArray[np.uint64]


def count_before(places: Places, place: int) -> int:
    """How many of `places` lie before `place`."""
    if not len(places) or place > int(places[-1]):
        return len(places)
    return int(places.searchsorted(np.uint32(place)))


@dataclass(frozen=True)
class Stream:
    """One vCPU's records and ERETs in one window of the log."""

    vm: int
    vcpu: int
    eligible: Places
    """Places of the eligible records."""
    times: Integers
    """Their times, ns."""
    sums: Integers
    """Sums of their sizes: record k has sums[k + 1] - sums[k] bytes; one more than records."""
    others: Places
    """Places of the other records."""
    erets: Places
    """Places of the ERETs executed while E = 1, E0SPE = 1 and E1SPE = 0."""
    erets_to_el0: Places
    """Those of them that go to EL0."""
    eret_times: Integers
    """The times of those to EL0, ns."""
    own_eligible: Places
    """Eligible records before each of the vCPU's register writes and buffer full events."""
    rows: Rows
    """Column `row` of the eligible records; empty where it was not asked for, as the next."""
    other_rows: Rows
    """Column `row` of the other records."""

    @property
    def records(self) -> int:
        """All records, eligible or not."""
        return len(self.eligible) + len(self.others)


COLUMNS = {
    "eligible": np.uint32, "times": np.int64, "sums": np.int64, "others": np.uint32,
    "erets": np.uint32, "erets_to_el0": np.uint32, "eret_times": np.int64,
    "own_eligible": np.uint32, "rows": np.uint64, "other_rows": np.uint64,
}  # fmt: skip
"""The columns of a stream and their types."""


NO_STREAM: Final = Stream(
    0, 0, **{name: np.zeros(int(name == "sums"), type_) for name, type_ in COLUMNS.items()}
)
"""That of a vCPU which a window has nothing of."""


@dataclass(frozen=True)
class Streams:
    """The streams of all vCPUs in one window, column by column."""

    names: Sequence[tuple[int, int]]
    """(VM, vCPU) of each."""
    values: Mapping[str, npt.NDArray[Any]]
    """By name of COLUMNS the values of all, one after the other."""
    offsets: Mapping[str, Integers]
    """Where each one's values begin, and where the last one's end."""

    def filled(self) -> list[Stream]:
        """Those that have anything in the window."""
        lengths = [np.diff(self.offsets[name]) for name in ("eligible", "others", "erets")]
        lengths.append(np.diff(self.offsets["own_eligible"]))
        return [self._stream(n) for n in np.flatnonzero(np.any(lengths, axis=0)).tolist()]

    def _stream(self, number: int) -> Stream:
        parts = {
            name: values[slice(*self.offsets[name][number : number + 2].tolist())]
            for name, values in self.values.items()
        }
        vm, vcpu = self.names[number]
        return Stream(vm, vcpu, **parts)
