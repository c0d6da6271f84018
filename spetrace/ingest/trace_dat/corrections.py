"""What is added to or made of raw timestamps: host sync, TSC2NSEC, DATE and OFFSET.

The order is that of trace-cmd 3.4 lib/trace-cmd/trace-input.c (timestamp_calc).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spetrace.errors import InputError
from spetrace.ingest.trace_dat.options import Option, OptionId
from spetrace.ingest.trace_dat.scaling import multiply_shift
from spetrace.ingest.trace_dat.time_shift import TimeShift, read_time_shift

_NUMBER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|\d+)")
_NS_PER_US = 1000
_LOW_64_BITS = (1 << 64) - 1


class TscScale(NamedTuple):
    """TSC2NSEC: ns = (ticks * multiplier) >> shift."""

    multiplier: int
    shift: int


@dataclass
class Corrections:
    """The corrections of one file."""

    offset_ns: int = 0
    tsc: TscScale | None = None
    time_shift: TimeShift | None = None
    damaged: list[InputError] = field(default_factory=list)
    """Options that could not be read; their correction is left out."""

    def apply(self, times: npt.NDArray[np.uint64], cpu: int) -> npt.NDArray[np.int64]:
        """Corrected times of events of `cpu`, as int64."""
        if self.time_shift is not None:
            times = self.time_shift.apply(times, cpu)
        if self.tsc is not None:
            times = multiply_shift(times, self.tsc.multiplier, self.tsc.shift)
        if self.offset_ns:
            times = times + np.uint64(self.offset_ns & _LOW_64_BITS)
        return times.view(np.int64)


def read_corrections(options: list[Option], order: str) -> Corrections:
    """The corrections that a file's options ask for."""
    corrections = Corrections()
    for option in options:
        try:
            _read(option, order, corrections)
        except InputError as error:
            corrections.damaged.append(error)
    return corrections


def _read(option: Option, order: str, corrections: Corrections) -> None:
    if option.id == OptionId.DATE:
        corrections.offset_ns += _number(option) * _NS_PER_US
    elif option.id == OptionId.OFFSET:
        corrections.offset_ns += _number(option)
    elif option.id == OptionId.TSC2NSEC:
        multiplier, shift = option.cursor(order).unpack("II")
        if shift < 64 and multiplier:
            corrections.tsc = TscScale(multiplier, shift)
    elif option.id == OptionId.TIME_SHIFT:
        corrections.time_shift = read_time_shift(option, order)


def _number(option: Option) -> int:
    match = _NUMBER.match(option.text())
    return int(match[0][:20], 0 if "x" in match[0].lower() else 10) if match else 0
