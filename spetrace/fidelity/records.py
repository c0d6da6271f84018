"""The columns of all records that they are compared by, collected frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from spetrace.arm.spe_packets import OPERATION_STORE, OperationClass
from spetrace.fidelity.keys import KeyedRecords
from spetrace.fidelity.measure import Codes, Mask, Measure, distribution, quantity

COLUMNS: Final = (
    "pc", "operation_class", "operation_payload", "data_source", "total_latency_cycles",
)  # fmt: skip
"""The columns of table spe_records that are collected."""

_MEASURES: Final[dict[str, tuple[str, Callable[[str, str, Codes, Mask], Measure]]]] = {
    "data_source": ("data sources", distribution),
    "operation": ("load, store, branch, other", distribution),
    "latency": ("total latency", quantity),
}


class CollectedRecords:
    """What is held of the records: 12 bytes each, and each distinct PC and owner once or so."""

    def __init__(self) -> None:
        self.records = 0
        self.pcs = KeyedRecords()
        self._columns = {name: _Column() for name in _MEASURES}

    def add(self, frame: pl.DataFrame, pc: pl.Expr, owner: pl.Expr) -> None:
        """Add records with COLUMNS: what of their `pc` is compared (UInt64), whose it is (Int64)."""
        told = frame.select(
            pc=pc,
            owner=owner,
            data_source="data_source",
            operation=_operation(),
            latency="total_latency_cycles",
        )
        self.records += len(frame)
        addresses, has_address = _filled(told["pc"])
        self.pcs.add(addresses, told["owner"].to_numpy(), has_address)
        for name, column in self._columns.items():
            column.add(told[name])

    def take_measures(self) -> Iterator[Measure]:
        """All measures but that of PCs; what they are made from is no longer held."""
        for name, (basis, measure) in _MEASURES.items():
            yield measure(name, basis, *self._columns.pop(name).whole())


class _Column:
    def __init__(self) -> None:
        self._values: list[Codes] = [np.zeros(0, np.uint8)]
        self._known: list[Mask] = [np.zeros(0, np.bool_)]

    def add(self, series: pl.Series) -> None:
        values, is_known = _filled(series)
        self._values.append(values)
        self._known.append(is_known)

    def whole(self) -> tuple[Codes, Mask]:
        return np.concatenate(self._values), np.concatenate(self._known)


def _filled(series: pl.Series) -> tuple[npt.NDArray[Any], Mask]:
    """The values, 0 where null, and where there are any."""
    if not series.null_count():
        return series.to_numpy(), np.ones(len(series), np.bool_)
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
