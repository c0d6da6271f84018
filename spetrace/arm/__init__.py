"""Facts of the Arm architecture and pure functions on them; no state, no input or output.

What SPE codes mean, twice in the same words: functions of one code (`event_names`,
`operation_name`, `data_source_name`, `memory_access`), and polars expressions over table
spe_records (`events_named`, `operation_named`, `data_source_named`, `is_load`, `l1d_hit`,
`memory_level`, ...). `explain` adds the most useful ones as columns; `with_threads` names the
threads. polars is imported with the first expression.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from spetrace.arm.data_source import data_source_name, data_source_table
from spetrace.arm.events import Event, event_names
from spetrace.arm.memory import MemoryAccess, memory_access
from spetrace.arm.midr import cpu_name
from spetrace.arm.operation import Operation, decode_operation, operation_name

if TYPE_CHECKING:
    from spetrace.arm.event_expressions import (
        events_named,
        exception_generated,
        has_event,
        l1d_hit,
        l1d_miss,
        l2d_hit,
        l2d_miss,
        llc_hit,
        llc_miss,
        misaligned,
        mispredicted,
        not_taken,
        remote_access,
        retired,
        tlb_hit,
        tlb_walk,
    )
    from spetrace.arm.explanation import explain
    from spetrace.arm.memory_expressions import (
        RecordColumns,
        data_source_named,
        memory_hit,
        memory_level,
        memory_peer,
        memory_remote,
        memory_snoop,
    )
    from spetrace.arm.operation_expressions import (
        evlen_bits,
        is_acquire_release,
        is_atomic,
        is_branch,
        is_call,
        is_conditional,
        is_exclusive,
        is_floating_point,
        is_gather_scatter,
        is_indirect,
        is_load,
        is_predicated,
        is_return,
        is_store,
        operation_named,
    )
    from spetrace.arm.threads import thread_tid, with_threads

__all__ = [
    "Event", "MemoryAccess", "Operation", "RecordColumns", "cpu_name", "data_source_name",
    "data_source_named", "data_source_table", "decode_operation", "event_names", "events_named",
    "evlen_bits", "exception_generated", "explain", "has_event", "is_acquire_release", "is_atomic",
    "is_branch", "is_call", "is_conditional", "is_exclusive", "is_floating_point",
    "is_gather_scatter", "is_indirect", "is_load", "is_predicated", "is_return", "is_store",
    "l1d_hit", "l1d_miss", "l2d_hit", "l2d_miss", "llc_hit", "llc_miss", "memory_access",
    "memory_hit", "memory_level", "memory_peer", "memory_remote", "memory_snoop", "misaligned",
    "mispredicted", "not_taken", "operation_name", "operation_named", "remote_access", "retired",
    "thread_tid", "tlb_hit", "tlb_walk", "with_threads",
]  # fmt: skip

_IMPORT_POLARS = (
    "event_expressions", "operation_expressions", "memory_expressions", "explanation", "threads",
)  # fmt: skip


def __getattr__(name: str) -> object:
    if name in __all__:
        for module in (import_module(f"spetrace.arm.{m}") for m in _IMPORT_POLARS):
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
