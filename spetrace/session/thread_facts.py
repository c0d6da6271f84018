"""What the host's trace says of the threads that run vCPUs, gathered while their events go by."""

from __future__ import annotations

import polars as pl

from spetrace.session.host_merge import Stretch
from spetrace.session.host_names import ENTRY, EXIT

_SCHEMA = {
    "pid": pl.Int32, "tgid": pl.Int32, "comm": pl.String, "first": pl.Int64,
    "first_entry": pl.Int64,
}  # fmt: skip
_KEYS = ("pid", "tgid", "comm")


class ThreadFacts:
    """Gathers processes and names of the threads that run kvm_entry or kvm_exit."""

    def __init__(self) -> None:
        self._seen = pl.DataFrame(schema=_SCHEMA)

    def add(self, stretch: Stretch) -> None:
        """Take the next stretch."""
        for name in (ENTRY, EXIT):
            if name in stretch:
                self._add(stretch[name], is_entry=name == ENTRY)

    @property
    def seen(self) -> pl.DataFrame:
        """Per thread, process and name that were recorded together the places of the first event
        and of the first kvm_entry; null where there is none.
        """
        return self._seen

    def _add(self, frame: pl.DataFrame, *, is_entry: bool) -> None:
        first = pl.col("order").min()
        entry = first if is_entry else pl.lit(None, pl.Int64)
        known = frame.lazy().select(*_KEYS, "order").filter(pl.col("pid") >= 0)
        found = known.group_by(_KEYS).agg(first.alias("first"), entry.alias("first_entry"))
        found = found.with_columns(pl.col("comm").cast(pl.String)).select(*_SCHEMA)
        both = pl.concat([self._seen, found.collect()])
        self._seen = both.group_by(_KEYS).agg(pl.col("first", "first_entry").min())
