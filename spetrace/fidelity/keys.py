"""Records numbered by address and owner, batch after batch, with a few bytes held per record."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spetrace.fidelity.measure import Mask

Addresses = npt.NDArray[np.uint64]
Int64s = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
NO_KEY: Final = -1
_STRETCH: Final = 1 << 20
Number = TypeVar("Number", bound=np.integer[Any])


class Keys(NamedTuple):
    """Distinct pairs of address and owner, and per record the number of its own."""

    addresses: Addresses
    owners: Int64s
    codes: Codes
    """NO_KEY where the record has none."""


class KeyedRecords:
    """Collects records' keys."""

    def __init__(self) -> None:
        self._parts = [_distinct(np.zeros(0, np.uint64), np.zeros(0, np.int64))]

    def add(self, addresses: Addresses, owners: Int64s, has_key: Mask) -> None:
        """Add a batch of records."""
        if has_key.all():
            self._parts.append(_distinct(addresses, owners))
            return
        held = _distinct(addresses[has_key], owners[has_key])
        codes = np.full(len(addresses), NO_KEY, np.int32)
        codes[has_key] = held.codes
        self._parts.append(held._replace(codes=codes))

    def take(self) -> Keys:
        """The keys of all records that were added, in their order; none are held any more."""
        parts, self._parts = self._parts, self._parts[:1]
        whole = _distinct(
            np.concatenate([part.addresses for part in parts]),
            np.concatenate([part.owners for part in parts]),
        )
        codes = np.empty(sum(len(part.codes) for part in parts), np.int32)
        number = at = 0
        for i, part in enumerate(parts):
            numbers = whole.codes[number : number + len(part.addresses)]
            codes[at : at + len(part.codes)] = renumber(part.codes, numbers)
            number, at = number + len(numbers), at + len(part.codes)
            parts[i] = parts[0]
        return whole._replace(codes=codes)


def renumber(codes: Codes, number_of: npt.NDArray[np.integer[Any]]) -> Codes:
    """Put each code's number in its place; NO_KEY stays."""
    numbers = np.append(number_of, NO_KEY).astype(np.int32)
    for start in range(0, len(codes), _STRETCH):
        stretch = codes[start : start + _STRETCH]
        stretch[:] = numbers[stretch]
    return codes


def _distinct(addresses: Addresses, owners: Int64s) -> Keys:
    """Distinct pairs; a table of both numbers at once, as both are few in what is sampled."""
    address, address_codes = _numbered(addresses)
    owner, owner_codes = _numbered(owners)
    if len(owner) == 1:
        return Keys(address, np.broadcast_to(owner, len(address)), address_codes)
    pairs = owner_codes.astype(np.int64) * max(len(address), 1) + address_codes
    pair, codes = _numbered(pairs)
    at_owner, at_address = np.divmod(pair, max(len(address), 1))
    return Keys(address[at_address], owner[at_owner], codes)


def _numbered(values: npt.NDArray[Number]) -> tuple[npt.NDArray[Number], Codes]:
    encoded = pa.array(values).dictionary_encode()
    return encoded.dictionary.to_numpy(), encoded.indices.to_numpy(
        writable=True, zero_copy_only=False
    )
