"""The columns of all records that they are compared by, counted frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.arm.spe_packets import OPERATION_STORE, OperationClass
from spetrace.fidelity.measure import Measure, distribution, quantity
from spetrace.fidelity.survival import Survival
from spetrace.fidelity.tally import Groups, Int64s, Tallying

COLUMNS: Final = (
    "pc", "operation_class", "operation_payload", "data_source", "total_latency_cycles",
)  # fmt: skip
"""The columns of table spe_records that are counted by."""

_MEASURES: Final[dict[str, tuple[str, Callable[[str, str, Int64s, Groups], Measure]]]] = {
    "data_source": ("data sources", distribution),
    "operation": ("load, store, branch, other", distribution),
    "latency": ("total latency", quantity),
}
_NOBODY: Final = np.zeros(1, np.int64)


class CountedRecords:
    """Records counted by what they are compared by and which strategies they survive.

    What is held grows with the distinct values, not with the records.
    """

    def __init__(self, survival: Survival) -> None:
        self.records = 0
        self.pcs = Tallying()
        self._survival = survival
        self._marks = survival.marks()
        self._columns = {name: Tallying() for name in _MEASURES}

    def add(self, frame: pl.DataFrame, pc: pl.Expr, owner: pl.Expr) -> None:
        """Count the next records, with COLUMNS: by their `pc` (UInt64) and whose it is (Int64), too."""
        told = frame.select(
            pc=pc,
            owner=owner,
            data_source="data_source",
            operation=_operation(),
            latency="total_latency_cycles",
        )
        marked = list(self._marks.of(self._survival.of(self.records, len(frame))))
        self.records += len(frame)
        values, known = _filled(told["pc"])
        self.pcs.add(values, told["owner"].to_numpy(), known, marked)
        for name, tallying in self._columns.items():
            values, known = _filled(told[name])
            tallying.add(values, _NOBODY, known, marked)

    def measures(self) -> Iterator[Measure]:
        """All measures but that of PCs."""
        for name, (basis, measure) in _MEASURES.items():
            tally = self._columns[name].take()
            yield measure(name, basis, tally.values.astype(np.int64), tally.groups)


def _filled(series: pl.Series) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]:
    """The values, 0 where null, and where there are any; None where everywhere."""
    if not series.null_count():
        return series.to_numpy(), None
    return series.fill_null(0).to_numpy(), series.is_not_null().to_numpy()


def _operation() -> pl.Expr:
    """One number for each of load, store, branch and other; null for what is none of these."""
    kind = pl.col("operation_class")
    is_store = (pl.col("operation_payload") & OPERATION_STORE).cast(pl.UInt8)
    return (
        pl.when(kind == OperationClass.LOAD_STORE)
        .then(2 + is_store)
        .when(kind == OperationClass.BRANCH)
        .then(pl.lit(1, pl.UInt8))
        .when(kind == OperationClass.OTHER)
        .then(pl.lit(0, pl.UInt8))
    )
