"""One assembled session: the event log that a replay reads, and all that it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa

from spetrace.quality import Quality
from spetrace.tables.costs import CostBasis
from spetrace.tables.recording import Recording


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


@runtime_checkable
class StreamedTables(Protocol):
    """A mapping of tables some of which are made while they are read."""

    def batches_of(self, name: str) -> Iterator[pa.RecordBatch]:
        """The rows of one table in order, in batches of bounded size."""


def batches_of(tables: Mapping[str, pa.Table], name: str) -> Iterator[pa.RecordBatch]:
    """The rows of one table, in batches of bounded size where `tables` can give such."""
    if isinstance(tables, StreamedTables):
        return tables.batches_of(name)
    return iter(tables[name].to_batches())


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
    tables: Mapping[str, pa.Table] = field(default_factory=dict)
    """Derived tables by name: aux_records, recording_gaps, mappings, threads, kvm_exits, ...."""
    tracepoints: Mapping[str, pa.Table] = field(default_factory=dict)
    """Per tracepoint its table: the columns of table tracepoints, then its own fields."""
    event_batches: Iterator[pa.RecordBatch] = field(default_factory=lambda: iter(()))
    """The events in batches, to be gone through once, where they are not in memory."""
    costs: list[CostBasis] = field(default_factory=list)
    """Costs that were measured from the inputs or read from a file."""
    recordings: Sequence[Recording] = ()
    """The inputs, without tracepoints and events, where their SPE records can be read once more."""
    folder: Path | None = None
    """The session folder that it was read from, which may hold SPE records."""

    def iter_events(self) -> Iterator[pa.RecordBatch]:
        """The event log in batches; once only where they are made while they are taken."""
        return chain(self.events.to_batches(), self.event_batches)
