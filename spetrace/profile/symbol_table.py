"""Functions by address, looked up for whole arrays of addresses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Uint64s = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class SymbolTable:
    """Functions in ascending order of their addresses, one per address.

    `ends` is where each ends at the latest. Names are kept as they lie in the file: `names` holds
    them, each from its place in `name_starts` to the next zero byte.
    """

    starts: Uint64s
    ends: Uint64s
    name_starts: npt.NDArray[np.int64]
    names: bytes

    def find(self, addresses: Uint64s) -> npt.NDArray[np.int64]:
        """Place of the function that each address lies in; -1 where there is none."""
        if not len(self.starts):
            return np.full(len(addresses), -1, np.int64)
        at = np.searchsorted(self.starts, addresses, "right") - 1
        inside = (at >= 0) & (addresses < self.ends[np.maximum(at, 0)])
        return np.where(inside, at, -1)

    def name(self, place: int) -> str:
        """The name of the function at a place."""
        start = int(self.name_starts[place])
        end = self.names.find(b"\0", start)
        return self.names[start : end if end >= 0 else None].decode("utf-8", "replace")


def symbol_table(
    starts: Uint64s,
    sizes: Uint64s,
    name_starts: npt.NDArray[np.int64],
    names: bytes,
    ranks: npt.NDArray[np.int64],
) -> SymbolTable:
    """The table of symbols in any order.

    Of several at one address, the one of lowest rank is kept; of equal rank, the first. A symbol
    without a size ends where the next one starts.
    """
    order = np.lexsort((np.arange(len(starts)), ranks, starts))
    _, first = np.unique(starts[order], return_index=True)
    kept = order[first]
    begins, lengths = starts[kept], sizes[kept]
    last = np.uint64(np.iinfo(np.uint64).max)
    following = np.append(begins[1:], last)[: len(begins)]
    room = last - begins
    ends = np.where(lengths > 0, begins + np.minimum(lengths, room), following)
    return SymbolTable(begins, ends, name_starts[kept], names)
