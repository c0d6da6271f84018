"""Long arrays in little: all of them in files, and taken a few rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from spetrace import spooled
from spetrace.session import ordered_rows, page_bounds


@contextmanager
def small_chunks(rows: int) -> Iterator[None]:
    """Within the block, chunks have so many rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spooled, "HELD_BYTES", 1)
        patch.setattr(spooled.chunks, "__defaults__", (rows,))
        patch.setattr(ordered_rows, "CHUNK_ROWS", rows)
        patch.setattr(page_bounds, "CHUNK_ROWS", rows)
        yield
