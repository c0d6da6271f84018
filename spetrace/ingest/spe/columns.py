"""The columns of table spe_records, each made of one slot's raw payloads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spetrace.arm import spe_packets as spe
from spetrace.ingest.spe.header_table import Slot

Raw = npt.NDArray[np.uint64]

OPERATIONS = ("load", "store", "branch", "other")
"""Dictionary of column `operation`."""


class SlotColumn(NamedTuple):
    """A column's slot, and how its values follow from the payloads (bool as uint8, 0 or 1)."""

    slot: Slot
    values: Callable[[Raw], npt.NDArray[Any]]


def _sign_extended(raw: Raw) -> Raw:
    spare = 64 - spe.ADDRESS_BITS
    signed = (raw << np.uint64(spare)).view(np.int64)
    signed >>= spare
    return signed.view(np.uint64)


def _bits(dtype: type[np.unsignedinteger[Any]], low: int = 0, mask: int | None = None) -> Any:
    """A function that gives the payloads' bits from `low` up, cut to `dtype` and then to `mask`."""

    def values(raw: Raw) -> npt.NDArray[Any]:
        """Those bits of each payload."""
        cut = (raw >> np.uint64(low) if low else raw).astype(dtype)
        return cut if mask is None else cut & dtype(mask)

    return values


_OPERATION_BY_CLASS_AND_STORE: npt.NDArray[np.int32] = np.full(
    (4, 2), OPERATIONS.index("other"), np.int32
)
_OPERATION_BY_CLASS_AND_STORE[spe.OperationClass.LOAD_STORE] = (
    OPERATIONS.index("load"),
    OPERATIONS.index("store"),
)
_OPERATION_BY_CLASS_AND_STORE[spe.OperationClass.BRANCH] = OPERATIONS.index("branch")


def _operation(raw: Raw) -> npt.NDArray[np.int32]:
    """Indices into OPERATIONS of payloads that have the class in bits 15:8."""
    class_and_store = (raw >> np.uint64(7)).astype(np.uint8) & np.uint8(6)
    class_and_store |= raw.astype(np.uint8) & np.uint8(spe.OPERATION_STORE)
    return _OPERATION_BY_CLASS_AND_STORE.ravel().take(class_and_store)


def _instruction_address(name: str, slot: Slot) -> dict[str, SlotColumn]:
    return {
        name: SlotColumn(slot, _sign_extended),
        f"{name}_exception_level": SlotColumn(slot, _bits(np.uint8, 61, 3)),
        f"{name}_ns": SlotColumn(slot, _bits(np.uint8, 63)),
    }


SLOT_COLUMNS: dict[str, SlotColumn] = {
    "timestamp_ticks": SlotColumn(Slot.TIMESTAMP, np.copy),
    **_instruction_address("pc", Slot.PC),
    **_instruction_address("branch_target", Slot.BRANCH_TARGET),
    **_instruction_address("previous_branch_target", Slot.PREVIOUS_BRANCH_TARGET),
    "va": SlotColumn(Slot.DATA_VA, _sign_extended),
    "va_tag": SlotColumn(Slot.DATA_VA, _bits(np.uint8, 56)),
    "pa": SlotColumn(Slot.DATA_PA, _bits(np.uint64, 0, spe.ADDRESS_MASK)),
    "pa_ns": SlotColumn(Slot.DATA_PA, _bits(np.uint8, 63)),
    "pa_checked": SlotColumn(Slot.DATA_PA, _bits(np.uint8, 62, 1)),
    "pa_tag": SlotColumn(Slot.DATA_PA, _bits(np.uint8, 56, 0xF)),
    "operation_class": SlotColumn(Slot.OPERATION, _bits(np.uint8, 8)),
    "operation_payload": SlotColumn(Slot.OPERATION, _bits(np.uint8)),
    "operation": SlotColumn(Slot.OPERATION, _operation),
    "events": SlotColumn(Slot.EVENTS, np.copy),
    "total_latency_cycles": SlotColumn(Slot.TOTAL_LATENCY, _bits(np.uint16)),
    "issue_latency_cycles": SlotColumn(Slot.ISSUE_LATENCY, _bits(np.uint16)),
    "translation_latency_cycles": SlotColumn(Slot.TRANSLATION_LATENCY, _bits(np.uint16)),
    "data_source": SlotColumn(Slot.DATA_SOURCE, _bits(np.uint16)),
    "context_el1": SlotColumn(Slot.CONTEXT_EL1, _bits(np.uint32)),
    "context_el2": SlotColumn(Slot.CONTEXT_EL2, _bits(np.uint32)),
}
"""Columns that hold one slot's payload or a part of it."""
