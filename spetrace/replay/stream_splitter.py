"""Splits the events of each window into streams, and remembers what goes on in the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from spetrace.replay.log_columns import Numbers
from spetrace.replay.stream_kernel import (
    AT_EL1,
    ELIGIBLE,
    ERET,
    LISTS,
    OTHER,
    OWN,
    USER_ERET,
    classify,
    place_events,
)
from spetrace.replay.streams import COLUMNS, Integers, Rows, Streams

Steps = npt.NDArray[np.uint8]
_LIST_OF: Final = {
    "eligible": ELIGIBLE, "times": ELIGIBLE, "sums": ELIGIBLE, "others": OTHER, "erets": ERET,
    "erets_to_el0": USER_ERET, "eret_times": USER_ERET, "own_eligible": OWN, "rows": ELIGIBLE,
    "other_rows": OTHER,
}  # fmt: skip
_ROWS: Final = ("rows", "other_rows")


@dataclass(frozen=True)
class StreamedEvents:
    """What streams are made of: columns of the events of a window."""

    steps: Steps
    """What each is to its vCPU's stream, as in stream_kernel; overwritten."""
    vcpus: Numbers
    times: Integers
    sizes: npt.NDArray[np.uint32]
    rows: Rows
    """Empty where it was not asked for."""


class StreamSplitter:
    """Knows what each vCPU's registers and EL are between windows."""

    def __init__(self) -> None:
        self._state = np.zeros(0, np.uint8)

    def split(self, events: StreamedEvents, names: Sequence[tuple[int, int]]) -> Streams:
        """The streams of a window; `names` are those of all vCPUs so far, by their number."""
        fresh = np.full(len(names) - len(self._state), AT_EL1, np.uint8)
        self._state = np.concatenate((self._state, fresh))
        counts = np.zeros((len(names), LISTS), np.int64)
        classify(events.steps, events.vcpus, self._state, counts)
        offsets = _offsets(counts, has_rows=len(events.rows) > 0)
        values = {name: np.zeros(int(offsets[name][-1]), type_) for name, type_ in COLUMNS.items()}
        _place(events, np.cumsum(counts, axis=0) - counts, values)
        return Streams(list(names), values, offsets)


def _offsets(counts: Integers, *, has_rows: bool) -> dict[str, Integers]:
    """Per column where each vCPU's part begins, and where the last one's ends."""
    ends = np.concatenate((np.zeros((1, LISTS), np.int64), np.cumsum(counts, axis=0)))
    offsets = {name: ends[:, number] for name, number in _LIST_OF.items()}
    offsets["sums"] = offsets["sums"] + np.arange(len(ends))
    if not has_rows:
        offsets |= dict.fromkeys(_ROWS, np.zeros(len(ends), np.int64))
    return offsets


def _place(events: StreamedEvents, at: Integers, values: dict[str, npt.NDArray[Any]]) -> None:
    lists = tuple(column for name, column in values.items() if name not in _ROWS)
    rows = tuple(values[name] for name in _ROWS)
    place_events(
        events.steps, events.vcpus, events.times, events.sizes, events.rows, at, lists, rows
    )
