"""The results of a sweep: a row per run, strategy and VM."""

import pyarrow as pa

from spetrace.tables.results import RESULTS
from spetrace.tables.table import NAME, Column, Table

PARAMETER_COLUMNS = (
    Column("page_size", pa.int64(), "translation granule of both stages", "bytes", False),
    Column("memory_bytes", pa.int64(), "RAM of a VM where nothing tells", "bytes", False),
    Column("memlock_bytes", pa.int64(), "RLIMIT_MEMLOCK; null: no limit", "bytes"),
    Column("max_buffer_bytes", pa.int64(), "largest buffer that is pinned", "bytes", False),
    Column("initial_stage2", NAME, "stage 2 at the start: empty or all", nullable=False),
    Column("dl_model", NAME, "when a faulting write leaves a partial record", nullable=False),
    Column("data_loss", NAME, "what becomes of a buffer's records: discard or keep", None, False),
    Column("pin_refuses", NAME, "causes of unmaps that a pin outlives", nullable=False),
    Column("keep_ns", pa.int64(), "how long pin-and-keep keeps; null: for ever", "ns"),
    Column("host_buffer_bytes", pa.int64(), "largest buffer of host-buffer", "bytes", False),
    Column("irq_ns", pa.int64(), "cost of an interrupt", "ns", False),
    Column("vm_exit_ns", pa.int64(), "cost of an exit", "ns", False),
    Column("walk_page_ns", pa.int64(), "cost of a page walked", "ns", False),
    Column("map_page_ns", pa.int64(), "cost of a page mapped", "ns", False),
    Column("pin_page_ns", pa.int64(), "cost of a page pinned", "ns", False),
    Column("unpin_page_ns", pa.int64(), "cost of a page released", "ns", False),
    Column("sysreg_trap_ns", pa.int64(), "cost of a trapped register write", "ns", False),
    Column("eret_trap_ns", pa.int64(), "cost of a trapped ERET", "ns", False),
    Column("copy_page_ns", pa.int64(), "cost of a page copied", "ns", False),
    Column("vms", pa.string(), "what differs by VM, as JSON; null: nothing"),
)
"""The parameters that a run was replayed with, costs among them by their own names."""

RUNS = Table(
    "runs",
    "1.0",
    "One row per run of a sweep, strategy and VM, and one with vm null for the total.",
    (
        Column("run_id", pa.string(), "what was replayed and how, as a hash", nullable=False),
        Column("capture", NAME, "name of the capture in the sweep", nullable=False),
        Column("placement_seed", pa.int64(), "seed of the buffers' places; null: not scattered"),
        *PARAMETER_COLUMNS,
        RESULTS.columns[0],
        Column("strategy_version", pa.string(), "of its implementation", nullable=False),
        *RESULTS.columns[1:],
    ),
)
