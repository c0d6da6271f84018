"""Raw records to an Arrow record batch of table spe_records."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
import pyarrow as pa

from spetrace.ingest.spe.columns import OPERATIONS, SLOT_COLUMNS
from spetrace.ingest.spe.header_table import Slot
from spetrace.ingest.spe.raw_records import RawRecords
from spetrace.ingest.spe.raw_rows import RawRows, to_bitmap
from spetrace.ingest.spe.timestamps import ticks_array_to_ns
from spetrace.tables.recording import TimeConversion
from spetrace.tables.spe_records import OTHER_COUNTER
from spetrace.tables.table import NAME, Table


def slots_of(columns: list[str]) -> frozenset[Slot]:
    """The slots that the columns need."""
    slots = {SLOT_COLUMNS[name].slot for name in columns if name in SLOT_COLUMNS}
    if "other_counters" in columns:
        slots.add(Slot.OTHER_COUNTERS)
    return frozenset(slots)


class BatchBuilder:
    """Makes batches of a `table` that is spe_records or a selection of its columns.

    `constants` are the columns that have one value (or null) in the whole stream.
    """

    def __init__(
        self, table: Table, constants: dict[str, int | None], conversion: TimeConversion | None
    ) -> None:
        self._table = table
        self._schema = table.schema
        self._conversion = conversion
        self._constants = constants
        self._constant_arrays: dict[str, pa.Array] = {}

    def build(self, records: RawRecords, rows: int) -> pa.RecordBatch:
        """A batch of the first `rows` records; keeps no reference to `records`."""
        raw = RawRows(records, rows)
        arrays = [self._array(column.name, column.type, raw) for column in self._table.columns]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _array(self, name: str, type_: pa.DataType, raw: RawRows) -> pa.Array:
        if name in SLOT_COLUMNS:
            slot, values = SLOT_COLUMNS[name]
            if raw.is_absent(slot):
                return pa.nulls(raw.rows, type_)
            return _to_arrow(type_, values(raw.payloads(slot)), raw.validity(slot))
        match name:
            case "aux_offset":
                return _to_arrow(type_, raw.begins.copy())
            case "size_bytes":
                return _to_arrow(type_, raw.sizes.copy())
            case "time_ns":
                return self._times(type_, raw)
            case "other_counters":
                return _other_counters(type_, raw)
        return self._constant(name, type_, raw.rows)

    def _times(self, type_: pa.DataType, raw: RawRows) -> pa.Array:
        if self._conversion is None or raw.is_absent(Slot.TIMESTAMP):
            return pa.nulls(raw.rows, type_)
        times = ticks_array_to_ns(raw.payloads(Slot.TIMESTAMP), self._conversion)
        return _to_arrow(type_, times, raw.validity(Slot.TIMESTAMP))

    def _constant(self, name: str, type_: pa.DataType, rows: int) -> pa.Array:
        array = self._constant_arrays.get(name)
        if array is None or len(array) < rows:
            array = pa.repeat(pa.scalar(self._constants[name], type_), rows)
            self._constant_arrays[name] = array
        return array[:rows]


def _to_arrow(
    type_: pa.DataType, values: npt.NDArray[Any], validity: pa.Buffer | None = None
) -> pa.Array:
    if type_ == NAME:
        return pa.DictionaryArray.from_buffers(
            type_, len(values), [validity, pa.py_buffer(values)], _OPERATIONS
        )
    data = to_bitmap(values) if pa.types.is_boolean(type_) else pa.py_buffer(values)
    return pa.Array.from_buffers(type_, len(values), [validity, data])


_OPERATIONS = pa.array(OPERATIONS, NAME.value_type)


def _other_counters(type_: pa.DataType, raw: RawRows) -> pa.Array:
    if raw.is_absent(Slot.OTHER_COUNTERS):
        return pa.nulls(raw.rows, type_)
    ends, indices, values = raw.other_counters()
    entries = pa.StructArray.from_arrays(
        [pa.array(indices), pa.array(values)], fields=list(OTHER_COUNTER)
    )
    buffers = [raw.validity(Slot.OTHER_COUNTERS), pa.py_buffer(ends)]
    return pa.Array.from_buffers(type_, raw.rows, buffers, children=[entries])
