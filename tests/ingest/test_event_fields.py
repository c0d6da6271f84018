"""Fields of records as columns: strings, lists, bytes, and what reaches past its record."""

from __future__ import annotations

import struct

import numpy as np
import polars as pl
import pytest
from builders_trace_dat import build_format

from spetrace.ingest.event_fields import Decoded, Records, decode_fields
from spetrace.ingest.event_format import parse_event_format


def decode(order: str, field: tuple[str, int, int, int | None], *records: bytes) -> Decoded:
    lengths = np.array([len(r) for r in records], np.uint32)
    offsets = np.concatenate([[3], 3 + np.cumsum(lengths[:-1], dtype=np.int64)])
    data = np.frombuffer(b"\xff" * 3 + b"".join(records), np.uint8)
    format_ = parse_event_format(build_format("e", 1, field))
    return decode_fields(Records(data, offsets, lengths, order == ">"), format_.fields)[0]


def record(order: str, layout: str, *values: int | bytes) -> bytes:
    return bytes(8) + struct.pack(order + layout, *values)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("declaration", "layout", "signed", "dtype"),
    [
        ("s8 x", "b", 1, pl.Int8),
        ("u8 x", "B", 0, pl.UInt8),
        ("short x", "h", 1, pl.Int16),
        ("u16 x", "H", 0, pl.UInt16),
        ("int x", "i", 1, pl.Int32),
        ("u32 x", "I", 0, pl.UInt32),
        ("s64 x", "q", 1, pl.Int64),
        ("u64 x", "Q", 0, pl.UInt64),
        ("long x", "i", 1, pl.Int64),
        ("unsigned long x", "I", 0, pl.UInt64),
    ],
)
def test_integers_of_every_width(
    order: str, declaration: str, layout: str, signed: int, dtype: pl.DataType
) -> None:
    size = struct.calcsize("<" + layout)
    low, high = (
        (-(1 << 8 * size - 1), (1 << 8 * size - 1) - 1) if signed else (0, (1 << 8 * size) - 1)
    )
    values = [low, high, 1, 0x12 << 8 * size - 8]
    column, damaged = decode(
        order, (declaration, 8, size, signed), *(record(order, layout, v) for v in values)
    )
    assert (column.to_list(), column.dtype, damaged) == (values, dtype, 0)


def test_bool_is_any_bit_and_null_where_the_record_ends() -> None:
    column, damaged = decode("<", ("bool b", 8, 1, 0), bytes(9), bytes(8) + b"\2", bytes(8))
    assert (column.to_list(), damaged) == ([False, True, None], 1)


def test_integer_past_its_record_is_null() -> None:
    column, damaged = decode("<", ("u32 x", 8, 4, 0), record("<", "I", 7), bytes(11))
    assert (column.to_list(), damaged) == ([7, None], 1)


def test_char_array_is_cut_at_nul() -> None:
    column, damaged = decode(
        "<", ("char comm[8]", 8, 8, 0), bytes(8) + b"sh\0junk!", bytes(8) + b"exactly8", bytes(12)
    )
    assert (column.to_list(), damaged) == (["sh", "exactly8", None], 1)


def test_char_array_that_is_not_utf8_is_replaced() -> None:
    column, _ = decode(
        "<", ("char comm[4]", 8, 4, 0), bytes(8) + b"a\xff\0\0", bytes(8) + "é\0\0".encode()
    )
    assert column.to_list() == ["a�", "é"]


def test_rest_of_the_record_is_a_string() -> None:
    column, _ = decode("<", ("char buf[]", 8, 0, 0), bytes(8) + b"marker\n\0", bytes(8), bytes(7))
    assert column.to_list() == ["marker\n", "", None]


@pytest.mark.parametrize("order", "<>")
def test_data_loc_counts_from_the_record_and_rel_loc_from_the_descriptor(order: str) -> None:
    text = b"/bin/true\0\0\0"
    at_12, at_0 = 10 << 16 | 12, 10 << 16
    for declaration, descriptor in (
        ("__data_loc char[] f", at_12),
        ("__rel_loc char[] f", at_0),
        ("__rel_loc char f[]", at_0),
    ):
        column, damaged = decode(
            order, (declaration, 8, 4, 0), record(order, "I", descriptor) + text
        )
        assert (column.to_list(), damaged) == (["/bin/true"], 0)


def test_descriptor_out_of_the_record_is_null() -> None:
    inside = record("<", "I", 2 << 16 | 12) + b"a\0\0\0"
    records = [
        inside,
        record("<", "I", 5 << 16 | 12) + b"a\0\0\0",
        record("<", "I", 0xFFFF) + b"a\0\0\0",
        bytes(10),
        record("<", "I", 12),
    ]
    column, damaged = decode("<", ("__data_loc char[] f", 8, 4, 0), *records)
    assert (column.to_list(), damaged) == (["a", None, None, None, ""], 3)


@pytest.mark.parametrize("order", "<>")
def test_arrays_are_lists(order: str) -> None:
    column, damaged = decode(
        order, ("int x[3]", 8, 12, 1), record(order, "iii", 1, -2, 3), bytes(19)
    )
    assert (column.to_list(), column.dtype, damaged) == ([[1, -2, 3], None], pl.List(pl.Int32), 1)


def test_dynamic_array_of_integers() -> None:
    column, _ = decode(
        "<", ("__data_loc u16[] v", 8, 4, 0), record("<", "IHHH", 5 << 16 | 12, 1, 65535, 9)
    )
    assert column.to_list() == [[1, 65535]]


def test_struct_is_bytes() -> None:
    column, damaged = decode("<", ("struct s x", 8, 3, 0), bytes(8) + b"\0\1\xff", bytes(9))
    assert (column.to_list(), column.dtype, damaged) == ([b"\0\1\xff", None], pl.Binary, 1)


def test_many_records_cross_blocks() -> None:
    values = list(range(20_000))
    column, _ = decode("<", ("u64 x", 8, 8, 0), *(record("<", "Q", v) for v in values))
    assert column.to_list() == values
