"""Byte ranges as ranges of whole pages."""

from __future__ import annotations

import numpy as np

from spetrace.session.event_run import Addresses


def first_page(address: Addresses, page_size: int) -> Addresses:
    """The page that holds each address."""
    return address // np.uint64(page_size)


def end_page(address: Addresses, size: Addresses, page_size: int) -> Addresses:
    """The page after the last one that holds a byte of [address, address + size).

    A range that would pass the top of the address space ends there.
    """
    end = address + size
    wrapped = end < address
    whole, rest = np.divmod(end, np.uint64(page_size))
    last = np.uint64((1 << 64) // page_size)
    pages: Addresses = np.where(wrapped, last, whole + (rest != 0))
    return pages
