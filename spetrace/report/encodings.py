"""How the columns of a table are encoded in Parquet: what suits their values."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa

_RISING_UNITS: Final = (b"ns", b"ticks", b"bytes")
_ROW: Final = "row"
_SCATTERED: Final = ("va", "pa")
"""Addresses of data: hardly one comes twice, so that a dictionary of them is given up half way."""
_CODES: Final = ("pc_exception_level", "operation_class", "operation_payload", "vcpu")
"""Small numbers that change from row to row."""


def encodings(schema: pa.Schema) -> dict[str, Any]:
    """The arguments of a ParquetWriter that choose encodings and statistics for columns of `schema`.

    Times, offsets and row numbers go up in small steps: as differences they take half the time and
    a quarter of the space. So do codes at half the time and half as much space again. All else is a
    dictionary, until that gets too large. Columns that nobody seeks a range in (flags, levels, latencies: every row group has all their values) have no
    statistics.
    """
    differences = [field.name for field in schema if _is_rising(field) or field.name in _CODES]
    plain = {*differences, *_SCATTERED}
    return {
        "use_dictionary": [name for name in schema.names if name not in plain],
        "column_encoding": dict.fromkeys(differences, "DELTA_BINARY_PACKED"),
        "write_statistics": [field.name for field in schema if not _is_everywhere(field)],
    }


def _is_rising(field: pa.Field) -> bool:
    is_wide = pa.types.is_int64(field.type) or pa.types.is_uint64(field.type)
    unit = (field.metadata or {}).get(b"unit")
    return bool(is_wide and (unit in _RISING_UNITS or field.name == _ROW))


def _is_everywhere(field: pa.Field) -> bool:
    is_small = pa.types.is_boolean(field.type) or pa.types.is_uint8(field.type)
    return is_small or (field.metadata or {}).get(b"unit") == b"cycles"
