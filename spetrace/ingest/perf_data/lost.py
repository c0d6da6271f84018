"""PERF_RECORD_LOST and LOST_SAMPLES: what perf itself says that it lost."""

from __future__ import annotations

from dataclasses import dataclass

from spetrace.ingest.perf_data.abi import RecordType
from spetrace.ingest.perf_data.framing import Block

_MOST = 1 << 32
"""More than this in one record is damage, not a count."""


@dataclass
class LostEvents:
    """Sums of both kinds of record.

    The kernel writes LOST when a ring buffer has room again; LOST_SAMPLES are on arm64 only what
    perf reads from the events at the recording's end (tools/perf/builtin-record.c,
    `record__read_lost_samples`): the same losses, with those after the last LOST.
    """

    records: int = 0
    samples: int = 0

    @property
    def total(self) -> int:
        """Events lost, each counted once."""
        return max(self.records, self.samples)

    def add(self, block: Block) -> None:
        """Add what the records of a block say."""
        self.records += _sum(block, RecordType.LOST, 16)
        self.samples += _sum(block, RecordType.LOST_SAMPLES, 8)


def _sum(block: Block, type_: RecordType, at: int) -> int:
    rows = block.rows(type_)
    counts = block.u64(rows[block.sizes[rows] >= at + 8], at)
    return int(counts[counts < _MOST].sum())
