"""The counters of a run, out of its results table."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from spetrace.report.wording import printable
from spetrace.tables.results import COUNTERS
from spetrace.tables.run import Run


def strategies_of(run: Run) -> list[str]:
    """The strategies that were replayed, in their order."""
    names = pc.unique(run.results["strategy"].cast(pa.string())).to_pylist()
    return [printable(name) for name in names]


def vms_of(run: Run) -> list[int]:
    """The VMs that have results, in ascending order."""
    return sorted(vm for vm in pc.unique(run.results["vm"]).to_pylist() if vm is not None)


def totals(run: Run) -> dict[str, dict[str, int]]:
    """Per strategy its counters over all VMs."""
    return _by_strategy(run.results.filter(pc.field("vm").is_null()))


def of_vm(run: Run, vm: int) -> dict[str, dict[str, int]]:
    """Per strategy its counters of one VM."""
    return _by_strategy(run.results.filter(pc.field("vm") == vm))


def counters(row: dict[str, Any]) -> dict[str, int]:
    """The counters of one row of the results table, as integers."""
    return {name: int(row[name]) for name in COUNTERS}


def _by_strategy(rows: pa.Table) -> dict[str, dict[str, int]]:
    return {printable(row["strategy"]): counters(row) for row in rows.to_pylist()}
