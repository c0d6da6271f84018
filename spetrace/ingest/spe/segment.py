"""Runs of SPE bytes as the container hands them to the decoder."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Piece(NamedTuple):
    """Consecutive bytes of an AUX stream: where they start in it, and the bytes (uint8)."""

    aux_offset: int
    data: npt.NDArray[np.uint8]


Segment = tuple[Piece, ...]
"""Pieces that follow each other without a gap: a record cut at the end of one goes on in the next.

Nothing goes on from one segment into the next (a gap, a PARTIAL AUX record, a snapshot)."""
