"""One assembled session: the event log that a replay reads, and all that it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa

from spetrace.quality import Quality
from spetrace.tables.costs import CostBasis


@dataclass(frozen=True)
class Assumption:
    """One choice that the inputs did not settle: its name (a flag or session.toml key), the value
    that was used, and a sentence for the report.
    """

    name: str
    value: str
    text: str


@runtime_checkable
class TablePieces(Protocol):
    """A mapping of tables that need not all be made at once."""

    def batches(self) -> Iterator[tuple[str, pa.Table]]:
        """All rows in pieces of bounded size, by table name; those of one table in its order."""


def pieces_of(tables: Mapping[str, pa.Table]) -> Iterable[tuple[str, pa.Table]]:
    """All rows of tables by name, in pieces of bounded size where `tables` can give such."""
    return tables.batches() if isinstance(tables, TablePieces) else tables.items()


@dataclass
class Session:
    """The inputs of one replay, put on one clock and merged."""

    inputs: list[dict[str, Any]]
    """Per input file: name, format, size_bytes, sha256, clock, properties."""
    events: pa.Table
    """Table events, sorted by ts; empty where `event_batches` gives them."""
    parameters: dict[str, Any] = field(default_factory=dict)
    """Replay parameters that the session knows (memory_bytes, initial_stage2, `vms` per VM, ...),
    named and nested as in an event log's session line."""
    assumptions: list[Assumption] = field(default_factory=list)
    quality: list[tuple[int | None, Quality]] = field(default_factory=list)
    """(source index or None for the session itself, counters)."""
    machines: list[dict[str, Any]] = field(default_factory=list)
    """Per VM: vm, pid, vcpus [{vcpu, pid, comm}], ram {ipa, bytes}, memslots, initial_stage2."""
    clocks: list[dict[str, Any]] = field(default_factory=list)
    """Per input: source, clock, offset_ns, how (a sentence)."""
    tables: dict[str, pa.Table] = field(default_factory=dict)
    """Derived tables by name: aux_records, recording_gaps, mappings, threads, kvm_exits, ...."""
    tracepoints: Mapping[str, pa.Table] = field(default_factory=dict)
    """Per tracepoint its table: the columns of table tracepoints, then its own fields."""
    event_batches: Iterator[pa.RecordBatch] = field(default_factory=lambda: iter(()))
    """The events in batches, to be gone through once, where they are not in memory."""
    costs: list[CostBasis] = field(default_factory=list)
    """Costs that were measured from the inputs or read from a file."""
