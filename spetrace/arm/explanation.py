"""SPE records with their codes in words: more columns for table spe_records."""

from __future__ import annotations

from typing import TypeVar

import polars as pl

from spetrace.arm.event_expressions import events_named, tlb_walk
from spetrace.arm.memory_expressions import (
    data_source_named,
    memory_hit,
    memory_level,
    memory_peer,
    memory_remote,
    memory_snoop,
)
from spetrace.arm.operation_expressions import operation_named
from spetrace.arm.per_cpu import Midrs

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)

EXPLAINED_COLUMNS = {
    "operation_name": "operation type in perf's words, as LD AT EXCL AR",
    "event_names": "events that are set, in perf's words; IMPDEF:n for bits without a name",
    "data_source_name": "data source in the CPU's encoding; null for an unknown CPU or value",
    "memory_level": "L1, LFB, L2, L3, RAM, IO or ANY-CACHE, as perf tells it for loads and stores: by "
    "the data source, else by the events",
    "memory_hit": "whether memory_level had the data",
    "memory_snoop": "NONE, HIT or HITM: whether another cache had the data, and modified",
    "memory_peer": "whether it came from another core's or cluster's cache",
    "memory_remote": "whether it came from another socket",
    "tlb_walk": "whether it took a translation table walk (event 5): stage 1 and stage 2 together",
}
"""What `explain` adds: column name to doc."""


def explain(frame: Frame, midrs: Midrs) -> Frame:
    """The records of table spe_records with EXPLAINED_COLUMNS after their own columns.

    `midrs` is `Recording.spe.midrs`: MIDR_EL1 by CPU, under None that of all other CPUs.
    """
    expressions = {
        "operation_name": operation_named(),
        "event_names": events_named(midrs=midrs),
        "data_source_name": data_source_named(midrs),
        "memory_level": memory_level(midrs),
        "memory_hit": memory_hit(midrs),
        "memory_snoop": memory_snoop(midrs),
        "memory_peer": memory_peer(midrs),
        "memory_remote": memory_remote(midrs),
        "tlb_walk": tlb_walk(),
    }
    return frame.with_columns(**{name: expressions[name] for name in EXPLAINED_COLUMNS})
