"""Protobuf's wire format for whole columns: one message per row, without an object per message.

A `Cells` holds the encoded bytes of every row side by side; fields are put one behind the other,
and a message in a field is its rows with their lengths before them. Varints are as short as they
can be, so a row's bytes are those that the protobuf library writes
(https://protobuf.dev/programming-guides/encoding).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
VARINT: Final = 0
LENGTH: Final = 2
"""Wire types: an integer, and bytes with their length before them."""
_GROUP = 7
"""Bits of a varint's byte that hold its value."""


@dataclass(frozen=True)
class Cells:
    """A byte string per row, of different lengths: parts that lie one behind the other."""

    parts: tuple[tuple[Bytes, Flags], ...]
    """Each (rows, width): bytes, and which of them are a row's."""

    def lengths(self) -> npt.NDArray[np.uint64]:
        """Bytes of each row."""
        sums = [used.sum(axis=1, dtype=np.uint64) for _, used in self.parts]
        lengths: npt.NDArray[np.uint64] = np.add.reduce(sums, dtype=np.uint64)
        return lengths

    def joined(self) -> bytes:
        """All rows, one behind the other."""
        encoded = np.concatenate([part for part, _ in self.parts], axis=1)
        used = np.concatenate([used for _, used in self.parts], axis=1)
        return bytes(encoded[used].data)

    def where(self, present: Flags) -> Cells:
        """The same, but nothing in the rows that are not `present`."""
        return Cells(tuple((part, used & present[:, None]) for part, used in self.parts))


def side_by_side(cells: Sequence[Cells]) -> Cells:
    """Per row the bytes of all cells, one behind the other."""
    return Cells(tuple(part for each in cells for part in each.parts))


def encode_varints(values: npt.NDArray[np.uint64]) -> Cells:
    """An integer per row, as a varint."""
    largest = int(values.max()) if len(values) else 0
    width = max(1, -(-largest.bit_length() // _GROUP))
    shifts = np.arange(width, dtype=np.uint64) * np.uint64(_GROUP)
    rest = values[:, None] >> shifts
    encoded = (rest & np.uint64(0x7F)).astype(np.uint8)
    used = rest != 0
    used[:, 0] = True
    encoded[:, :-1] |= used[:, 1:].astype(np.uint8) << 7
    return Cells(((encoded, used),))


def integer_field(number: int, values: npt.NDArray[Any]) -> Cells:
    """Field `number` with an integer per row; negative ones as int64 in two's complement."""
    wide = values.astype(np.int64).view(np.uint64) if values.dtype.kind == "i" else values
    return _tagged(number, VARINT, encode_varints(wide.astype(np.uint64, copy=False)))


def message_field(number: int, body: Cells) -> Cells:
    """Field `number` with a message per row: its length and its fields."""
    return _tagged(number, LENGTH, side_by_side([encode_varints(body.lengths()), body]))


def _tagged(number: int, wire_type: int, body: Cells) -> Cells:
    ((tag, used),) = encode_varints(np.array([number << 3 | wire_type], np.uint64)).parts
    shape = (len(body.parts[0][0]), tag.shape[1])
    ahead = Cells(((np.broadcast_to(tag, shape), np.broadcast_to(used, shape)),))
    return side_by_side([ahead, body])
