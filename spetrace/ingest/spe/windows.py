"""The pieces of a segment cut into windows in which the kernel can read any packet whole.

A packet may begin in one piece and end in the next. So a piece's own window leaves its last bytes to
a small copied window that joins them with the first bytes of the next piece. No piece is copied.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spetrace.arm.spe_packets import LONGEST_PACKET_BYTES
from spetrace.ingest.spe.segment import Segment

_REACH = LONGEST_PACKET_BYTES - 1
"""Bytes after its first that a packet can have."""

_U64 = (1 << 64) - 1


class Window(NamedTuple):
    """Bytes of which those packets are to be decoded that begin in the first `stop`.

    `LONGEST_PACKET_BYTES` can be read from each of them; those at `end` and after are no data.
    """

    data: npt.NDArray[np.uint8]
    aux_offset: np.uint64
    stop: np.uint64
    end: np.uint64


def iter_windows(segment: Segment) -> Iterator[Window]:
    """Windows that follow each other and hold each byte of `segment` once before a `stop`.

    The first piece says where the segment starts in its AUX stream, the others' offsets follow.
    """
    at = segment[0].aux_offset
    tail = np.zeros(0, np.uint8)
    for _, data in segment:
        bridge = np.concatenate((tail, data[:_REACH]))
        yield _window(bridge, at - len(tail), len(bridge) - _REACH)
        yield _window(data, at, len(data) - _REACH)
        tail = (data if len(data) > _REACH else bridge)[-_REACH:]
        at += len(data)
    last = np.concatenate((tail, np.zeros(LONGEST_PACKET_BYTES, np.uint8)))
    yield _window(last, at - len(tail), len(tail), len(tail))


def _window(
    data: npt.NDArray[np.uint8], aux_offset: int, stop: int, end: int | None = None
) -> Window:
    data = np.ascontiguousarray(data).view()
    data.flags.writeable = False  # as a file's bytes are, so that the kernel is compiled only once
    end = len(data) if end is None else end
    return Window(data, np.uint64(aux_offset & _U64), np.uint64(max(stop, 0)), np.uint64(end))
